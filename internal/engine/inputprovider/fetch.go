package inputprovider

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/fluxcd/pkg/runtime/secrets"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fluxcdv1 "hearth/internal/api/fluxcd/v1"
	"hearth/internal/domain"
	"hearth/internal/render/resourceset"
	"hearth/internal/source/githubapp"
	"hearth/internal/source/guard"
)

// fetch returns the sets of inputs that a provider finds.
func (w *walk) fetch(ctx context.Context, defaults map[string]any) ([]map[string]any, error) {
	spec := w.Object.Spec
	f, err := newFilter(spec.Filter)
	if err != nil {
		return nil, err
	}
	switch spec.Type {
	case fluxcdv1.StaticInputs:
		return []map[string]any{{"id": resourceset.ID(string(w.Object.UID))}}, nil
	case fluxcdv1.ExternalArtifactInputs:
		return w.artifacts(ctx, f)
	}
	if w.o.Offline {
		return w.assume(defaults), nil
	}
	if isCloud(spec.Type) {
		return nil, fmt.Errorf("spec.type %s logs in with the identity of a cloud, which Hearth has none of", spec.Type)
	}
	c, err := w.connect(ctx)
	if err != nil {
		return nil, err
	}
	switch spec.Type {
	case fluxcdv1.OCIArtifactTagInputs:
		return w.ociTags(ctx, c, f)
	case fluxcdv1.ExternalServiceInputs:
		return w.service(ctx, c, f)
	}
	return w.repository(ctx, c, f)
}

func isCloud(kind string) bool {
	return strings.HasPrefix(kind, "AWSCodeCommit") || slices.Contains([]string{"ACRArtifactTag", "ECRArtifactTag", "GARArtifactTag"}, kind)
}

// assume makes up what a provider that cannot be asked might export: one tag or
// branch, no requests and no environments.
func (w *walk) assume(defaults map[string]any) []map[string]any {
	const commit, digest = "0000000000000000000000000000000000000000", "sha256:0000000000000000000000000000000000000000000000000000000000000000"
	spec := w.Object.Spec
	var sets []map[string]any
	switch {
	case strings.HasSuffix(spec.Type, "ArtifactTag"):
		sets = []map[string]any{{"id": resourceset.ID("0.0.0"), "tag": "0.0.0", "digest": digest}}
	case strings.HasSuffix(spec.Type, "Tag"):
		sets = []map[string]any{{"id": resourceset.ID("0.0.0"), "tag": "0.0.0", "sha": commit}}
	case strings.HasSuffix(spec.Type, "Branch"):
		sets = []map[string]any{{"id": resourceset.ID("main"), "branch": "main", "sha": commit}}
	case spec.Type == fluxcdv1.ExternalServiceInputs && len(defaults) > 0:
		sets = []map[string]any{{"id": resourceset.ID(string(w.Object.UID))}}
	}
	what := "no inputs"
	for _, set := range sets {
		for name, value := range defaults {
			set[name] = value
		}
		what = "one set of inputs, with the default values"
	}
	w.o.Assumptions.Add(domain.AssumedInputs, "ResourceSetInputProvider "+w.Key.String(), fmt.Sprintf("%s %s is not asked offline: %s", spec.Type, spec.URL, what))
	return sets
}

// connection is how a provider's server is spoken to.
type connection struct {
	url    *url.URL
	tls    *tls.Config
	secret map[string][]byte
	http   *http.Client
	tokens *githubapp.Tokens
}

// connect reads the Secrets of a provider.
func (w *walk) connect(ctx context.Context) (*connection, error) {
	spec := w.Object.Spec
	u, err := url.Parse(spec.URL)
	if err != nil || u.Hostname() == "" || u.User != nil {
		return nil, errors.New("spec.url is no URL of a host, without a user")
	}
	c := &connection{url: u, tokens: &w.tokens}
	if spec.SecretRef != nil {
		var secret corev1.Secret
		key := client.ObjectKey{Namespace: w.Key.Namespace, Name: spec.SecretRef.Name}
		if err := w.client.Get(ctx, key, &secret); err != nil {
			return nil, fmt.Errorf("failed to read secret '%s': %w", key, err)
		}
		if c.secret = secret.Data; c.secret == nil {
			c.secret = map[string][]byte{} // one without keys is not none
		}
	}
	if spec.CertSecretRef != nil {
		key := types.NamespacedName{Namespace: w.Key.Namespace, Name: spec.CertSecretRef.Name}
		if c.tls, err = secrets.TLSConfigFromSecretRef(ctx, w.client, key); err != nil {
			return nil, err
		}
	}
	c.http = &http.Client{
		Transport: guard.New(u, w.o.RefusePrivate).Transport(c.tls, nil),
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) > maxRedirects || r.URL.Host != via[0].URL.Host || r.URL.Scheme != via[0].URL.Scheme {
				return errors.New("it leads to another server")
			}
			return nil
		},
	}
	return c, nil
}

// value returns a field of the Secret; an error names the field only.
func (c *connection) value(name string) (string, error) {
	value, ok := c.secret[name]
	if !ok {
		return "", fmt.Errorf("invalid secret: key '%s' is missing", name)
	}
	return strings.TrimSpace(string(value)), nil
}
