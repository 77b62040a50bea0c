package cli

import (
	"time"

	"hearth/internal/domain"
)

// The JSON of the model tells durations in seconds, as that of a rehearsal does.
type (
	modelDocument struct {
		Machines     []modelMachine              `json:"machines"`
		Timing       []modelTiming               `json:"timing,omitempty"`
		Durations    []modelDuration             `json:"durations,omitempty"`
		Retries      []modelRetry                `json:"retries,omitempty"`
		CrashBackoff []float64                   `json:"crashBackoffSeconds,omitempty"`
		Bootstrap    []domain.BootstrapStage     `json:"bootstrap,omitempty"`
		Storage      []domain.StorageChoice      `json:"storage,omitempty"`
		Gateways     []domain.GatewayChoice      `json:"gateways,omitempty"`
		Dependencies []domain.ResourceDependency `json:"dependencies,omitempty"`
		Events       []domain.EventMeaning       `json:"events,omitempty"`
		PodFailures  []domain.FailurePoint       `json:"podFailures,omitempty"`
		Scenarios    []modelScenario             `json:"scenarios,omitempty"`
	}
	modelMachine struct {
		Name        string             `json:"name"`
		Kind        string             `json:"kind"`
		Kinds       []string           `json:"kinds,omitempty"`
		Meaning     string             `json:"meaning"`
		Initial     domain.State       `json:"initial"`
		Final       []domain.State     `json:"final"`
		States      []domain.StateInfo `json:"states"`
		Transitions []modelTransition  `json:"transitions"`
	}
	modelTransition struct {
		From     domain.State          `json:"from"`
		To       domain.State          `json:"to"`
		Trigger  string                `json:"trigger"`
		Duration domain.DurationNature `json:"duration,omitempty"`
		Range    []float64             `json:"rangeSeconds,omitempty"`
		Extra    bool                  `json:"extra,omitempty"`
		Why      string                `json:"why,omitempty"`
	}
	modelTiming struct {
		Component string   `json:"component"`
		Interval  float64  `json:"intervalSeconds"`
		Schedule  string   `json:"schedule,omitempty"`
		Triggers  []string `json:"triggers"`
		Jitter    float64  `json:"jitterSeconds"`
	}
	modelDuration struct {
		Operation domain.Operation `json:"operation"`
		Typical   []float64        `json:"typicalSeconds"`
		Timeout   float64          `json:"timeoutSeconds"`
	}
	modelRetry struct {
		Resource    string  `json:"resource"`
		MaxRetries  int     `json:"maxRetries"` // -1 is unlimited
		Exponential bool    `json:"exponential"`
		Cap         float64 `json:"backoffCapSeconds"`
		Timeout     float64 `json:"timeoutSeconds"`
	}
	modelScenario struct {
		Name    string         `json:"name"`
		Kind    string         `json:"kind"`
		State   domain.State   `json:"state,omitempty"`
		Symptom string         `json:"symptom"`
		After   float64        `json:"afterSeconds"`
		Causes  []domain.Cause `json:"causes"`
	}
)

func modelJSON(machines []*domain.Machine, whole bool) modelDocument {
	var d modelDocument
	for _, m := range machines {
		d.Machines = append(d.Machines, machineJSON(m))
	}
	if !whole {
		return d
	}
	for _, r := range domain.ReconciliationTiming() {
		d.Timing = append(d.Timing, modelTiming{r.Component, r.Interval.Seconds(), r.Schedule, r.Triggers, r.Jitter.Seconds()})
	}
	for _, o := range domain.LifecycleDurations() {
		d.Durations = append(d.Durations, modelDuration{o.Operation, inSeconds(o.Typical.Min, o.Typical.Max), o.Timeout.Seconds()})
	}
	for _, r := range domain.RetryBehavior() {
		d.Retries = append(d.Retries, modelRetry{r.Resource, r.MaxRetries, r.Exponential, r.BackoffCap.Seconds(), r.Timeout.Seconds()})
	}
	for n := 1; n == 1 || domain.CrashBackoff(n-1) < domain.CrashBackoffCap; n++ {
		d.CrashBackoff = append(d.CrashBackoff, domain.CrashBackoff(n).Seconds())
	}
	for _, s := range domain.FailureScenarios() {
		d.Scenarios = append(d.Scenarios, modelScenario{s.Name, s.Kind, s.State, s.Symptom, s.After.Seconds(), s.Causes})
	}
	d.Bootstrap, d.Storage, d.Gateways = domain.BootstrapOrder(), domain.StorageClassSelection(), domain.GatewaySelection()
	d.Dependencies, d.Events, d.PodFailures = domain.ResourceDependencies(), domain.EventMeanings(), domain.PodFailurePoints()
	return d
}

func machineJSON(m *domain.Machine) modelMachine {
	j := modelMachine{Name: m.Name, Kind: m.Kind, Kinds: m.Kinds, Meaning: m.Meaning, Initial: m.Initial, Final: m.Final(), States: m.States}
	for _, t := range m.Transitions {
		edge := modelTransition{From: t.From, To: t.To, Trigger: t.Trigger, Duration: t.Duration.Nature, Extra: t.Extra, Why: t.Why}
		if t.Duration.Nature == domain.Ranged {
			edge.Range = inSeconds(t.Duration.Range.Min, t.Duration.Range.Max)
		}
		j.Transitions = append(j.Transitions, edge)
	}
	return j
}

func inSeconds(durations ...time.Duration) []float64 {
	list := make([]float64, len(durations))
	for i, d := range durations {
		list[i] = d.Seconds()
	}
	return list
}
