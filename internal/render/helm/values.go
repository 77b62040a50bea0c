package helm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"github.com/fluxcd/pkg/apis/meta"
	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/strvals"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// Values are a release's values, and which of their leaves are secret.
type Values struct {
	Map     map[string]any
	Secrets Secrets
}

// Reader returns the data of a ConfigMap or Secret in the release's namespace.
// An error for which apierrors.IsNotFound is true says that there is none.
type Reader func(ctx context.Context, kind, name string) (map[string][]byte, error)

// Compose merges what the references supply, in their order, and then the
// release's own values over it, as Flux does. The maps given are not changed.
func Compose(ctx context.Context, values map[string]any, refs []meta.ValuesReference, read Reader) (Values, error) {
	v := Values{Map: map[string]any{}}
	for _, ref := range refs {
		data, err := read(ctx, ref.Kind, ref.Name)
		if apierrors.IsNotFound(err) && ref.Optional {
			continue
		}
		if err != nil {
			return Values{}, fmt.Errorf("could not find %s '%s': %w", ref.Kind, ref.Name, err)
		}
		content, ok := data[ref.GetValuesKey()]
		if !ok && ref.Optional {
			continue
		}
		if !ok {
			return Values{}, fmt.Errorf("missing key '%s' in %s '%s'", ref.GetValuesKey(), ref.Kind, ref.Name)
		}
		if err := v.add(ref, content); err != nil {
			return Values{}, err
		}
	}
	v.Map = Merge(v.Map, values)
	return v, nil
}

func (v *Values) add(ref meta.ValuesReference, content []byte) error {
	if ref.TargetPath != "" {
		if ref.Kind == "Secret" {
			v.Secrets.Add(string(content))
		}
		if err := setPath(v.Map, ref, string(content)); err != nil {
			// The cause would cite the value.
			return fmt.Errorf("unable to merge value from key '%s' in %s '%s' into target path '%s'",
				ref.GetValuesKey(), ref.Kind, ref.Name, ref.TargetPath)
		}
		return nil
	}
	supplied, err := common.ReadValues(content)
	if err != nil {
		if ref.Kind == "Secret" {
			return fmt.Errorf("unable to read values from key '%s' in Secret '%s': it is no YAML mapping", ref.GetValuesKey(), ref.Name)
		}
		return fmt.Errorf("unable to read values from key '%s' in %s '%s': %w", ref.GetValuesKey(), ref.Kind, ref.Name, err)
	}
	if ref.Kind == "Secret" {
		v.Secrets.addLeaves(supplied.AsMap())
	}
	v.Map = Merge(v.Map, supplied)
	return nil
}

// setPath sets one value the way `helm --set` does; a quoted value stays text.
func setPath(values map[string]any, ref meta.ValuesReference, value string) error {
	if ref.Literal {
		return strvals.ParseLiteralInto(ref.TargetPath+"="+value, values)
	}
	for _, quote := range []string{"'", `"`} {
		if len(value) > 1 && strings.HasPrefix(value, quote) && strings.HasSuffix(value, quote) {
			return strvals.ParseIntoString(ref.TargetPath+"="+strings.Trim(value, quote), values)
		}
	}
	return strvals.ParseInto(ref.TargetPath+"="+value, values)
}

// Merge returns a with b merged over it: maps are merged, anything else of b
// replaces what a has. Neither is changed.
func Merge(a, b map[string]any) map[string]any {
	merged := make(map[string]any, len(a)+len(b))
	maps.Copy(merged, a)
	for key, over := range b {
		if overMap, ok := over.(map[string]any); ok {
			if underMap, ok := merged[key].(map[string]any); ok {
				merged[key] = Merge(underMap, overMap)
				continue
			}
		}
		merged[key] = over
	}
	return merged
}

// DigestValues names values by content: "sha256:…" of their canonical JSON, so
// that values read back from a release record have the digest they were stored
// with. No values at all digest as nothing.
func DigestValues(values map[string]any) (string, error) {
	var canonical []byte
	if len(values) > 0 {
		var err error
		if canonical, err = json.Marshal(values); err != nil {
			return "", fmt.Errorf("digesting values: %w", err)
		}
	}
	sum := sha256.Sum256(canonical)
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}
