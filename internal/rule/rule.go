// Package rule holds the rules of a homelab repository: what the domain model
// demands of a tree, each rule in a file of its own.
//
// A rule judges what Flux would apply (package desired) and what depends on
// what (package graph), and reports findings. It never reports what it does not
// know to be true: what a chart, a vault or another repository would tell, and
// nobody has at hand, is told once as a note, not guessed.
package rule

import (
	"context"

	"hearth/internal/graph"
	"hearth/internal/render/desired"
	"hearth/internal/repo"
)

// Rule is one rule. Its name is part of Hearth's interface.
type Rule struct {
	Name string
	// Topic groups rules: islands, secrets, charts, images, templates, layout,
	// order, routing, storage, schema.
	Topic string
	// Severity is that of its findings, unless a finding says otherwise or the
	// configuration does.
	Severity Severity
	// Title says in one sentence, without a full stop, what the rule enforces.
	Title string
	// Why says in a few sentences what goes wrong otherwise.
	Why string
	// Remedy says in a few sentences how to put it right.
	Remedy string
	// Section names the section of the domain model that the rule enforces.
	Section string
	// Bad and Good are a short example each, in YAML.
	Bad, Good string
	// OffByDefault says that the rule only runs where it is configured or named.
	OffByDefault bool
	// Fixes says that check --fix can correct its findings.
	Fixes bool
	// Unless names rules that tell better what is wrong: where one of them
	// reports the same place, this rule's finding is dropped.
	Unless []string
	// Check reports findings. Rules run side by side.
	Check func(*Pass)
}

// Cluster is a cluster under judgement.
type Cluster struct {
	*repo.Cluster
	State *desired.State
	Graph *graph.Graph
}

// Pass is one run of one rule over a repository.
type Pass struct {
	Context    context.Context
	Rule       *Rule
	Repository *repo.Repository
	// Config is the repository's, defaults filled in.
	Config repo.Config
	// Clusters are those that are judged, ordered by name. Where one was
	// chosen with --cluster the others are still in Repository.Clusters.
	Clusters []*Cluster

	findings []Finding
	notes    []string
}

// Report reports a finding. The rule's name and severity are filled in where
// they are not set.
func (p *Pass) Report(f Finding) {
	if f.Rule == "" {
		f.Rule = p.Rule.Name
	}
	if f.Severity == 0 {
		f.Severity = p.Rule.Severity
	}
	p.findings = append(p.findings, f)
}

// Note tells once what the rule could not judge, and why.
func (p *Pass) Note(text string) { p.notes = append(p.notes, text) }

// Findings returns what was reported, in the order of reporting.
func (p *Pass) Findings() []Finding { return p.findings }

// Notes returns what could not be judged.
func (p *Pass) Notes() []string { return p.notes }
