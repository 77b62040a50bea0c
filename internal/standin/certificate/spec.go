package certificate

import (
	"cmp"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// defaultDuration is how long certificates are valid where nothing is said:
// 90 days, which is also what ACME servers give whatever is asked for.
const defaultDuration = 2160 * time.Hour

// certificateSpec is what is read of a Certificate.
type certificateSpec struct {
	SecretName            string           `json:"secretName"`
	CommonName            string           `json:"commonName"`
	DNSNames              []string         `json:"dnsNames"`
	IPAddresses           []string         `json:"ipAddresses"`
	URIs                  []string         `json:"uris"`
	EmailAddresses        []string         `json:"emailAddresses"`
	Duration              *metav1.Duration `json:"duration"`
	RenewBefore           *metav1.Duration `json:"renewBefore"`
	RenewBeforePercentage *int64           `json:"renewBeforePercentage"`
	IsCA                  bool             `json:"isCA"`
	Usages                []string         `json:"usages"`
	PrivateKey            struct {
		Algorithm      string `json:"algorithm"`
		Size           int    `json:"size"`
		Encoding       string `json:"encoding"`
		RotationPolicy string `json:"rotationPolicy"`
	} `json:"privateKey"`
	IssuerRef      issuerRef `json:"issuerRef"`
	SecretTemplate struct {
		Annotations map[string]string `json:"annotations"`
		Labels      map[string]string `json:"labels"`
	} `json:"secretTemplate"`
}

type issuerRef struct {
	Name  string `json:"name"`
	Kind  string `json:"kind"`
	Group string `json:"group"`
}

func (r issuerRef) kind() string  { return cmp.Or(r.Kind, "Issuer") }
func (r issuerRef) group() string { return cmp.Or(r.Group, group) }

// names returns the DNS names that are asked for, the common name included.
func (s certificateSpec) names() []string {
	names := slices.Clone(s.DNSNames)
	if s.CommonName != "" && len(s.IPAddresses)+len(s.URIs)+len(s.EmailAddresses) == 0 && !slices.Contains(names, s.CommonName) {
		names = append(names, s.CommonName)
	}
	return names
}

// life returns how long a certificate is to be valid.
func (s certificateSpec) life(acme bool) time.Duration {
	if s.Duration == nil || s.Duration.Duration <= 0 || acme {
		return defaultDuration
	}
	return s.Duration.Duration
}

// renewal returns when a certificate is renewed: renewBefore its end, or after
// two thirds of its life.
func (s certificateSpec) renewal(from, to time.Time) time.Time {
	life := to.Sub(from)
	before := life / 3
	switch {
	case s.RenewBefore != nil && s.RenewBefore.Duration > 0 && s.RenewBefore.Duration < life:
		before = s.RenewBefore.Duration
	case s.RenewBeforePercentage != nil && *s.RenewBeforePercentage > 0 && *s.RenewBeforePercentage < 100:
		before = time.Duration(float64(life) * float64(*s.RenewBeforePercentage) / 100)
	}
	return to.Add(-before).Truncate(time.Second)
}

// issuerSpec is what is read of an Issuer or ClusterIssuer.
type issuerSpec struct {
	ACME *struct {
		Server              string    `json:"server"`
		Email               string    `json:"email"`
		PrivateKeySecretRef secretRef `json:"privateKeySecretRef"`
		Solvers             []solver  `json:"solvers"`
	} `json:"acme"`
	CA *struct {
		SecretName string `json:"secretName"`
	} `json:"ca"`
	SelfSigned *struct{} `json:"selfSigned"`
}

type secretRef struct {
	Name string `json:"name"`
	Key  string `json:"key"`
}

type solver struct {
	DNS01 *struct {
		Cloudflare *struct {
			APITokenSecretRef *secretRef `json:"apiTokenSecretRef"`
			APIKeySecretRef   *secretRef `json:"apiKeySecretRef"`
		} `json:"cloudflare"`
	} `json:"dns01"`
	HTTP01 *struct{} `json:"http01"`
}

// dns01 returns the first solver that proves a domain by DNS; nil is none.
func (s issuerSpec) dns01() *solver {
	if s.ACME == nil {
		return nil
	}
	for i := range s.ACME.Solvers {
		if s.ACME.Solvers[i].DNS01 != nil {
			return &s.ACME.Solvers[i]
		}
	}
	return nil
}

// token returns the Secret's key with which Cloudflare is called; nil is none.
func (s *solver) token() *secretRef {
	if s == nil || s.DNS01.Cloudflare == nil {
		return nil
	}
	if ref := s.DNS01.Cloudflare.APITokenSecretRef; ref != nil {
		return ref
	}
	return s.DNS01.Cloudflare.APIKeySecretRef
}
