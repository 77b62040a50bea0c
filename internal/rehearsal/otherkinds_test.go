package rehearsal

import (
	"testing"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestAllowsOtherKinds(t *testing.T) {
	for _, tt := range []struct {
		name, values string
		want         bool
	}{
		{"external-secrets", `{"genericTargets":{"enabled":true}}`, true},
		{"external-secrets", `{"extraArgs":{"unsafe-allow-generic-targets":true}}`, true},
		{"external-secrets", `{"extraArgs":{"unsafe-allow-generic-targets":null}}`, true},
		{"external-secrets", `{"extraArgs":{"unsafe-allow-generic-targets":"false"}}`, false},
		{"external-secrets", `{"genericTargets":{}}`, false},
		{"external-secrets", `[]`, false},
		{"another", `{"genericTargets":{"enabled":true}}`, false},
	} {
		r := helmv2.HelmRelease{ObjectMeta: metav1.ObjectMeta{Name: tt.name}}
		r.Spec.Values = &apiextensionsv1.JSON{Raw: []byte(tt.values)}
		if got := releaseAllowsOtherKinds(r); got != tt.want {
			t.Errorf("%s %s: %v", tt.name, tt.values, got)
		}
	}
	for arg, want := range map[string]bool{
		"--unsafe-allow-generic-targets": true, "--unsafe-allow-generic-targets=true": true,
		"--unsafe-allow-generic-targets=false": false, "--concurrent=1": false,
	} {
		if got := flaggedForOtherKinds(corev1.Container{Args: []string{arg}}); got != want {
			t.Errorf("%s: %v", arg, got)
		}
	}
}
