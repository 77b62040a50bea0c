package certificate

import (
	"crypto"
	"encoding/base64"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// https://cert-manager.io/docs/usage/certificate#renewal: after two thirds of
// the life, or renewBefore its end.
func TestRenewal(t *testing.T) {
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	to := from.Add(90 * time.Hour)
	percent := int64(10)
	for name, c := range map[string]struct {
		spec certificateSpec
		want time.Duration
	}{
		"two thirds":        {certificateSpec{}, 60 * time.Hour},
		"before its end":    {certificateSpec{RenewBefore: &metav1.Duration{Duration: time.Hour}}, 89 * time.Hour},
		"longer than life":  {certificateSpec{RenewBefore: &metav1.Duration{Duration: 1000 * time.Hour}}, 60 * time.Hour},
		"share of its life": {certificateSpec{RenewBeforePercentage: &percent}, 81 * time.Hour},
	} {
		if got := c.spec.renewal(from, to); got != from.Add(c.want) {
			t.Errorf("%s: %s after the beginning", name, got.Sub(from))
		}
	}
}

func TestKeysAreOfTheKindThatIsAskedFor(t *testing.T) {
	for _, c := range []struct {
		algorithm, encoding, block string
		size                       int
		bad                        bool
	}{
		{"", "", "RSA PRIVATE KEY", 0, false}, {"RSA", "PKCS8", "PRIVATE KEY", 2048, false},
		{"ECDSA", "", "EC PRIVATE KEY", 384, false}, {"Ed25519", "", "PRIVATE KEY", 0, false},
		{"RSA", "", "", 512, true}, {"ECDSA", "", "", 100, true}, {"DSA", "", "", 0, true},
	} {
		var s certificateSpec
		s.PrivateKey.Algorithm, s.PrivateKey.Size = c.algorithm, c.size
		key, err := newKey(s)
		if (err != nil) != c.bad {
			t.Errorf("%s %d: %v", c.algorithm, c.size, err)
		}
		if err != nil {
			continue
		}
		encoded, err := encodeKey(key, c.encoding)
		if err != nil {
			t.Fatal(err)
		}
		if want := "-----BEGIN " + c.block + "-----"; string(encoded[:len(want)]) != want {
			t.Errorf("%s %s is written in another form than %s", c.algorithm, c.encoding, c.block)
		}
		again, err := decodeKey(encoded)
		if err != nil {
			t.Fatalf("%s cannot be read again: %v", c.algorithm, err)
		}
		if public, ok := again.Public().(interface{ Equal(crypto.PublicKey) bool }); !ok || !public.Equal(key.Public()) {
			t.Errorf("%s is another key when it is read again", c.algorithm)
		}
	}
}

// https://cert-manager.io/docs/usage/certificate#reissuance-triggered-by-user-actions.
func TestSecretsAreJudged(t *testing.T) {
	s := certificateSpec{DNSNames: []string{"a.example.org"}, IssuerRef: issuerRef{Name: "i"}}
	s.PrivateKey.Algorithm = "ECDSA"
	key, err := newKey(s)
	if err != nil {
		t.Fatal(err)
	}
	a, err := newAuthority()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	template, err := templateOf(s, now.Add(-time.Hour), now.Add(defaultDuration))
	if err != nil {
		t.Fatal(err)
	}
	out, err := a.issue(template, key.Public(), true)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := encodeKey(key, "")
	if err != nil {
		t.Fatal(err)
	}
	secret := &unstructured.Unstructured{Object: map[string]any{"data": map[string]any{
		"tls.crt": base64.StdEncoding.EncodeToString(out.chain), "tls.key": base64.StdEncoding.EncodeToString(encoded),
	}}}
	secret.SetAnnotations(annotationsOf("c", s, out.leaf))
	with := func(change func(*certificateSpec, *unstructured.Unstructured)) (certificateSpec, *unstructured.Unstructured) {
		spec, copied := s, secret.DeepCopy()
		spec.DNSNames = slices.Clone(s.DNSNames)
		change(&spec, copied)
		return spec, copied
	}
	for want, change := range map[string]func(*certificateSpec, *unstructured.Unstructured){
		"": func(*certificateSpec, *unstructured.Unstructured) {},
		"RequestChanged": func(s *certificateSpec, _ *unstructured.Unstructured) {
			s.DNSNames = append(s.DNSNames, "b.example.org")
		},
		"IncorrectIssuer": func(s *certificateSpec, _ *unstructured.Unstructured) { s.IssuerRef.Name = "other" },
		"MissingData":     func(_ *certificateSpec, o *unstructured.Unstructured) { o.Object["data"] = map[string]any{} },
	} {
		spec, changed := with(change)
		if why, _ := judge(spec, changed, now); why.name != want {
			t.Errorf("judged as %q, want %q", why.name, want)
		}
	}
	if why, _ := judge(s, nil, now); why.name != "DoesNotExist" {
		t.Errorf("a Secret that is not there is %q", why.name)
	}
	if why, _ := judge(s, secret, now.Add(defaultDuration*5/6)); why.name != "Renewing" {
		t.Errorf("a certificate near its end is %q", why.name)
	}
	if why, _ := judge(s, secret, now.Add(2*defaultDuration)); why.name != "Expired" {
		t.Errorf("a certificate after its end is %q", why.name)
	}
}
