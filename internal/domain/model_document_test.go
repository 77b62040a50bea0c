package domain

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var span = regexp.MustCompile(`\d+[smh]\b`)

func TestMachinesAreTheDocuments(t *testing.T) {
	d := openDocument(t)
	headings := map[string]string{
		"helmrelease":    "Flux HelmRelease Lifecycle",
		"externalsecret": "ExternalSecret Lifecycle",
		"pod":            "Pod Lifecycle",
		"kustomization":  "Flux Reconciliation States",
	}
	for _, m := range Machines() {
		t.Run(m.Name, func(t *testing.T) {
			drawn := d.diagram(headings[m.Name])
			var want []string
			for _, e := range drawn {
				want = append(want, fmt.Sprint(e.From, " → ", e.To, span.FindAllString(e.label, -1)))
			}
			var got []string
			for _, e := range m.Transitions {
				if e.Extra != (e.Why != "") {
					t.Errorf("%s → %s: only what the document does not draw needs a reason, and always does: %q", e.From, e.To, e.Why)
				}
				if !e.Extra {
					got = append(got, fmt.Sprint(e.From, " → ", e.To, span.FindAllString(e.Trigger, -1)))
				}
			}
			slices.Sort(want)
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("transitions differ from the diagram (-document +machine):\n%s", diff)
			}
		})
	}
}

func TestReleaseDurations(t *testing.T) {
	natures := map[string]string{"Exponential backoff": string(Exponential)}
	got := map[edge]string{}
	for _, e := range releaseMachine.Transitions {
		got[edge{e.From, e.To}] = e.Duration.String()
	}
	for _, row := range openDocument(t).table("Flux HelmRelease Lifecycle") {
		want, ok := natures[row[3]]
		if !ok {
			want = strings.ToLower(row[3])
		}
		for from := range strings.SplitSeq(row[0], "/") {
			if e := (edge{State(from), State(row[1])}); got[e] != want {
				t.Errorf("%s → %s takes %q, the document says %q", e.From, e.To, got[e], want)
			}
		}
		if _, after, ok := strings.Cut(row[2], "max "); ok && after != fmt.Sprintf("%d)", ReleaseRetries) {
			t.Errorf("a release is tried again %d times, the document says %q", ReleaseRetries, row[2])
		}
	}
}

func TestSecretsThatBlockPods(t *testing.T) {
	for _, row := range openDocument(t).table("ExternalSecret Lifecycle") {
		from, to := State(row[0]), State(row[1])
		info, ok := secretMachine.Info(to)
		if !ok || !secretMachine.Allows(from, to) {
			t.Errorf("%s → %s is not in the machine", from, to)
		}
		if want := row[3] == "Yes"; info.BlocksPods != want {
			t.Errorf("after %s → %s pods blocked: %v, the document says %q", from, to, info.BlocksPods, row[3])
		}
	}
}

func TestTimingTables(t *testing.T) {
	d := openDocument(t)
	timing := ReconciliationTiming()
	for i, row := range d.table("Reconciliation Timing") {
		got, interval := timing[i], ShortDuration(timing[i].Interval)
		if got.Schedule != "" {
			interval = fmt.Sprintf("Daily %dAM", ImageUpdateHour)
		}
		jitter := "None"
		if got.Jitter != 0 {
			jitter = "Up to " + ShortDuration(got.Jitter)
		}
		if name := strings.TrimPrefix(row[0], "Flux "); name != got.Component {
			t.Errorf("component %d is %s, the document says %s", i+1, got.Component, name)
		}
		if interval != row[1] || jitter != row[3] {
			t.Errorf("%s: interval %s, jitter %s; the document says %s, %s", row[0], interval, jitter, row[1], row[3])
		}
		if n := len(strings.Split(row[2], ",")); len(got.Triggers) != n {
			t.Errorf("%s: triggers %q, the document says %q", row[0], got.Triggers, row[2])
		}
	}
	durations := LifecycleDurations()
	for i, row := range d.table("Lifecycle Durations") {
		got := durations[i]
		timeout := "Variable"
		if got.Timeout != 0 {
			timeout = ShortDuration(got.Timeout)
		}
		if diff := cmp.Diff(row, []string{string(got.Operation), unrepeated(got.Typical), timeout}); diff != "" {
			t.Errorf("lifecycle durations (-document +table):\n%s", diff)
		}
		if got.Operation.Typical() != got.Typical {
			t.Errorf("%s.Typical() is %v", got.Operation, got.Operation.Typical())
		}
	}
	if len(timing) != len(d.table("Reconciliation Timing")) || len(durations) != len(d.table("Lifecycle Durations")) {
		t.Error("the tables and the document differ in length")
	}
}

// unrepeated writes a range as the document does: "10-30s", not "10s-30s".
func unrepeated(r Range) string {
	low, high := ShortDuration(r.Min), ShortDuration(r.Max)
	if low[len(low)-1] == high[len(high)-1] {
		low = low[:len(low)-1]
	}
	return low + "-" + high
}

func TestRetryTable(t *testing.T) {
	d := openDocument(t)
	var got [][]string
	for _, r := range RetryBehavior() {
		tries, backoff, timeout := fmt.Sprint(r.MaxRetries), "None", "None"
		if r.MaxRetries == Unlimited {
			tries = "Infinite"
		}
		if r.Exponential {
			backoff = "Exponential"
		}
		if r.BackoffCap != 0 {
			backoff += " (max " + ShortDuration(r.BackoffCap) + ")"
		}
		if r.Timeout != 0 {
			timeout = ShortDuration(r.Timeout)
		}
		got = append(got, []string{r.Resource, tries, backoff, timeout})
	}
	if diff := cmp.Diff(d.table("Retry Behavior"), got); diff != "" {
		t.Errorf("retries (-document +table):\n%s", diff)
	}
	var series []string
	for n := 1; n <= 5; n++ {
		series = append(series, fmt.Sprintf("%ds", int(CrashBackoff(n)/time.Second)))
	}
	if want := strings.Join(series, ", ") + ", max " + ShortDuration(CrashBackoff(6)); !strings.Contains(d.section("Pod Lifecycle"), want) {
		t.Errorf("the document does not have the crash back-off %q", want)
	}
}

func TestBootstrapOrder(t *testing.T) {
	var got []string
	for i, s := range BootstrapOrder() {
		if s.Order != i+1 {
			t.Errorf("stage %d has order %d", i+1, s.Order)
		}
		name := s.Component
		if s.Names != nil {
			name += " (" + s.Provides + ")"
		}
		got = append(got, name)
	}
	var want []string
	for _, item := range openDocument(t).list("Capsule: OrderedBootstrap", "Bootstrap Order") {
		name, _, _ := strings.Cut(item, " - ")
		want = append(want, name)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("bootstrap order (-document +table):\n%s", diff)
	}
}

func TestDecisionTables(t *testing.T) {
	d := openDocument(t)
	var storage, gateways [][]string
	for _, c := range StorageClassSelection() {
		storage = append(storage, []string{c.UseCase, c.Class, c.BackedBy, c.Performance, c.Capacity, c.Redundancy})
	}
	for _, c := range GatewaySelection() {
		address := "N/A"
		if c.Address != "" {
			address = c.Address + " (main)"
		}
		gateways = append(gateways, []string{c.Pattern, c.Gateway, address, c.DNS, c.Authentication})
	}
	if diff := cmp.Diff(d.table("Capsule: StorageClassSelection"), storage); diff != "" {
		t.Errorf("storage (-document +table):\n%s", diff)
	}
	if diff := cmp.Diff(d.table("Capsule: GatewaySelection"), gateways); diff != "" {
		t.Errorf("gateways (-document +table):\n%s", diff)
	}
}

func TestEventsAndFailures(t *testing.T) {
	d := openDocument(t)
	for _, e := range EventMeanings() {
		for label, got := range map[string][]string{"Contains": e.Contains, "Consumers": e.Consumers, "Effects": e.Effects} {
			if want := d.list(e.Name, label); len(want) != len(got) {
				t.Errorf("%s: %s are %q, the document lists %q", e.Name, label, got, want)
			}
		}
	}
	var points [][]string
	for _, p := range PodFailurePoints() {
		points = append(points, []string{string(p.State), fmt.Sprint(len(p.Causes))})
	}
	var want [][]string
	for _, row := range d.table("Pod Lifecycle") {
		want = append(want, []string{row[0], fmt.Sprint(len(strings.Split(row[1], ",")))})
	}
	if diff := cmp.Diff(want, points); diff != "" {
		t.Errorf("failure points and their number of causes (-document +table):\n%s", diff)
	}
	for _, s := range FailureScenarios() {
		var causes, names []string
		for _, item := range d.list("Scenario: "+s.Name, "Root Causes") {
			causes = append(causes, strings.Split(item, "**")[1])
		}
		for _, c := range s.Causes {
			names = append(names, c.Name)
		}
		if diff := cmp.Diff(causes, names); diff != "" {
			t.Errorf("causes of %q (-document +table):\n%s", s.Name, diff)
		}
		if s.After != 0 && !strings.Contains(d.list("Scenario: "+s.Name, "Symptoms")[0], ">5 minutes") {
			t.Errorf("%q: the document's threshold is not %s", s.Name, s.After)
		}
	}
}

func TestResourceDependencies(t *testing.T) {
	var got [][]string
	for _, r := range ResourceDependencies() {
		blocks := r.Blocks
		if blocks == "" {
			blocks = "Nothing"
		}
		got = append(got, []string{r.Kind, strings.ToLower(strings.Join(r.DependsOn, ", ")), blocks, strings.ToLower(r.Prune)})
	}
	want := openDocument(t).table("Resource Dependencies")
	for _, row := range want {
		row[1], row[3] = strings.ToLower(row[1]), strings.ToLower(row[3])
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("resource dependencies (-document +table):\n%s", diff)
	}
}
