package repo

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const judged = `secretStore: {name: vault}
gateways:
  network/public: {exposure: public}
exposure: {media/immich: public, home/*: lan, "*/*": vpn}
storageClasses:
  fast: {for: [database]}
charts: {default: common, vendor: [cilium, "kube-*"]}
templates: {folders: [talos, "kubernetes/*/bootstrap"]}
rules:
  secret-reload: off
  image-digest: error
  chart-default:
    severity: warning
    exclude: ["kubernetes/main/apps/kube-system/**", media/immich]
exclude: ["kubernetes/legacy/**"]
`

func parseConfig(t *testing.T, text string) Config {
	t.Helper()
	c, err := ParseConfig([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestJudgement(t *testing.T) {
	c := parseConfig(t, judged).WithDefaults()
	want := Config{
		SecretStore:    SecretStore{Kind: "ClusterSecretStore", Name: "vault"},
		Gateways:       map[string]Gateway{"network/public": {Exposure: "public"}},
		Exposure:       map[string]string{"media/immich": "public", "home/*": "lan", "*/*": "vpn"},
		StorageClasses: map[string]StorageClass{"fast": {For: []string{"database"}}},
		Charts:         Charts{Default: "common", Vendor: []string{"cilium", "kube-*"}},
		Templates:      Templates{Folders: []string{"talos", "kubernetes/*/bootstrap"}},
		Rules: map[string]RuleConfig{
			"secret-reload": {Severity: "off"},
			"image-digest":  {Severity: "error"},
			"chart-default": {Severity: "warning", Exclude: []string{"kubernetes/main/apps/kube-system/**", "media/immich"}},
		},
		Exclude: []string{"kubernetes/legacy/**"},
	}
	c.doc = nil
	if diff := cmp.Diff(want, c, cmp.AllowUnexported(Config{})); diff != "" {
		t.Error(diff)
	}
}

func TestDefaults(t *testing.T) {
	c := parseConfig(t, "secretStore: {kind: SecretStore}\nstorageClasses: {}\n").WithDefaults()
	want := Config{
		SecretStore:    SecretStore{Kind: "SecretStore", Name: "onepassword-connect"},
		Gateways:       map[string]Gateway{"envoy-external": {Exposure: "public"}, "envoy-internal": {Exposure: "lan"}},
		StorageClasses: map[string]StorageClass{},
		Charts:         Charts{Default: "app-template", Vendor: []string{"cilium", "cert-manager", "cloudnative-pg"}},
		Templates:      Templates{Folders: []string{"talos", "bootstrap"}},
	}
	c.doc = nil
	if diff := cmp.Diff(want, c, cmp.AllowUnexported(Config{})); diff != "" {
		t.Error(diff)
	}
	classes := Config{}.WithDefaults().StorageClasses
	wantClasses := map[string]StorageClass{
		"rook-ceph-block":      {For: []string{"database", "config"}},
		"rook-ceph-filesystem": {For: []string{"shared"}},
	}
	if diff := cmp.Diff(wantClasses, classes); diff != "" {
		t.Error(diff)
	}
}

func TestDeclared(t *testing.T) {
	c := parseConfig(t, judged)
	for _, test := range []struct {
		path []string
		want bool
		line int
	}{
		{[]string{"secretStore", "name"}, true, 1},
		{[]string{"secretStore", "kind"}, false, 1},
		{[]string{"rules", "chart-default", "exclude", "1"}, true, 14},
		{[]string{"rules", "image-latest"}, false, 9},
		{[]string{"vault"}, false, 1},
	} {
		if got := c.Declared(test.path...); got != test.want {
			t.Errorf("Declared(%v) = %v", test.path, got)
		}
		if got := c.Place(test.path...).Line; got != test.line {
			t.Errorf("Place(%v) is line %d, want %d", test.path, got, test.line)
		}
	}
	if (Config{}).Declared("vault") || (Config{}).Place("vault").Known() {
		t.Error("a repository without a configuration declares something")
	}
}

func TestJudgementErrors(t *testing.T) {
	for text, want := range map[string]string{
		"secretStore: {kind: Vault}":                            `.hearth.yaml:1: "Vault" is none of ClusterSecretStore, SecretStore`,
		"gateways:\n  a: {}":                                    `.hearth.yaml:2: "" is none of public, lan, vpn`,
		"gateways:\n  a:\n    exposure: all":                    `.hearth.yaml:3: "all" is none of public, lan, vpn`,
		"exposure:\n  immich: lan":                              `.hearth.yaml:2: "immich" is no application: write namespace/name`,
		"exposure:\n  media/immich: all":                        `.hearth.yaml:2: "all" is none of public, lan, vpn`,
		"storageClasses:\n  a:\n    for:\n    - media\n    - b": `.hearth.yaml:5: "b" is none of database, config, shared, media, cache`,
		"charts: {vendor: ['[']}":                               `.hearth.yaml:1: the pattern "[" is malformed`,
		"charts: {vendr: []}":                                   `.hearth.yaml:1: there is no field "vendr" here`,
		"templates: {folders: [../talos]}":                      `.hearth.yaml:1: the pattern "../talos" leads out of the repository`,
		"rules:\n  image-digest: fatal":                         `.hearth.yaml:2: "fatal" is none of off, info, warning, error`,
		"rules:\n  image-digest:\n    level: error":             `.hearth.yaml:3: there is no field "level" here`,
		"rules:\n  image-digest: [off]":                         `.hearth.yaml:2: the value has the wrong shape: expected a mapping`,
		"rules:\n  image-digest:\n    exclude: a":               `.hearth.yaml:3: the value has the wrong shape: expected a list`,
		"exclude:\n- a**":                                       `.hearth.yaml:2: the pattern "a**" holds "**" within a segment`,
		"exclude:\n- ''":                                        `.hearth.yaml:2: the pattern "" is empty`,
		"exclude: [./a]":                                        `.hearth.yaml:1: the pattern "./a" is no clean path`,
		"exclude: [/a]":                                         `.hearth.yaml:1: the pattern "/a" leads out of the repository`,
	} {
		if _, err := ParseConfig([]byte(text)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s\n got %v\nwant %s", text, err, want)
		}
	}
}

func TestExposureOf(t *testing.T) {
	c := parseConfig(t, judged)
	for app, want := range map[string]string{"media/immich": "public", "home/assistant": "lan", "media/plex": "vpn"} {
		namespace, name, _ := strings.Cut(app, "/")
		if got, ok := c.ExposureOf(namespace, name); got != want || !ok {
			t.Errorf("%s is %q, want %q", app, got, want)
		}
	}
	if got, ok := (Config{}).ExposureOf("media", "immich"); ok {
		t.Errorf("without a declaration it is %q", got)
	}
}

func TestChartsAndTemplates(t *testing.T) {
	c := parseConfig(t, judged)
	for chart, want := range map[string]bool{"common": true, "cilium": true, "kube-prometheus-stack": true, "app-template": false} {
		if got := c.Charts.Allows(chart); got != want {
			t.Errorf("chart %s: %v", chart, got)
		}
	}
	for file, want := range map[string]bool{
		"talos/x.yaml.j2": true, "kubernetes/main/talos/nodes/a.yaml.j2": true, "kubernetes/main/bootstrap/b.j2": true,
		"bootstrap/b.j2": false, "kubernetes/main/apps/talos.j2": false, "kubernetes/main/apps/x/b.j2": false,
	} {
		if got := c.Templates.Allow(file); got != want {
			t.Errorf("template %s: %v", file, got)
		}
	}
}
