package schema

import (
	"bytes"
	"maps"
	"os/exec"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// carriedTexts are the unpacked files of carried definitions, by API group.
func carriedTexts(t *testing.T) map[string]string {
	t.Helper()
	entries, err := carriedFiles.ReadDir("carried")
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, entry := range entries {
		packed, err := carriedFiles.ReadFile(path.Join("carried", entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		text, err := gunzip(packed)
		if err != nil {
			t.Fatal(entry.Name(), err)
		}
		texts[strings.TrimSuffix(entry.Name(), ".gz")] = text
	}
	return texts
}

// TestCarriedIsCurrent makes the carried definitions anew from those modules
// that are in the module cache. Of the others it compares the releases.
func TestCarriedIsCurrent(t *testing.T) {
	command := exec.Command("go", "run", "generate_carried.go", "generate_custom.go", "generate_operators.go", "-print")
	var problems bytes.Buffer
	command.Stderr = &problems
	out, err := command.Output()
	if err != nil {
		t.Fatal(err, problems.String())
	}
	listed, rest, _ := strings.Cut(string(out), "group\t")
	have := carriedTexts(t)
	carried := map[string]bool{}
	for _, text := range have {
		line, _, _ := strings.Cut(text, "\n")
		carried[line+"\n"] = true
	}
	for line := range strings.Lines(listed) {
		if !carried[line] {
			t.Errorf("nothing is carried of %q: run go generate ./internal/schema", line)
		}
		delete(carried, line)
	}
	for line := range carried {
		t.Errorf("%q is carried, and is not listed any more: run go generate ./internal/schema", line)
	}
	compared := 0
	for made := range strings.SplitSeq(rest, "group\t") {
		group, text, ok := strings.Cut(made, "\n")
		if !ok {
			continue
		}
		compared++
		if have[group] != text {
			t.Errorf("the definitions of %s are not what go generate makes of the modules: run go generate ./internal/schema", group)
		}
	}
	if compared < len(have) {
		t.Skipf("compared %d of %d API groups: the modules of the others are not in the module cache", compared, len(have))
	}
}

// TestCarriedDecodes decodes every carried schema, and follows every reference.
func TestCarriedDecodes(t *testing.T) {
	texts := carriedTexts(t)
	if len(texts) < 25 {
		t.Fatalf("%d API groups only", len(texts))
	}
	base := unpack()
	for group, text := range texts {
		g := readCarried(group)
		if len(g.kinds) == 0 {
			t.Errorf("%s has no kinds", group)
		}
		records := 0
		for kind, d := range g.kinds {
			if base.custom[groupKind{group, kind}] != nil {
				t.Errorf("%s of %s is there twice", kind, group)
			}
			if operator, version, ok := strings.Cut(d.release, " v"); !ok || operator == "" || version == "" {
				t.Errorf("%s of %s is of the release %q", kind, group, d.release)
			}
			for _, v := range d.versions {
				records++
				n := v.schema()
				if n == nil {
					t.Errorf("%s %s of %s does not decode", kind, v.name, group)
					continue
				}
				eachNode(n, func(n *node) {
					if n.Ref != "" {
						t.Errorf("%s %s of %s refers to %s", kind, v.name, group, n.Ref)
					}
				})
			}
		}
		for number, text := range g.texts {
			if _, err := decodeNode([]byte(text)); err != nil {
				t.Errorf("schema %s of %s: %v", number, group, err)
			}
			if g.nodes[number] == nil {
				t.Errorf("nothing needs schema %s of %s", number, group)
			}
		}
		if want := 1 + len(g.texts) + records; strings.Count(text, "\n") != want {
			t.Errorf("%s has %d lines, %d were read", group, strings.Count(text, "\n"), want)
		}
	}
}

const certificate = "{apiVersion: cert-manager.io/v1, kind: Certificate, metadata: {name: a}, spec: {secretName: a, issuerRef: {name: b}, "

// TestCarried holds objects of operators against what Hearth carries.
func TestCarried(t *testing.T) {
	for name, test := range map[string]struct {
		object string
		want   string // the message; empty where all is well
		novel  bool
	}{
		"right":            {certificate + "dnsNames: [a.example.test], privateKey: {algorithm: ECDSA, size: 384}}}", "", false},
		"status":           {certificate + "dnsNames: [a]}, status: {anything: 1}}", "", false},
		"misspelt":         {certificate + "dnsNamess: [a]}}", "unknown field `dnsNamess` in `spec`: did you mean `dnsNames`", false},
		"unheard of":       {certificate + "horizon: 1}}", "unknown field `horizon` in `spec`", true},
		"beside the other": {certificate + "duration: 1h, duratoin: 2h}}", "unknown field `duratoin` in `spec`: did you mean `duration`", true},
		"wrong type":       {certificate + "dnsNames: a}}", "`spec.dnsNames` is a text; a list is wanted", false},
		"missing":          {"{apiVersion: cert-manager.io/v1, kind: Certificate, metadata: {name: a}, spec: {secretName: a}}", "`spec.issuerRef` is missing", false},
		"capitals":         {certificate + "privateKey: {algorithm: ecdsa}}}", "`spec.privateKey.algorithm` is `ecdsa`, which is none of `RSA`, `ECDSA` and `Ed25519`", false},
		"another value":    {certificate + "privateKey: {algorithm: Falcon}}}", "`spec.privateKey.algorithm` is `Falcon`, which is none of `RSA`, `ECDSA` and `Ed25519`", true},
		"old version":      {"{apiVersion: cert-manager.io/v1alpha2, kind: Certificate, metadata: {name: a}}", "Certificate is not served as `cert-manager.io/v1alpha2`, but as `cert-manager.io/v1`", false},
		"new version":      {"{apiVersion: cert-manager.io/v7, kind: Certificate, metadata: {name: a}}", "Certificate is not served as `cert-manager.io/v7`, but as `cert-manager.io/v1`", true},
		"shared schema": {"{apiVersion: monitoring.coreos.com/v1, kind: ServiceMonitor, metadata: {name: a}, spec: {endpoints: [], selector: {matchExpressions: [{key: a, operator: In, value: [b]}]}}}",
			"unknown field `value` in `spec.selector.matchExpressions[0]`: did you mean `values`", true},
	} {
		problems, known := Embedded().Validate(object(t, test.object), Options{})
		if !known {
			t.Errorf("%s: the kind is not known", name)
		}
		switch {
		case test.want == "" && len(problems) > 0:
			t.Errorf("%s: %v", name, told(problems))
		case test.want == "":
		case len(problems) != 1 || problems[0].Message != test.want || problems[0].Novel != test.novel:
			t.Errorf("%s: %+v, want %q, novel: %t", name, problems, test.want, test.novel)
		case !strings.Contains(problems[0].Release, " v"):
			t.Errorf("%s: the release is %q", name, problems[0].Release)
		}
	}
}

// TestCarriedComesLast guards the definitions that somebody supplies, and the
// kinds that nobody defines.
func TestCarriedComesLast(t *testing.T) {
	theirs, err := CustomResourceDefinition(object(t, "{spec: {group: cert-manager.io, names: {kind: Certificate}, versions: [{name: v1, served: true, schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {horizon: {type: integer}}}}}}}]}}"))
	if err != nil {
		t.Fatal(err)
	}
	problems, _ := Embedded().With(theirs).Validate(object(t, "{apiVersion: cert-manager.io/v1, kind: Certificate, metadata: {name: a}, spec: {horizon: a}}"), Options{})
	if diff := cmp.Diff([]string{"`spec.horizon` is a text; a whole number is wanted"}, told(problems)); diff != "" || problems[0].Release != "" {
		t.Errorf("problems (-want +got):\n%s%+v", diff, problems)
	}
	for _, text := range []string{"cert-manager.io/v1, kind: Unheard", "../carried/cert-manager.io/v1, kind: Certificate", "example.test/v1, kind: Certificate"} {
		if problems, known := Embedded().Validate(object(t, "{apiVersion: "+text+", metadata: {name: a}}"), Options{}); known {
			t.Errorf("%s is known: %v", text, told(problems))
		}
	}
}

// TestCarriedIsUnpackedOnDemand looks at what one object needs.
func TestCarriedIsUnpackedOnDemand(t *testing.T) {
	set := &Set{archive: unpack()}
	if len(set.archive.operators) > 0 {
		t.Error("definitions are unpacked that nothing needs")
	}
	set.Validate(object(t, "{apiVersion: monitoring.coreos.com/v1, kind: PrometheusRule, metadata: {name: a}, spec: {}}"), Options{})
	if groups := slices.Collect(maps.Keys(set.archive.operators)); !slices.Equal(groups, []string{"monitoring.coreos.com"}) {
		t.Errorf("the definitions of %q are unpacked", groups)
	}
	g := set.archive.operators["monitoring.coreos.com"]
	for kind, d := range g.kinds {
		for _, v := range d.versions {
			if (v.root != nil) != (kind == "PrometheusRule") {
				t.Errorf("%s is decoded: %t", kind, v.root != nil)
			}
		}
	}
	if len(g.nodes) > len(g.texts)/10 {
		t.Errorf("%d of %d shared schemas are decoded", len(g.nodes), len(g.texts))
	}
}

func TestCarriedConcurrently(t *testing.T) {
	set := &Set{archive: unpack()}
	var group sync.WaitGroup
	for range 4 {
		for _, kind := range []string{"ServiceMonitor", "PodMonitor", "Probe", "Prometheus"} {
			group.Go(func() {
				problems, known := set.Validate(object(t, "{apiVersion: monitoring.coreos.com/v1, kind: "+kind+", metadata: {name: a}, spec: 1}"), Options{})
				if !known || len(problems) != 1 {
					t.Errorf("%s: %v", kind, told(problems))
				}
			})
		}
	}
	group.Wait()
}
