package externalsecret

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/api/externalsecrets/keys"
	v1 "hearth/internal/api/externalsecrets/v1"
)

// clusterProvider reads and writes the Secrets of a namespace, of this cluster
// or of another.
type clusterProvider struct {
	client    client.Client
	live      client.Reader // past the cache
	namespace string
	other     string // the server of another cluster; empty for this one
	global    bool   // the store is a ClusterSecretStore
}

// isOwn reports whether a store reads the cluster that it is in.
func isOwn(settings *v1.KubernetesProvider) bool {
	return settings.AuthRef == nil && (settings.Server == nil || settings.Server.URL == "" || strings.Contains(settings.Server.URL, "kubernetes.default"))
}

func remoteNamespace(settings *v1.KubernetesProvider) string {
	if settings.RemoteNamespace == "" {
		return "default"
	}
	return settings.RemoteNamespace
}

func (p *clusterProvider) capabilities() v1.Capabilities { return v1.ReadWrite }

// validate asks another cluster for one Secret; this one needs no proof.
func (p *clusterProvider) validate(ctx context.Context) error {
	if p.other == "" {
		return nil
	}
	var list corev1.SecretList
	if err := p.client.List(ctx, &list, client.InNamespace(p.namespace), client.Limit(1)); err != nil {
		return fmt.Errorf("the cluster at %s does not let its Secrets in the namespace %s be read: %w", p.other, p.namespace, err)
	}
	return nil
}

func (p *clusterProvider) secret(ctx context.Context, name string) (*corev1.Secret, error) {
	secret := &corev1.Secret{}
	err := p.client.Get(ctx, types.NamespacedName{Namespace: p.namespace, Name: name}, secret)
	if apierrors.IsNotFound(err) {
		return nil, missingError(fmt.Sprintf("no Secret %q in namespace %s", name, p.namespace))
	}
	if err != nil {
		return nil, fmt.Errorf("read the Secret %s/%s: %w", p.namespace, name, err)
	}
	return secret, nil
}

func (p *clusterProvider) value(ctx context.Context, ref v1.RemoteRef, _ time.Time) ([]byte, error) {
	secret, err := p.secret(ctx, ref.Key)
	if err != nil {
		return nil, err
	}
	if ref.MetadataPolicy == v1.MetadataFetch {
		return p.metadata(secret, ref.Property)
	}
	if ref.Property == "" {
		return textJSON(secret.Data)
	}
	if value, ok := secret.Data[ref.Property]; ok {
		return value, nil
	}
	if key, path, nested := strings.Cut(ref.Property, "."); nested {
		if value, ok := jsonPath(secret.Data[key], path); ok {
			return value, nil
		}
	}
	return nil, missingError(fmt.Sprintf("the Secret %s/%s has no key %s", p.namespace, ref.Key, ref.Property))
}

// metadata returns the labels and annotations of a Secret, or one of them, such
// as "labels.app".
func (p *clusterProvider) metadata(secret *corev1.Secret, property string) ([]byte, error) {
	all := map[string]map[string]string{"labels": secret.Labels, "annotations": secret.Annotations}
	if property == "" {
		return json.Marshal(all)
	}
	part, key, one := strings.Cut(property, ".")
	values, known := all[part]
	if known && !one {
		return json.Marshal(values)
	}
	if value, ok := values[key]; ok {
		return []byte(value), nil
	}
	return nil, missingError(fmt.Sprintf("the Secret %s/%s has no metadata %s", p.namespace, secret.Name, property))
}

// jsonPath takes a value out of a JSON text, by keys and indexes with dots
// between them.
func jsonPath(text []byte, path string) ([]byte, bool) {
	var v any
	if json.Unmarshal(text, &v) != nil {
		return nil, false
	}
	for step := range strings.SplitSeq(path, ".") {
		switch at := v.(type) {
		case map[string]any:
			v = at[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(at) {
				return nil, false
			}
			v = at[i]
		default:
			return nil, false
		}
	}
	if v == nil {
		return nil, false
	}
	out, err := keys.Bytes(v)
	return out, err == nil
}

func (p *clusterProvider) fields(ctx context.Context, ref v1.RemoteRef, since time.Time) (map[string][]byte, error) {
	if ref.Property != "" {
		value, err := p.value(ctx, ref, since)
		if err != nil {
			return nil, err
		}
		return jsonFields(value, fmt.Sprintf("the key %s of the Secret %s/%s", ref.Property, p.namespace, ref.Key))
	}
	secret, err := p.secret(ctx, ref.Key)
	if err != nil {
		return nil, err
	}
	if ref.MetadataPolicy == v1.MetadataFetch {
		content, err := p.metadata(secret, "")
		if err != nil {
			return nil, err
		}
		return jsonFields(content, "the metadata of the Secret "+ref.Key)
	}
	return secret.Data, nil
}

func (p *clusterProvider) find(ctx context.Context, f v1.Find, _ time.Time) (map[string][]byte, error) {
	keep, err := nameFilter(f.Name)
	if err != nil {
		return nil, err
	}
	var list corev1.SecretList
	if err := p.client.List(ctx, &list, client.InNamespace(p.namespace), client.MatchingLabels(f.Tags)); err != nil {
		return nil, fmt.Errorf("list the Secrets of namespace %s: %w", p.namespace, err)
	}
	out := map[string][]byte{}
	for i := range list.Items {
		if secret := &list.Items[i]; keep(secret.Name) {
			if out[secret.Name], err = textJSON(secret.Data); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// textJSON returns a mapping of texts as JSON.
func textJSON(data map[string][]byte) ([]byte, error) {
	texts := make(map[string]string, len(data))
	for key, value := range data {
		texts[key] = string(value)
	}
	return json.Marshal(texts)
}

// jsonFields takes a JSON mapping apart; what names it in errors.
func jsonFields(value []byte, what string) (map[string][]byte, error) {
	var content map[string]any
	if json.Unmarshal(value, &content) != nil {
		return nil, fmt.Errorf("%s holds no JSON mapping", what)
	}
	out := make(map[string][]byte, len(content))
	for key, part := range content {
		data, err := keys.Bytes(part)
		if err != nil {
			return nil, fmt.Errorf("%s: the value of %q has no JSON form", what, key)
		}
		out[key] = data
	}
	return out, nil
}
