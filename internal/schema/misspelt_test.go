package schema

import "testing"

func TestMisspelt(t *testing.T) {
	for _, test := range []struct {
		name, meant string
		want        bool
	}{
		{"duraton", "duration", true},
		{"renewBefor", "renewBefore", true},
		{"isseurRef", "issuerRef", true},
		{"storageClas", "storageClass", true},
		{"imagePullpolicy", "imagePullPolicy", true},
		{"dnsNamess", "dnsNames", true},
		{"instance", "instances", false},
		{"targetRefs", "targetRef", false},
		{"ipv6Pools", "ipv4Pools", false},
		{"maxReplicas", "minReplicas", false},
		{"nodeSelector", "modeSelector", false},
		{"host", "port", false},
		{"roles", "rules", false},
		{"secretNam", "secretName", false},
		{"httpRoute", "route", false},
		{"policyName", "namePolicy", false},
		{"storageKlasses", "storageClass", false},
		{"", "", true},
		{"anything", "", false},
	} {
		if got := misspelt(test.name, test.meant); got != test.want {
			t.Errorf("misspelt(%q, %q) is %t", test.name, test.meant, got)
		}
	}
}
