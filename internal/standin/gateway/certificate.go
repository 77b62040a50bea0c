package gateway

import (
	"context"
	"crypto/tls"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"hearth/internal/domain"
	"hearth/internal/kube/routing"
	"hearth/internal/standin/gateway/echo"
)

// certificates returns what a listener terminates TLS with, and judges the
// Secrets that it names.
func (e *edge) certificates(ctx context.Context, gateway *gatewayv1.Gateway, l gatewayv1.Listener) ([]tls.Certificate, routing.Verdict, error) {
	resolved := routing.Verdict{OK: true, Reason: string(gatewayv1.ListenerReasonResolvedRefs), Message: "Listener references have been resolved"}
	terminates := l.Protocol == gatewayv1.HTTPSProtocolType || l.Protocol == gatewayv1.TLSProtocolType && !passesThrough(l)
	if !terminates {
		return nil, resolved, nil
	}
	if l.TLS == nil || len(l.TLS.CertificateRefs) == 0 {
		return nil, invalidCertificate("The listener terminates TLS and names no certificate."), nil
	}
	var pairs []tls.Certificate
	for _, ref := range l.TLS.CertificateRefs {
		pair, verdict, err := e.certificate(ctx, gateway, ref)
		if err != nil || !verdict.OK {
			return nil, verdict, err
		}
		pairs = append(pairs, pair)
	}
	return pairs, resolved, nil
}

func invalidCertificate(format string, args ...any) routing.Verdict {
	return routing.Verdict{Reason: string(gatewayv1.ListenerReasonInvalidCertificateRef), Message: fmt.Sprintf(format, args...)}
}

// certificate reads one certificate of a listener.
func (e *edge) certificate(ctx context.Context, gateway *gatewayv1.Gateway, ref gatewayv1.SecretObjectReference) (tls.Certificate, routing.Verdict, error) {
	if ref.Group != nil && *ref.Group != "" || ref.Kind != nil && *ref.Kind != "Secret" {
		return tls.Certificate{}, invalidCertificate("Certificate ref %s is no Secret.", ref.Name), nil
	}
	key := client.ObjectKey{Namespace: gateway.Namespace, Name: string(ref.Name)}
	if ref.Namespace != nil {
		key.Namespace = string(*ref.Namespace)
	}
	if key.Namespace != gateway.Namespace {
		ok, err := e.judge.Granted(ctx, routing.Reference{
			FromGroup: gatewayv1.GroupName, FromKind: "Gateway", FromNamespace: gateway.Namespace, ToKind: "Secret", To: key,
		})
		if err != nil {
			return tls.Certificate{}, routing.Verdict{}, err
		}
		if !ok {
			return tls.Certificate{}, routing.Verdict{
				Reason: string(gatewayv1.ListenerReasonRefNotPermitted), Message: fmt.Sprintf("Certificate ref to secret %s not permitted by any ReferenceGrant.", key),
			}, nil
		}
	}
	secret := &corev1.Secret{}
	err := e.client.Get(ctx, key, secret, client.UnsafeDisableDeepCopy)
	if apierrors.IsNotFound(err) {
		return tls.Certificate{}, invalidCertificate("Secret %s does not exist.", key), nil
	}
	if err != nil {
		return tls.Certificate{}, routing.Verdict{}, err
	}
	pair, err := tls.X509KeyPair(secret.Data[corev1.TLSCertKey], secret.Data[corev1.TLSPrivateKeyKey])
	if err != nil && e.isMadeUp(secret) {
		e.Assumptions.Add(domain.AssumedSecret, "Secret "+key.String(), "it holds made-up values instead of a certificate: the gateway serves another one")
		pair, err = echo.OwnCertificate()
	}
	if err != nil { // whose text might tell of the key
		return tls.Certificate{}, invalidCertificate("Secret %s has no certificate in tls.crt with its key in tls.key.", key), nil
	}
	return pair, routing.Verdict{OK: true}, nil
}

// isMadeUp reports whether a Secret's values may be made up.
func (e *edge) isMadeUp(secret *corev1.Secret) bool {
	return e.MadeUpSecrets && slices.ContainsFunc(secret.OwnerReferences, func(o metav1.OwnerReference) bool { return o.Kind == "ExternalSecret" })
}
