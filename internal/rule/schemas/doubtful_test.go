package schemas

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hearth/internal/rule"
)

// release is the version of an operator, which moves on.
var release = regexp.MustCompile(` v[0-9]+\.[0-9]+\.[0-9]+`)

// anyRelease puts X in the place of the versions of operators.
func anyRelease(text string) string { return release.ReplaceAllString(text, " vX") }

// certificate is one in a homelab that does not have its definition.
func certificate(spec string) string {
	return "-- kubernetes/main/apps/a.yaml --\n" +
		"apiVersion: cert-manager.io/v1\n" +
		"kind: Certificate\n" +
		"metadata: {name: web, namespace: home}\n" +
		"spec:\n" +
		"  secretName: web\n" + spec
}

// TestCarriedDefinitions judges by definitions that Hearth carries: only by
// what hardly differs between releases, never as an error, and naming the
// release.
func TestCarriedDefinitions(t *testing.T) {
	const (
		one  = "the definitions that Hearth carries do not know 1 field or value, which a later release may know: "
		some = "the definitions that Hearth carries do not know %d fields or values, which a later release may know: %s"
	)
	many, noted := "", []string{}
	for i := range 7 {
		many += fmt.Sprintf("  horizon-%d: 1\n", i)
		noted = append(noted, fmt.Sprintf("`spec.horizon-%d` of Certificate home/web (cert-manager vX)", i))
	}
	for name, test := range map[string]struct {
		archive  string
		findings []string
		notes    []string
	}{
		"right": {certificate("  issuerRef: {name: web}\n"), nil, nil},
		"misspelt": {certificate("  issuerRef: {name: web}\n  duraton: 1h\n"), []string{
			"kubernetes/main/apps/a.yaml:7: unknown field `duraton` in `spec`: did you mean `duration`, by the definition of cert-manager vX that Hearth carries",
		}, nil},
		"wrong type": {certificate("  issuerRef: {name: web}\n  dnsNames: web.example.test\n"), []string{
			"kubernetes/main/apps/a.yaml:7: `spec.dnsNames` is a text; a list is wanted, by the definition of cert-manager vX that Hearth carries",
		}, nil},
		"missing": {certificate(""), []string{
			"kubernetes/main/apps/a.yaml:4: `spec.issuerRef` is missing, by the definition of cert-manager vX that Hearth carries",
		}, nil},
		"of a later release": {certificate("  issuerRef: {name: web}\n  horizon: 1\n  privateKey: {algorithm: Falcon}\n"), nil, []string{
			fmt.Sprintf(some, 2, "`spec.horizon` of Certificate home/web (cert-manager vX), `spec.privateKey.algorithm` of Certificate home/web (cert-manager vX)"),
		}},
		"another field will do": {certificate("  issuer: web\n  dnsNames: web.example.test\n"), []string{
			"kubernetes/main/apps/a.yaml:7: `spec.dnsNames` is a text; a list is wanted, by the definition of cert-manager vX that Hearth carries",
		}, []string{
			one + "`spec.issuer` of Certificate home/web (cert-manager vX)",
		}},
		"many": {certificate("  issuerRef: {name: web}\n" + many), nil, []string{
			fmt.Sprintf(some, 7, strings.Join(noted[:5], ", ")+", and 2 more"),
		}},
		"the tree has its own": {certificate("  horizon: late\n") + `---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: certificates.cert-manager.io}
spec:
  group: cert-manager.io
  scope: Namespaced
  names: {kind: Certificate, plural: certificates, singular: certificate, listKind: CertificateList}
  versions:
    - name: v1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {secretName: {type: string}, horizon: {type: integer}}}}}}
`, []string{"kubernetes/main/apps/a.yaml:6: `spec.horizon` is a text; a whole number is wanted"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			pass := run(t, config+test.archive)
			var findings, notes []string
			for _, f := range pass.Findings() {
				findings = append(findings, fmt.Sprintf("%s: %s", f.Place, anyRelease(f.Message)))
				if carried := strings.Contains(f.Message, "Hearth carries"); carried != (f.Severity == rule.Warning) {
					t.Errorf("%s: %s", f.Severity, f.Message)
				}
			}
			for _, note := range pass.Notes() {
				notes = append(notes, anyRelease(note))
			}
			if diff := cmp.Diff(test.findings, findings); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.notes, notes); diff != "" {
				t.Errorf("notes (-want +got):\n%s", diff)
			}
		})
	}
}
