package bucketsource

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/secrets"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/engine/sourcestate"
	"hearth/internal/source/bucket"
	"hearth/internal/source/guard"
)

// remote says how to reach a bucket, with what its Secrets hold.
func (a *attempt) remote(ctx context.Context) (bucket.Remote, error) {
	spec := &a.obj.Spec
	remote := bucket.Remote{
		Endpoint: spec.Endpoint, Insecure: spec.Insecure, Name: spec.BucketName,
		Region: spec.Region, Prefix: spec.Prefix, RefusePrivate: a.o.RefusePrivate,
	}
	if err := a.checkProvider(); err != nil {
		return remote, &sourcestate.Error{Reason: sourcev1.InvalidProviderConfigurationReason, Stalled: true, Err: err}
	}
	if err := checkSTS(spec); err != nil {
		return remote, &sourcestate.Error{Reason: sourcev1.InvalidSTSConfigurationReason, Stalled: true, Err: err}
	}
	for _, fill := range []func(context.Context, *bucket.Remote) error{a.keys, a.connection, a.ldap} {
		if err := fill(ctx, &remote); err != nil {
			return remote, &sourcestate.Error{Reason: sourcev1.AuthenticationFailedReason, Err: err}
		}
	}
	return remote, nil
}

// checkProvider refuses what only a cloud's own identity opens, or its own
// language.
func (a *attempt) checkProvider() error {
	spec := &a.obj.Spec
	switch provider := cmp.Or(spec.Provider, sourcev1.BucketProviderGeneric); {
	case provider == sourcev1.BucketProviderGoogle:
		return errors.New("spec.provider: Hearth does not speak Google's own protocol; use 'generic' with the endpoint storage.googleapis.com and HMAC keys in spec.secretRef")
	case provider == sourcev1.BucketProviderAzure:
		return errors.New("spec.provider: Hearth does not speak Azure's protocol; use 'generic' with an S3-compatible endpoint")
	case provider == sourcev1.BucketProviderAmazon && spec.SecretRef == nil:
		return errors.New("spec.provider: Hearth cannot sign in with the identity of 'aws'; name a Secret with 'accesskey' and 'secretkey' in spec.secretRef")
	}
	return nil
}

// checkSTS refuses what the API server refuses too, unless its definition is
// another.
func checkSTS(spec *sourcev1.BucketSpec) error {
	if spec.STS == nil {
		return nil
	}
	provider := cmp.Or(spec.Provider, sourcev1.BucketProviderGeneric)
	switch {
	case provider == sourcev1.BucketProviderGeneric && spec.STS.Provider != sourcev1.STSProviderLDAP,
		provider == sourcev1.BucketProviderAmazon && spec.STS.Provider != sourcev1.STSProviderAmazon:
		return fmt.Errorf("STS provider '%s' is not supported for '%s' bucket provider", spec.STS.Provider, provider)
	case spec.STS.Provider == sourcev1.STSProviderAmazon && spec.STS.SecretRef != nil:
		return errors.New("spec.sts.secretRef is not required for the 'aws' STS provider")
	case spec.STS.Provider == sourcev1.STSProviderAmazon && spec.STS.CertSecretRef != nil:
		return errors.New("spec.sts.certSecretRef is not required for the 'aws' STS provider")
	}
	return nil
}

func (a *attempt) keys(ctx context.Context, remote *bucket.Remote) error {
	data, err := a.secret(ctx, a.obj.Spec.SecretRef, "secret")
	if err != nil || data == nil {
		return err
	}
	access, hasAccess := data["accesskey"]
	secret, hasSecret := data["secretkey"]
	if !hasAccess || !hasSecret {
		return fmt.Errorf("invalid '%s' secret data: required fields 'accesskey' and 'secretkey'", a.obj.Spec.SecretRef.Name)
	}
	remote.AccessKey, remote.SecretKey = string(access), string(secret)
	return nil
}

// connection fills in the certificates and the proxy.
func (a *attempt) connection(ctx context.Context, remote *bucket.Remote) error {
	var err error
	if ref := a.obj.Spec.CertSecretRef; ref != nil {
		if remote.TLS, err = secrets.TLSConfigFromSecretRef(ctx, a.client, a.beside(ref), secrets.WithSystemCertPool()); err != nil {
			return fmt.Errorf("failed to get TLS config: %w", err)
		}
	}
	data, err := a.secret(ctx, a.obj.Spec.ProxySecretRef, "proxy secret")
	if err != nil || data == nil {
		return err
	}
	if remote.Proxy, err = guard.ProxyOf(data); err != nil {
		return fmt.Errorf("failed to get proxy URL: %w", err)
	}
	return nil
}

func (a *attempt) ldap(ctx context.Context, remote *bucket.Remote) error {
	sts := a.obj.Spec.STS
	if sts == nil || sts.Provider != sourcev1.STSProviderLDAP {
		return nil
	}
	remote.LDAP = &bucket.LDAP{Endpoint: sts.Endpoint}
	data, err := a.secret(ctx, sts.SecretRef, "STS secret")
	if err != nil {
		return err
	}
	if data != nil && (len(data["username"]) == 0 || len(data["password"]) == 0) {
		return fmt.Errorf("invalid '%s' secret data for 'ldap' STS provider: required fields username, password", sts.SecretRef.Name)
	}
	remote.LDAP.Username, remote.LDAP.Password = string(data["username"]), string(data["password"])
	if ref := sts.CertSecretRef; ref != nil {
		if remote.LDAP.TLS, err = secrets.TLSConfigFromSecretRef(ctx, a.client, a.beside(ref), secrets.WithSystemCertPool()); err != nil {
			return fmt.Errorf("failed to get STS TLS config: %w", err)
		}
	}
	return nil
}

// secret returns the data of a Secret beside the bucket; nil where none is
// named.
func (a *attempt) secret(ctx context.Context, ref *meta.LocalObjectReference, what string) (map[string][]byte, error) {
	if ref == nil {
		return nil, nil
	}
	secret := &corev1.Secret{}
	if err := a.client.Get(ctx, a.beside(ref), secret); err != nil {
		return nil, fmt.Errorf("failed to get %s '%s': %w", what, a.beside(ref), err)
	}
	if secret.Data == nil {
		return map[string][]byte{}, nil
	}
	return secret.Data, nil
}

func (a *attempt) beside(ref *meta.LocalObjectReference) client.ObjectKey {
	return client.ObjectKey{Namespace: a.obj.Namespace, Name: ref.Name}
}
