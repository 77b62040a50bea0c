package bucket

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/fluxcd/pkg/sourceignore"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/s3utils"
)

// maxIgnore is how long the file with ignore rules may be.
const maxIgnore = 1 << 20

// Listing is what a bucket holds, less what is ignored.
type Listing struct {
	Index Index
	// Ignore is the content of the bucket's .sourceignore; nil where it has
	// none.
	Ignore []byte
}

// List asks for the objects of the bucket. What the bucket's own .sourceignore
// excludes and then what ignore does, which is written in the same form, does
// not count; nothing else is excluded. The error is ErrNotFound where there is
// no such bucket.
func (b *Bucket) List(ctx context.Context, ignore string) (*Listing, error) {
	if err := b.exists(ctx); err != nil {
		return nil, err
	}
	rules, err := b.ignoreFile(ctx)
	if err != nil {
		return nil, fmt.Errorf("failed to get Etag for '%s' object: %w", sourceignore.IgnoreFile, legible(err))
	}
	patterns := append(sourceignore.ReadPatterns(bytes.NewReader(rules), nil), sourceignore.ReadPatterns(strings.NewReader(ignore), nil)...)
	matcher := sourceignore.NewMatcher(patterns)
	index := Index{}
	var total int64
	err = b.visit(ctx, func(object minio.ObjectInfo) error {
		if strings.HasSuffix(object.Key, "/") || object.Key == sourceignore.IgnoreFile || matcher.Match(strings.Split(object.Key, "/"), false) {
			return nil
		}
		if object.Size > maxObjectBytes {
			return fmt.Errorf("the object %q is larger than %d MiB", cut(object.Key), maxObjectBytes>>20)
		}
		total += object.Size
		index[object.Key] = object.ETag
		if len(index) > maxObjects || total > maxTotalBytes {
			return fmt.Errorf("it holds more than %d objects or %d MiB", maxObjects, maxTotalBytes>>20)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("indexation of objects from bucket '%s' failed: %w", b.remote.Name, legible(err))
	}
	return &Listing{Index: index, Ignore: rules}, nil
}

// visit shows all objects below the prefix. It ends with the first error.
func (b *Bucket) visit(ctx context.Context, show func(minio.ObjectInfo) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop() // ends the listing where it is left
	seen := 0
	for object := range b.client.Client.ListObjects(ctx, b.remote.Name, minio.ListObjectsOptions{
		Recursive: true, Prefix: b.remote.Prefix, UseV1: s3utils.IsGoogleEndpoint(*b.client.EndpointURL()),
	}) {
		if object.Err != nil {
			return fmt.Errorf("listing objects from bucket '%s' failed: %w", b.remote.Name, object.Err)
		}
		// What is ignored must be listed, too.
		if seen++; seen > 10*maxObjects {
			return fmt.Errorf("it lists more than %d objects", 10*maxObjects)
		}
		if err := show(object); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (b *Bucket) ignoreFile(ctx context.Context) ([]byte, error) {
	body, _, _, err := b.client.GetObject(ctx, b.remote.Name, sourceignore.IgnoreFile, minio.GetObjectOptions{})
	if isGone(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer body.Close()
	content, err := io.ReadAll(io.LimitReader(body, maxIgnore+1))
	if err == nil && len(content) > maxIgnore {
		err = fmt.Errorf("it is larger than %d bytes", maxIgnore)
	}
	return content, err
}

// isGone reports an object that is not there.
func isGone(err error) bool {
	var response minio.ErrorResponse
	return errors.As(err, &response) && response.Code == minio.NoSuchKey
}
