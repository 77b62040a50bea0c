package ocisource

import (
	"context"
	"fmt"

	"github.com/fluxcd/pkg/runtime/secrets"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/engine/sourcestate"
	"hearth/internal/source"
	"hearth/internal/source/guard"
	"hearth/internal/source/oci"
)

// authenticate fills in the credentials, certificates and the proxy that the
// spec names.
func (a *attempt) authenticate(ctx context.Context, want *source.ChartRequest) error {
	pull, err := a.pullSecrets(ctx)
	if err != nil {
		return unauthenticated("failed to get credential", err)
	}
	for i := range pull {
		logins, err := loginsOf(&pull[i])
		if err != nil {
			return unauthenticated("failed to get credential", err)
		}
		want.Logins = append(want.Logins, logins...)
	}
	spec := &a.obj.Spec
	if spec.Provider != "" && spec.Provider != sourcev1.GenericOCIProvider && len(want.Logins) == 0 {
		return &sourcestate.Error{
			Reason: sourcev1.InvalidProviderConfigurationReason, Stalled: true,
			Err: fmt.Errorf("spec.provider: Hearth cannot sign in with the provider '%s'; use 'generic' with registry credentials in spec.secretRef", spec.Provider),
		}
	}
	if ref := spec.ProxySecretRef; ref != nil {
		secret, err := a.secret(ctx, ref.Name)
		if err == nil {
			want.Proxy, err = guard.ProxyOf(secret.Data)
		}
		if err != nil {
			return unauthenticated("failed to get proxy address", err)
		}
	}
	if ref := spec.CertSecretRef; ref != nil {
		key := client.ObjectKey{Namespace: a.obj.Namespace, Name: ref.Name}
		if want.TLS, err = secrets.TLSConfigFromSecretRef(ctx, a.client, key, secrets.WithSystemCertPool()); err != nil {
			return unauthenticated("failed to generate transport for '"+spec.URL+"'", err)
		}
	}
	return nil
}

func unauthenticated(what string, err error) error {
	return &sourcestate.Error{Reason: sourcev1.AuthenticationFailedReason, Err: fmt.Errorf("%s: %w", what, err)}
}

// pullSecrets returns the Secrets that hold credentials: the spec's own, and
// those of its service account.
func (a *attempt) pullSecrets(ctx context.Context) ([]corev1.Secret, error) {
	var found []corev1.Secret
	if ref := a.obj.Spec.SecretRef; ref != nil {
		secret, err := a.secret(ctx, ref.Name)
		if err != nil {
			return nil, err
		}
		found = append(found, *secret)
	}
	if account := a.obj.Spec.ServiceAccountName; account != "" {
		more, err := secrets.PullSecretsFromServiceAccountRef(ctx, a.client, client.ObjectKey{Namespace: a.obj.Namespace, Name: account})
		if err != nil {
			return nil, err
		}
		found = append(found, more...)
	}
	return found, nil
}

// loginsOf takes the credentials out of a Secret for pulling.
func loginsOf(secret *corev1.Secret) (oci.Logins, error) {
	for _, key := range []string{corev1.DockerConfigJsonKey, corev1.DockerConfigKey} {
		content, ok := secret.Data[key]
		if !ok {
			continue
		}
		logins, err := oci.DockerLogins(content)
		if err != nil {
			return nil, fmt.Errorf("the key '%s' of secret '%s/%s': %w", key, secret.Namespace, secret.Name, err)
		}
		return logins, nil
	}
	return nil, fmt.Errorf("secret '%s/%s' has no key '%s'", secret.Namespace, secret.Name, corev1.DockerConfigJsonKey)
}

// secret returns a Secret beside the repository.
func (a *attempt) secret(ctx context.Context, name string) (*corev1.Secret, error) {
	key := client.ObjectKey{Namespace: a.obj.Namespace, Name: name}
	secret := &corev1.Secret{}
	if err := a.client.Get(ctx, key, secret); err != nil {
		return nil, fmt.Errorf("failed to get secret '%s': %w", key, err)
	}
	return secret, nil
}
