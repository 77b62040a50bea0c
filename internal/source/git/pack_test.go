package git

import (
	"bytes"
	"compress/zlib"
	"crypto/sha1"
	"encoding/binary"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"strings"
	"testing"
)

// gitBackend serves a folder with the program that Git brings.
func gitBackend(t *testing.T, git, dir string) string {
	t.Helper()
	server := httptest.NewServer(&cgi.Handler{Path: git, Args: []string{"http-backend"}, Env: []string{"GIT_PROJECT_ROOT=" + dir, "GIT_HTTP_EXPORT_ALL=1"}})
	t.Cleanup(server.Close)
	return server.URL
}

// packed writes a pack of objects, each a header and what it inflates to.
func packed(objects ...[2]string) []byte {
	var pack bytes.Buffer
	pack.WriteString("PACK")
	_ = binary.Write(&pack, binary.BigEndian, [2]uint32{2, uint32(len(objects))})
	for _, object := range objects {
		pack.WriteString(object[0])
		w := zlib.NewWriter(&pack)
		_, _ = w.Write([]byte(object[1]))
		w.Close()
	}
	sum := sha1.Sum(pack.Bytes())
	pack.Write(sum[:])
	return pack.Bytes()
}

func TestPacksAreInspected(t *testing.T) {
	blob := [2]string{"\x33", "abc"} // a blob of three bytes
	good := packed(blob, [2]string{"\x64\x10", "\x03\x03\x90\x03"})
	for name, test := range map[string]struct {
		pack []byte
		err  string
	}{
		"a blob and a delta":   {good, ""},
		"nothing":              {nil, "empty packfile"},
		"an end in the middle": {good[:len(good)-25], "EOF"},
		"an end at the end":    {good[:len(good)-1], "EOF"},
		"a wrong sum":          {append(bytes.Clone(good[:len(good)-1]), 0), "checksum"},
		"no pack":              {[]byte("<html>what are you looking for?"), "signature"},
		"more than it says":    {packed([2]string{"\x33", strings.Repeat("x", 10000)}), "larger than it says"},
		"less than it says":    {packed([2]string{"\x3f", "abc"}), "smaller than it says"},
		"a large object":       {packed([2]string{"\xb0\xff\xff\xff\x7f", ""}), "larger than 256 MiB"},
		"an endless size":      {packed([2]string{"\xb0" + strings.Repeat("\xff", 20) + "\x7f", ""}), "larger than"},
		"a large delta":        {packed(blob, [2]string{"\x66\x10", "\x03\xff\xff\xff\xff\x7f"}), "larger than 256 MiB"},
		"a delta of nothing":   {packed([2]string{"\x64\x7f", "\x03\x03\x90\x03"}), "no object before it"},
		"a delta without size": {packed(blob, [2]string{"\x61\x10", "\x83"}), "no sizes"},
		"an unknown type":      {packed([2]string{"\x53", "abc"}), "unknown type"},
		"too many":             {[]byte("PACK\x00\x00\x00\x02\xff\xff\xff\xff"), "more than 10000000 objects"},
	} {
		err := inspect(bytes.NewReader(test.pack))
		if test.err == "" && err != nil || test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
			t.Errorf("%s: %v, want %q", name, err, test.err)
		}
	}
}

func TestAnEndlessListIsRefused(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := w.Write([]byte("003d" + strings.Repeat("1", 40) + " refs/heads/aaaaaa\n")); err != nil {
				return
			}
		}
	}))
	t.Cleanup(server.Close)
	if _, err := Open(t.Context(), Remote{URL: server.URL}); err == nil {
		t.Error("it was read to its end")
	}
}

func FuzzInspect(f *testing.F) {
	f.Add(packed([2]string{"\x33", "abc"}, [2]string{"\x64\x10", "\x03\x03\x90\x03"}))
	f.Add([]byte("PACK\x00\x00\x00\x02\x00\x00\x00\x01\x33"))
	f.Fuzz(func(t *testing.T, pack []byte) {
		if err := inspect(bytes.NewReader(pack)); err == nil && len(pack) < 32 {
			t.Error("too short to be whole")
		}
	})
}

func FuzzAdvertisement(f *testing.F) {
	f.Add([]byte("001e# service=git-upload-pack\n0000" + "003d" + strings.Repeat("1", 40) + " refs/heads/main\x00\n0000"))
	f.Add([]byte("0009ERR a0000"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if refs, err := readAdvertisement(bytes.NewReader(text)); err == nil && refs == nil {
			t.Error("nothing and no error")
		}
	})
}
