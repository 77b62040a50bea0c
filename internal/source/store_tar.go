package source

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"time"
)

// tarDigest digests files as the tar.gz that is served for them.
type tarDigest struct {
	hash hash.Hash
	size countingWriter
	zip  *gzip.Writer
	tar  *tar.Writer
}

func newTarDigest() *tarDigest {
	d := &tarDigest{hash: sha256.New()}
	d.zip, d.tar = newTarGz(io.MultiWriter(d.hash, &d.size))
	return d
}

func (d *tarDigest) add(rel string, executable bool, content []byte) error {
	if err := d.tar.WriteHeader(tarHeader(rel, executable, int64(len(content)))); err != nil {
		return err
	}
	_, err := d.tar.Write(content)
	return err
}

func (d *tarDigest) sum() (digest string, size int64, err error) {
	if err := errors.Join(d.tar.Close(), d.zip.Close()); err != nil {
		return "", 0, err
	}
	return hex.EncodeToString(d.hash.Sum(nil)), int64(d.size), nil
}

// newTarGz writes without compression, so that the bytes depend on the content
// alone and making them costs next to nothing.
func newTarGz(w io.Writer) (*gzip.Writer, *tar.Writer) {
	zip, err := gzip.NewWriterLevel(w, gzip.NoCompression)
	if err != nil {
		panic(err) // the level is valid
	}
	return zip, tar.NewWriter(zip)
}

// tarHeader holds nothing that depends on when or by whom a file was written.
func tarHeader(rel string, executable bool, size int64) *tar.Header {
	mode := int64(0o644)
	if executable {
		mode = 0o755
	}
	return &tar.Header{Typeflag: tar.TypeReg, Name: rel, Size: size, Mode: mode, ModTime: time.Unix(0, 0), Format: tar.FormatPAX}
}

type countingWriter int64

func (c *countingWriter) Write(p []byte) (int, error) {
	*c += countingWriter(len(p))
	return len(p), nil
}
