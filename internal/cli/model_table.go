package cli

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"hearth/internal/domain"
)

// modelTables prints machines as tables of states and transitions, and the
// other tables of the model after them.
func modelTables(w io.Writer, machines []*domain.Machine, whole bool) {
	for i, m := range machines {
		if i > 0 {
			fmt.Fprintln(w)
		}
		machineTables(w, m)
	}
	if !whole {
		return
	}
	timingTables(w)
	decisionTables(w)
	failureTables(w)
}

// modelTable prints a title, a head and rows with aligned columns.
func modelTable(w io.Writer, title string, head []string, rows [][]string) {
	fmt.Fprintf(w, "\n%s\n", title)
	var aligned strings.Builder
	t := tabwriter.NewWriter(&aligned, 0, 0, 3, ' ', 0)
	fmt.Fprintf(t, "  %s\n", strings.ToUpper(strings.Join(head, "\t")))
	for _, row := range rows {
		fmt.Fprintf(t, "  %s\n", strings.Join(row, "\t"))
	}
	t.Flush() // a strings.Builder takes everything
	for line := range strings.Lines(aligned.String()) {
		fmt.Fprintln(w, strings.TrimRight(line, " \n"))
	}
}

func machineTables(w io.Writer, m *domain.Machine) {
	fmt.Fprintf(w, "%s: %s\n", m.Kind, m.Meaning)
	var states, edges, added [][]string
	blocks := false
	for _, s := range m.States {
		blocks = blocks || s.BlocksPods
	}
	head := []string{"state", "ready"}
	if blocks {
		head = append(head, "blocks pods")
	}
	for _, s := range m.States {
		row := []string{string(s.State), yes(s.Ready)}
		if blocks {
			row = append(row, yes(s.BlocksPods))
		}
		states = append(states, append(row, s.Meaning))
	}
	for _, t := range m.Transitions {
		note := t.Duration.String()
		if t.Extra {
			note = strings.TrimSpace(note + " (added by Hearth)")
			added = append(added, []string{string(t.From), string(t.To), t.Why})
		}
		edges = append(edges, []string{string(t.From), string(t.To), t.Trigger, note})
	}
	modelTable(w, "States", append(head, "meaning"), states)
	modelTable(w, "Transitions", []string{"from", "to", "trigger", "duration"}, edges)
	if len(added) > 0 {
		modelTable(w, "Added by Hearth to the document's machine", []string{"from", "to", "why"}, added)
	}
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "-"
}

// orNone writes a duration; zero is a word.
func orNone(d time.Duration, zero string) string {
	if d == 0 {
		return zero
	}
	return domain.ShortDuration(d)
}

func timingTables(w io.Writer) {
	var timing, durations, retries [][]string
	for _, r := range domain.ReconciliationTiming() {
		interval := r.Schedule
		if interval == "" {
			interval = domain.ShortDuration(r.Interval)
		}
		timing = append(timing, []string{r.Component, interval, strings.Join(r.Triggers, ", "), orNone(r.Jitter, "none")})
	}
	for _, d := range domain.LifecycleDurations() {
		durations = append(durations, []string{string(d.Operation), d.Typical.String(), orNone(d.Timeout, "varies")})
	}
	for _, r := range domain.RetryBehavior() {
		tries, backoff := fmt.Sprint(r.MaxRetries), "none"
		if r.MaxRetries == domain.Unlimited {
			tries = "unlimited"
		}
		if r.Exponential {
			backoff = "exponential"
		}
		if r.BackoffCap != 0 {
			backoff += ", at most " + domain.ShortDuration(r.BackoffCap)
		}
		retries = append(retries, []string{r.Resource, tries, backoff, orNone(r.Timeout, "none"), r.Meaning})
	}
	modelTable(w, "Reconciliation timing", []string{"component", "interval", "also on", "jitter"}, timing)
	modelTable(w, "Lifecycle durations", []string{"operation", "typical", "overdue after"}, durations)
	modelTable(w, "Retries", []string{"resource", "retries", "back-off", "timeout", "in the end"}, retries)
	var waits []string
	for n := 1; domain.CrashBackoff(n) < domain.CrashBackoffCap; n++ {
		waits = append(waits, fmt.Sprintf("%gs", domain.CrashBackoff(n).Seconds()))
	}
	fmt.Fprintf(w, "\nCrash back-off: %s, then %s. A HelmRelease is stuck after %s of Reconciling, overdue after %s.\n",
		strings.Join(waits, ", "), domain.ShortDuration(domain.CrashBackoffCap), domain.ShortDuration(domain.ReleaseStuckAfter), domain.ShortDuration(domain.ReleaseOverdueAfter))
}

func decisionTables(w io.Writer) {
	var stages, storage, gateways, depends [][]string
	for _, s := range domain.BootstrapOrder() {
		stages = append(stages, []string{fmt.Sprint(s.Order), s.Component, s.Provides, s.Reason})
	}
	for _, c := range domain.StorageClassSelection() {
		storage = append(storage, []string{c.UseCase, c.Class, c.BackedBy, c.Performance, c.Capacity, c.Redundancy})
	}
	for _, c := range domain.GatewaySelection() {
		gateways = append(gateways, []string{c.Pattern, string(c.Exposure), c.Gateway, c.DNS, c.Authentication})
	}
	for _, d := range domain.ResourceDependencies() {
		depends = append(depends, []string{d.Kind, strings.Join(d.DependsOn, ", "), d.Blocks, d.Prune})
	}
	modelTable(w, "Bootstrap order", []string{"stage", "component", "provides", "why"}, stages)
	modelTable(w, "Storage", []string{"use", "class", "backed by", "performance", "capacity", "redundancy"}, storage)
	modelTable(w, "Gateways", []string{"access", "exposure", "gateway", "dns", "authentication"}, gateways)
	modelTable(w, "What waits for what", []string{"kind", "depends on", "blocks", "when pruned"}, depends)
}

func failureTables(w io.Writer) {
	var events, points, scenarios [][]string
	for _, e := range domain.EventMeanings() {
		events = append(events, []string{e.Name, e.Trigger, strings.Join(e.Consumers, ", ")})
	}
	for _, p := range domain.PodFailurePoints() {
		points = append(points, []string{string(p.State), strings.Join(p.Causes, ", "), strings.Join(p.Fixes, ", ")})
	}
	for _, s := range domain.FailureScenarios() {
		for _, c := range s.Causes {
			scenarios = append(scenarios, []string{s.Name, c.Name, c.Fix})
		}
	}
	modelTable(w, "Domain events", []string{"event", "trigger", "heard by"}, events)
	modelTable(w, "Where pods get stuck", []string{"state", "causes", "fixes"}, points)
	modelTable(w, "Failure scenarios", []string{"scenario", "cause", "fix"}, scenarios)
}
