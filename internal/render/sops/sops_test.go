package sops_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hearth/internal/render/sops"
)

func read(t testing.TB, elements ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(append([]string{"testdata"}, elements...)...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func keys(t testing.TB, names ...string) *sops.Keys {
	t.Helper()
	k := &sops.Keys{}
	for _, name := range names {
		if err := k.Add(name, read(t, name)); err != nil {
			t.Fatal(err)
		}
	}
	return k
}

// TestDecrypt decrypts files that SOPS itself encrypted, and compares with
// what it decrypts them to.
func TestDecrypt(t *testing.T) {
	files, err := os.ReadDir("testdata/encrypted")
	if err != nil || len(files) == 0 {
		t.Fatalf("no encrypted files: %v", err)
	}
	all := keys(t, "test.agekey", "hybrid.agekey")
	for _, file := range files {
		t.Run(file.Name(), func(t *testing.T) {
			data, format := read(t, "encrypted", file.Name()), sops.FormatOf(file.Name())
			if !format.Encrypted(data) {
				t.Errorf("not taken for encrypted %s", format)
			}
			plain, err := all.Decrypt(sops.Content{Data: data, In: format, Out: format})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(read(t, "decrypted", file.Name())), string(plain.Data)); diff != "" {
				t.Errorf("decrypted (-want +got):\n%s", diff)
			}
			for _, value := range plain.Values {
				if bytes.Contains(data, []byte(value)) {
					t.Errorf("the encrypted file holds %q in plain", value)
				}
			}
		})
	}
}

func TestDetect(t *testing.T) {
	for name, want := range map[string]sops.Format{
		"secret.yaml": sops.YAML, "config.json": sops.JSON, "app.env": sops.Dotenv, "app.ini": sops.INI, "blob.bin": sops.JSON,
	} {
		if got, ok := sops.Detect(read(t, "encrypted", name)); !ok || got != want {
			t.Errorf("%s is taken for %s, %v", name, got, ok)
		}
		if got, ok := sops.Detect(read(t, "decrypted", name)); ok {
			t.Errorf("plain %s is taken for encrypted %s", name, got)
		}
	}
	if got := sops.FormatOf("x.dockerconfigjson"); got != sops.JSON {
		t.Errorf(".dockerconfigjson is %s", got)
	}
}

// TestDecryptInto reads one format and writes another, as for an entry of a
// Secret whose name tells what it is to be.
func TestDecryptInto(t *testing.T) {
	k := keys(t, "test.agekey")
	for _, test := range []struct {
		file    string
		in, out sops.Format
		want    string
	}{
		{"app.env", sops.Dotenv, sops.JSON, `"USER": "postgres"`},
		{"app.env", sops.Dotenv, sops.YAML, "USER: postgres\n"},
		{"documents.yaml", sops.YAML, sops.JSON, "ERROR write it as JSON: JSON holds one document, not 2"},
		{"config.json", sops.JSON, sops.Dotenv, "ERROR write it as dotenv: the value of auths: the format knows no nesting"},
		{"config.json", sops.JSON, sops.Binary, "ERROR write it as binary: it holds fields, and no file"},
		{"app.ini", sops.INI, sops.JSON, `"number": "5"`},
		{"key.txt", sops.Binary, sops.Binary, "ssh-ed25519 text file\nwith lines\n"},
	} {
		plain, err := k.Decrypt(sops.Content{Data: read(t, "encrypted", test.file), In: test.in, Out: test.out})
		got := string(plain.Data)
		if err != nil {
			got = "ERROR " + err.Error()
		}
		if !strings.Contains(got, test.want) {
			t.Errorf("%s as %s is %q, without %q", test.file, test.out, got, test.want)
		}
	}
}

func TestDecryptRefuses(t *testing.T) {
	secret, config := read(t, "encrypted", "secret.yaml"), read(t, "encrypted", "config.yaml")
	edit := func(data []byte, from, to string) []byte {
		t.Helper()
		if !bytes.Contains(data, []byte(from)) {
			t.Fatalf("no %q to edit", from)
		}
		return bytes.Replace(data, []byte(from), []byte(to), 1)
	}
	test, other := keys(t, "test.agekey"), keys(t, "other.agekey")
	for name, c := range map[string]struct {
		data   []byte
		keys   *sops.Keys
		passed bool
		want   string
	}{
		"a plain value that was changed":       {edit(secret, "name: app", "name: xpp"), test, false, sops.ErrMAC.Error()},
		"a plain value, passed on":             {edit(secret, "name: app", "name: xpp"), test, true, ""},
		"a plain value outside the checksum":   {edit(read(t, "encrypted", "mac-only.yaml"), "name: app", "name: xpp"), test, false, ""},
		"an encrypted value that moved":        {edit(edit(config, "port:", "porx:"), "ratio:", "port:"), test, true, "was changed or moved"},
		"a value in plain":                     {edit(secret, "password: ENC[", "password: PLAIN["), test, true, "decrypt the value of stringData.password: it has not the form"},
		"another's identity":                   {secret, other, false, "none of the age identities at hand belongs to what it is encrypted for: age1"},
		"no identity":                          {secret, &sops.Keys{}, false, "there is no age identity"},
		"shared keys":                          {read(t, "refused", "shamir.yaml"), test, false, "shared out among 2 groups"},
		"PGP only":                             {edit(secret, "    age:\n", "    pgp:\n"), test, false, "encrypted for PGP only"},
		"AWS only":                             {edit(secret, "    age:\n", "    kms:\n"), test, false, "encrypted for AWS KMS only"},
		"no keys at all":                       {edit(secret, "    age:\n", "    nothing:\n"), test, false, "names no keys"},
		"no metadata":                          {edit(secret, "sops:\n", "gone:\n"), test, false, "no metadata"},
		"two rules":                            {edit(secret, "    encrypted_regex:", "    encrypted_suffix: x\n    encrypted_regex:"), test, false, "more than one rule"},
		"a rule that is no regular expression": {edit(secret, "^(data|stringData)$", "((("), test, false, "invalid regular expression"},
		"a wrong time":                         {edit(secret, "lastmodified: \"", "lastmodified: \"x"), test, false, "lastmodified"},
		"a time that was changed":              {edit(secret, "lastmodified: \"20", "lastmodified: \"19"), test, false, "checksum"},
		"a bomb":                               {append(bytes.Clone(secret), bomb()...), test, false, "larger than it looks"},
		"a depth":                              {append(bytes.Clone(secret), []byte("x: "+strings.Repeat("[", 2000)+strings.Repeat("]", 2000))...), test, false, "nested too deep"},
		"a size":                               {append(bytes.Clone(secret), bytes.Repeat([]byte("#"), 6<<20)...), test, false, "more than"},
		"another encoding":                     {append(bytes.Clone(secret), 0xff, 0xfe), test, false, "no UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.keys.Decrypt(sops.Content{Data: c.data, In: sops.YAML, Out: sops.YAML, Passed: c.passed})
			if c.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("the error is %v, without %q", err, c.want)
			}
			for _, hidden := range []string{"plain-password", "AGE-SECRET", "two lines", "ENC["} {
				if strings.Contains(err.Error(), hidden) {
					t.Errorf("the error tells %s: %v", hidden, err)
				}
			}
		})
	}
	if _, err := test.Decrypt(sops.Content{Data: edit(secret, "name: app", "name: xpp"), In: sops.YAML, Out: sops.YAML}); !errors.Is(err, sops.ErrMAC) {
		t.Errorf("a wrong checksum is %v", err)
	}
}

// bomb is YAML whose aliases multiply.
func bomb() []byte {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x]\n")
	for i := range 9 {
		from := "*a" + string(rune('0'+i))
		b.WriteString("a" + string(rune('1'+i)) + ": &a" + string(rune('1'+i)) + " [" + strings.Join(slices.Repeat([]string{from}, 9), ", ") + "]\n")
	}
	return []byte(b.String())
}

func TestKeysRefuse(t *testing.T) {
	for value, want := range map[string]string{
		"# one\nAGE-SECRET-KEY-1NOTAKEY":   "entry x.agekey, line 2, is no age identity",
		"AGE-SECRET-KEY-PQ-1NOTAKEY":       "line 1, is no age identity",
		"AGE-PLUGIN-YUBIKEY-1ABC":          "plugins are not run",
		"hunter2":                          "line 1, is no age identity",
		"-----BEGIN OPENSSH PRIVATE KEY--": "an SSH key that cannot be read",
	} {
		err := (&sops.Keys{}).Add("x.agekey", []byte(value))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.12s…: the error is %v, without %q", value, err, want)
		} else if strings.Contains(err.Error(), "NOTAKEY") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error tells the key: %v", err)
		}
	}
	if err := (&sops.Keys{}).Add("sops.vault-token", []byte("anything")); err != nil {
		t.Errorf("an entry for another service: %v", err)
	}
}

// FuzzDecrypt feeds contents of every format to every way through.
func FuzzDecrypt(f *testing.F) {
	files, err := filepath.Glob("testdata/encrypted/*")
	if err != nil || len(files) == 0 {
		f.Fatalf("no encrypted files: %v", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, uint8(sops.FormatOf(file)), uint8(sops.FormatOf(file)))
	}
	f.Add(bomb(), uint8(sops.YAML), uint8(sops.JSON))
	k := keys(f, "test.agekey", "hybrid.agekey")
	f.Fuzz(func(t *testing.T, data []byte, in, out uint8) {
		plain, err := k.Decrypt(sops.Content{Data: data, In: sops.Format(in % 5), Out: sops.Format(out % 5), Passed: len(data)%2 == 0})
		if err != nil && len(plain.Data) > 0 {
			t.Error("an error comes with content")
		}
	})
}
