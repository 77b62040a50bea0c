package helmstore

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	releasev1 "helm.sh/helm/v4/pkg/release/v1"
)

// maxRecord bounds what a record may unpack to.
const maxRecord = 256 << 20

// Encode returns a record as Helm stores it: base64 of compressed JSON. Where
// the chart is given as a gzip member of its own JSON it is put in as it is:
// several members one after the other are one gzip file.
func Encode(rel *releasev1.Release, chartMember []byte) ([]byte, error) {
	if chartMember == nil {
		content, err := json.Marshal(rel)
		if err != nil {
			return nil, err
		}
		return base64Of(content)
	}
	bare := *rel
	bare.Chart = nil
	content, err := json.Marshal(&bare)
	if err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(content, []byte(`{"`)) {
		return nil, errors.New("the record is empty")
	}
	return base64Of([]byte(`{"chart":`), chartMember, append([]byte(","), content[1:]...))
}

// base64Of compresses the parts that are no gzip members yet, and joins all.
func base64Of(parts ...[]byte) ([]byte, error) {
	var buf bytes.Buffer
	for _, part := range parts {
		if bytes.HasPrefix(part, []byte{0x1f, 0x8b, 0x08}) {
			buf.Write(part)
			continue
		}
		zip := gzip.NewWriter(&buf)
		if _, err := zip.Write(part); err != nil {
			return nil, err
		}
		if err := zip.Close(); err != nil {
			return nil, err
		}
	}
	encoded := make([]byte, base64.StdEncoding.EncodedLen(buf.Len()))
	base64.StdEncoding.Encode(encoded, buf.Bytes())
	return encoded, nil
}

// Decode reads a record that Encode or Helm wrote.
func Decode(data []byte) (*releasev1.Release, error) {
	packed := make([]byte, base64.StdEncoding.DecodedLen(len(data)))
	n, err := base64.StdEncoding.Decode(packed, data)
	if err != nil {
		return nil, fmt.Errorf("decoding base64: %w", err)
	}
	content := packed[:n]
	if bytes.HasPrefix(content, []byte{0x1f, 0x8b, 0x08}) {
		if content, err = unzip(content); err != nil {
			return nil, err
		}
	}
	rel := &releasev1.Release{}
	if err := json.Unmarshal(content, rel); err != nil {
		return nil, fmt.Errorf("decoding JSON: %w", err)
	}
	if rel.Info == nil || rel.Name == "" {
		return nil, errors.New("it is no release record")
	}
	return rel, nil
}

func unzip(packed []byte) ([]byte, error) {
	zip, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("unpacking: %w", err)
	}
	defer zip.Close()
	content, err := io.ReadAll(io.LimitReader(zip, maxRecord+1))
	if err != nil {
		return nil, fmt.Errorf("unpacking: %w", err)
	}
	if len(content) > maxRecord {
		return nil, fmt.Errorf("it unpacks to more than %d MiB", maxRecord>>20)
	}
	return content, nil
}
