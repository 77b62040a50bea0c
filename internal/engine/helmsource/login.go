package helmsource

import (
	"context"
	"fmt"

	"github.com/fluxcd/pkg/runtime/secrets"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/source"
	"hearth/internal/source/oci"
)

// request turns a repository's spec into what is asked of source.Charts.
func request(ctx context.Context, c client.Client, obj *sourcev1.HelmRepository) (source.ChartRequest, error) {
	spec := &obj.Spec
	want := source.ChartRequest{
		URL: spec.URL, PassCredentials: spec.PassCredentials, Timeout: obj.GetTimeout(),
		Insecure: spec.Insecure && spec.Type == sourcev1.HelmRepositoryTypeOCI,
	}
	if spec.SecretRef == nil && spec.Type == sourcev1.HelmRepositoryTypeOCI && spec.Provider != "" && spec.Provider != sourcev1.GenericOCIProvider {
		return want, fmt.Errorf("spec.provider: Hearth cannot sign in with the provider '%s'; use 'generic' with registry credentials in spec.secretRef", spec.Provider)
	}
	if spec.CertSecretRef != nil {
		secret, err := read(ctx, c, obj.Namespace, spec.CertSecretRef.Name, "TLS authentication")
		if err != nil {
			return want, err
		}
		if want.TLS, err = secrets.TLSConfigFromSecret(ctx, secret, secrets.WithSystemCertPool()); err != nil {
			return want, fmt.Errorf("failed to construct Helm client's TLS config: %w", err)
		}
	}
	if spec.SecretRef == nil {
		return want, nil
	}
	secret, err := read(ctx, c, obj.Namespace, spec.SecretRef.Name, "authentication")
	if err != nil {
		return want, err
	}
	return want, login(ctx, secret, spec.Type, &want)
}

// login fills in what a Secret holds: a name and password, the logins to
// registries, or certificates as they were kept there once.
func login(ctx context.Context, secret *corev1.Secret, kind string, want *source.ChartRequest) error {
	if content, ok := secret.Data[corev1.DockerConfigJsonKey]; ok && kind == sourcev1.HelmRepositoryTypeOCI {
		logins, err := oci.DockerLogins(content)
		if err != nil {
			return fmt.Errorf("failed to configure OCI registry authentication: the key '%s' of secret '%s/%s': %w", corev1.DockerConfigJsonKey, secret.Namespace, secret.Name, err)
		}
		want.Logins = logins
		return nil
	}
	methods, err := secrets.AuthMethodsFromSecret(ctx, secret, secrets.WithTLSSystemCertPool())
	if err != nil {
		return fmt.Errorf("failed to detect authentication methods: %w", err)
	}
	if methods.HasBasicAuth() {
		want.Username, want.Password = methods.Basic.Username, methods.Basic.Password
	}
	if want.TLS == nil && methods.HasTLS() {
		want.TLS = methods.TLS
	}
	return nil
}

func read(ctx context.Context, c client.Client, namespace, name, what string) (*corev1.Secret, error) {
	key := client.ObjectKey{Namespace: namespace, Name: name}
	secret := &corev1.Secret{}
	if err := c.Get(ctx, key, secret); err != nil {
		return nil, fmt.Errorf("failed to get %s secret '%s': %w", what, key, err)
	}
	return secret, nil
}
