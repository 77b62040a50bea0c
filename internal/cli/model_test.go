package cli

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"hearth/internal/domain"
)

func model(t *testing.T, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	cmd := newModelCommand()
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SetArgs(args)
	if err := cmd.Execute(); err != nil {
		t.Fatalf("model %v: %v", args, err)
	}
	return out.String()
}

func TestModelTable(t *testing.T) {
	all := model(t)
	for _, want := range []string{"WaitingSecrets", "PullingImages", "10s, 20s, 40s, 80s, 160s, then 5m", "rook-ceph-block", "envoy-external", "FluxReconciled", "daily at 02:00"} {
		if !strings.Contains(all, want) {
			t.Errorf("the model does not tell %q", want)
		}
	}
	one := model(t, "externalsecret")
	if !strings.Contains(one, "BLOCKS PODS") || strings.Contains(one, "CrashLoop") {
		t.Errorf("the ExternalSecret's machine is told as\n%s", one)
	}
	if added := regexp.MustCompile(`(?m)Refreshing +Failed +.*\(added by Hearth\)$(?s:.*)Refreshing +Failed +a refresh reads the vault again`); !added.MatchString(one) {
		t.Errorf("what Hearth adds to the machine is not told, or without its reason:\n%s", one)
	}
}

var mermaidEdge = regexp.MustCompile(`^\s+(\[\*\]|\w+) --> (\[\*\]|\w+): [^:;{}]+$`)

// TestModelMermaid holds each line of the diagrams against the grammar of
// stateDiagram-v2 as far as it is used.
func TestModelMermaid(t *testing.T) {
	for _, m := range domain.AllMachines() {
		lines := strings.Split(strings.TrimSpace(model(t, m.Name, "-o", "mermaid")), "\n")
		if lines[0] != "stateDiagram-v2" || len(lines) != len(m.Transitions)+1 {
			t.Fatalf("%s: %d lines", m.Name, len(lines))
		}
		for i, line := range lines[1:] {
			got := mermaidEdge.FindStringSubmatch(line)
			if got == nil || got[1] != string(m.Transitions[i].From) || got[2] != string(m.Transitions[i].To) {
				t.Errorf("%s: %q is not transition %d", m.Name, line, i)
			}
		}
	}
	declared := regexp.MustCompile(`^        state "(\w+)" as (\w+)$`)
	block := regexp.MustCompile(`^    (state \w+ \{|\})$`)
	ids := map[string]bool{}
	lines := strings.Split(strings.TrimSpace(model(t, "-o", "mermaid")), "\n")
	for _, line := range lines[1:] {
		if m := declared.FindStringSubmatch(line); m != nil {
			if ids[m[2]] {
				t.Errorf("state %s is declared twice", m[2])
			}
			ids[m[2]] = true
			continue
		}
		if m := mermaidEdge.FindStringSubmatch(line); m != nil {
			for _, id := range m[1:] {
				if id != "[*]" && !ids[id] {
					t.Errorf("state %s is not declared", id)
				}
			}
			continue
		}
		if !block.MatchString(line) {
			t.Errorf("not a line of a state diagram: %q", line)
		}
	}
}

func TestModelDOT(t *testing.T) {
	out := model(t, "-o", "dot")
	if strings.Count(out, "{") != strings.Count(out, "}") || strings.Count(out, "subgraph") != len(domain.AllMachines()) {
		t.Errorf("not a graph of all machines:\n%s", out)
	}
	if !strings.Contains(out, `"pod/Running" -> "pod/CrashLoop"`) {
		t.Error("an edge is missing")
	}
}

func TestModelJSON(t *testing.T) {
	var d modelDocument
	if err := json.Unmarshal([]byte(model(t, "-o", "json")), &d); err != nil {
		t.Fatal(err)
	}
	if len(d.Machines) != len(domain.AllMachines()) || len(d.Bootstrap) != 8 || d.Timing[0].Interval != 3600 || d.Durations[1].Typical[1] != 300 || d.CrashBackoff[5] != 300 {
		t.Errorf("got %+v", d)
	}
	var one modelDocument
	if err := json.Unmarshal([]byte(model(t, "pod", "-o", "json")), &one); err != nil {
		t.Fatal(err)
	}
	if len(one.Machines) != 1 || one.Machines[0].Final[0] != domain.PodTerminating || one.Bootstrap != nil {
		t.Errorf("got %+v", one)
	}
}

func TestModelMisuse(t *testing.T) {
	for args, want := range map[string]string{
		"deployment": `there is no machine "deployment": choose one of kustomization, helmrelease, externalsecret, pod, source, httproute, gateway, pvc, certificate, database, node, faults`,
		"-o yaml":    `output "yaml" is none of table, mermaid, dot, json`,
	} {
		cmd := newModelCommand()
		cmd.SilenceUsage, cmd.SilenceErrors = true, true
		cmd.SetArgs(strings.Fields(args))
		if err := cmd.Execute(); err == nil || err.Error() != want {
			t.Errorf("model %s: %v", args, err)
		}
	}
}
