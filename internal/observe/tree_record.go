package observe

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/yaml"

	"hearth/internal/kube/objects"
)

// The bounds of a release's record.
const (
	maxRecord        = 64 << 20 // bytes, unpacked
	maxRecordObjects = 10_000
)

// recordName is the name of the Secret in which Helm keeps a release.
func recordName(name string, version int) string {
	return fmt.Sprintf("sh.helm.release.v1.%s.v%d", name, version)
}

var errRecord = errors.New("not a record of Helm")

// recorded lists the objects of a release from Helm's record of it: base64 of
// gzip of JSON with the manifest. Nothing but their names is kept, and no
// error quotes the record.
func recorded(data []byte) ([]objects.Key, error) {
	packed := make([]byte, base64.StdEncoding.DecodedLen(len(data)))
	n, err := base64.StdEncoding.Decode(packed, data)
	if err != nil {
		return nil, errRecord
	}
	var content io.Reader = bytes.NewReader(packed[:n])
	if bytes.HasPrefix(packed, []byte{0x1f, 0x8b}) {
		unpacked, err := gzip.NewReader(content)
		if err != nil {
			return nil, errRecord
		}
		content = unpacked
	}
	var release struct {
		Manifest string `json:"manifest"`
	}
	if err := json.NewDecoder(io.LimitReader(content, maxRecord)).Decode(&release); err != nil {
		return nil, errRecord
	}
	return manifestKeys(release.Manifest)
}

// manifestKeys lists the objects of a manifest in their order.
func manifestKeys(manifest string) ([]objects.Key, error) {
	var keys []objects.Key
	documents := yaml.NewYAMLOrJSONDecoder(bytes.NewReader([]byte(manifest)), 4096)
	for len(keys) < maxRecordObjects {
		var o metav1.PartialObjectMetadata
		switch err := documents.Decode(&o); {
		case errors.Is(err, io.EOF):
			return keys, nil
		case err != nil:
			return nil, errRecord
		case o.Kind == "" || o.Name == "":
			continue
		}
		keys = append(keys, objects.Key{
			GroupVersionKind: schema.FromAPIVersionAndKind(o.APIVersion, o.Kind),
			NamespacedName:   types.NamespacedName{Namespace: o.Namespace, Name: o.Name},
		})
	}
	return keys, nil
}
