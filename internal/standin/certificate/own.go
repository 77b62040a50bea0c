package certificate

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"hearth/internal/standin/operator"
)

// seeRequest signs a request that somebody has made by hand. Those of
// Certificates are seen to with these.
func (p *player) seeRequest(ctx context.Context, v *operator.Visit) error {
	if metav1.GetControllerOfNoCopy(v.Object) != nil || isReady(v.Object) {
		return nil
	}
	request, err := spec[struct {
		Request   string    `json:"request"`
		IssuerRef issuerRef `json:"issuerRef"`
	}](v.Object)
	if err != nil {
		v.Refuse(err)
		return nil
	}
	issuer, err := issuerOf(ctx, v, request.IssuerRef)
	if err != nil || issuer == nil || !isReady(issuer) {
		return err
	}
	status := operator.Status(v.Object)
	out, err := p.signRequest(ctx, v, issuer, request.Request)
	if err != nil {
		operator.Conditions(status, v.Object.GetGeneration(), operator.Condition{Type: "Ready", Status: "False", Reason: "Failed", Message: err.Error()})
		_, err = v.WriteStatus(ctx, status)
		return err
	}
	v.Assume()
	status["certificate"] = base64.StdEncoding.EncodeToString(out.chain)
	if len(out.ca) > 0 {
		status["ca"] = base64.StdEncoding.EncodeToString(out.ca)
	}
	operator.Conditions(status, v.Object.GetGeneration(),
		operator.Condition{Type: "Approved", Reason: "cert-manager.io", Message: approved},
		operator.Condition{Type: "Ready", Reason: "Issued", Message: "Certificate fetched from issuer successfully"})
	_, err = v.WriteStatus(ctx, status)
	return err
}

func (p *player) signRequest(ctx context.Context, v *operator.Visit, issuer *unstructured.Unstructured, text string) (*issued, error) {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, errNoRequest
	}
	block, _ := pem.Decode(raw)
	if block == nil {
		return nil, errNoRequest
	}
	csr, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil || csr.CheckSignature() != nil {
		return nil, errNoRequest
	}
	own, err := spec[issuerSpec](issuer)
	if err != nil {
		return nil, err
	}
	now := time.Now().Truncate(time.Second)
	template, err := templateOf(certificateSpec{CommonName: csr.Subject.CommonName, DNSNames: csr.DNSNames}, now, now.Add(defaultDuration))
	if err != nil {
		return nil, err
	}
	template.IPAddresses, template.URIs, template.EmailAddresses = csr.IPAddresses, csr.URIs, csr.EmailAddresses
	signer := p.authority
	if own.CA != nil {
		secret, err := v.Find(ctx, secretKind, homeOf(v, issuer), own.CA.SecretName)
		if err != nil || secret == nil {
			return nil, errNoRequest
		}
		if signer, err = authorityOf(secret); err != nil {
			return nil, err
		}
	}
	return signer.issue(template, csr.PublicKey, own.ACME == nil)
}
