package gitsource

import (
	"context"
	"errors"
	"fmt"

	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/source/git"
	"hearth/internal/source/githubapp"
	"hearth/internal/source/guard"
)

// remote says how to reach a repository, with what its Secrets hold.
func (a *attempt) remote(ctx context.Context) (git.Remote, error) {
	obj := a.obj
	remote := git.Remote{URL: obj.Spec.URL, RefusePrivate: a.o.RefusePrivate}
	provider := obj.GetProvider()
	if provider != sourcev1.GitProviderGeneric && provider != sourcev1.GitProviderGitHub {
		return remote, &failure{
			reason: sourcev1.InvalidProviderConfigurationReason, stalled: true,
			err: fmt.Errorf("spec.provider: Hearth cannot sign in with the provider '%s'; use 'generic' with a token or a deploy key in spec.secretRef, or 'github' with the keys of a GitHub App", provider),
		}
	}
	if obj.Spec.ProxySecretRef != nil {
		data, err := a.secret(ctx, obj.Spec.ProxySecretRef.Name)
		if err == nil {
			remote.Proxy, err = guard.ProxyOf(data)
		}
		if err != nil {
			return remote, &failure{reason: sourcev1.AuthenticationFailedReason, err: fmt.Errorf("failed to configure proxy options: %w", err)}
		}
	}
	var data map[string][]byte
	if obj.Spec.SecretRef != nil {
		var err error
		if data, err = a.secret(ctx, obj.Spec.SecretRef.Name); err != nil {
			return remote, &failure{reason: sourcev1.AuthenticationFailedReason, err: err}
		}
	}
	isApp := len(data[githubapp.IDKey]) > 0
	if isApp && provider != sourcev1.GitProviderGitHub {
		return remote, &failure{
			reason: sourcev1.InvalidProviderConfigurationReason,
			err:    fmt.Errorf("secretRef '%s/%s' has github app data but provider is not set to github", obj.Namespace, obj.Spec.SecretRef.Name),
		}
	}
	if !isApp && provider == sourcev1.GitProviderGitHub {
		return remote, &failure{
			reason: sourcev1.InvalidProviderConfigurationReason,
			err:    errors.New("secretRef with github app data must be specified when provider is set to github"),
		}
	}
	credentials, err := git.CredentialsOf(obj.Spec.URL, data)
	if err != nil {
		return remote, authenticationFailed(err)
	}
	remote.Credentials = credentials
	if isApp {
		return remote, a.signInAsApp(ctx, &remote, data)
	}
	return remote, nil
}

func authenticationFailed(err error) error {
	if f, ok := fetchFailed(err).(*failure); ok && f.stalled { // the URL is at fault
		return f
	}
	return &failure{reason: sourcev1.AuthenticationFailedReason, err: fmt.Errorf("failed to configure authentication options: %w", err)}
}

// secret returns the data of a Secret beside the repository.
func (a *attempt) secret(ctx context.Context, name string) (map[string][]byte, error) {
	key := client.ObjectKey{Namespace: a.obj.Namespace, Name: name}
	secret := &corev1.Secret{}
	if err := a.client.Get(ctx, key, secret); err != nil {
		return nil, fmt.Errorf("failed to get secret '%s': %w", key, err)
	}
	return secret.Data, nil
}
