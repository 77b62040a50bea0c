package externalsecret

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/api/externalsecrets/keys"
	v1 "hearth/internal/api/externalsecrets/v1"
)

// inClusterProvider reads the Secrets of a namespace of this cluster.
type inClusterProvider struct {
	client    client.Reader
	namespace string
}

func openInCluster(c client.Reader, settings *v1.KubernetesProvider) (provider, error) {
	if s := settings.Server; s != nil && s.URL != "" && !strings.Contains(s.URL, "kubernetes.default") {
		return nil, fmt.Errorf("the store reads another cluster, at %s: Hearth reads its own only", s.URL)
	}
	return &inClusterProvider{c, remoteNamespace(settings)}, nil
}

func remoteNamespace(settings *v1.KubernetesProvider) string {
	if settings.RemoteNamespace == "" {
		return "default"
	}
	return settings.RemoteNamespace
}

func (p *inClusterProvider) capabilities() v1.Capabilities { return v1.ReadWrite }

func (p *inClusterProvider) validate(context.Context) error { return nil }

func (p *inClusterProvider) secret(ctx context.Context, name string) (*corev1.Secret, error) {
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

func (p *inClusterProvider) value(ctx context.Context, ref v1.RemoteRef, _ time.Time) ([]byte, error) {
	secret, err := p.secret(ctx, ref.Key)
	if err != nil {
		return nil, err
	}
	if ref.MetadataPolicy == v1.MetadataFetch {
		return json.Marshal(map[string]any{"labels": secret.Labels, "annotations": secret.Annotations})
	}
	if ref.Property == "" {
		return textJSON(secret.Data)
	}
	value, ok := secret.Data[ref.Property]
	if !ok {
		return nil, missingError(fmt.Sprintf("the Secret %s/%s has no key %s", p.namespace, ref.Key, ref.Property))
	}
	return value, nil
}

func (p *inClusterProvider) fields(ctx context.Context, ref v1.RemoteRef, since time.Time) (map[string][]byte, error) {
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
	return secret.Data, nil
}

func (p *inClusterProvider) find(ctx context.Context, f v1.Find, _ time.Time) (map[string][]byte, error) {
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
