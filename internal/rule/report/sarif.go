package report

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/url"
	"path"
	"slices"

	"hearth/internal/rule"
)

// SARIF 2.1.0 (OASIS), as far as Hearth has something to say in it.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool        sarifTool                `json:"tool"`
		Invocations []sarifInvocation        `json:"invocations"`
		Bases       map[string]sarifLocation `json:"originalUriBaseIds"`
		ColumnKind  string                   `json:"columnKind"`
		Results     []sarifResult            `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version,omitempty"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID         string        `json:"id"`
		Short      *sarifMessage `json:"shortDescription,omitempty"`
		Full       *sarifMessage `json:"fullDescription,omitempty"`
		Help       *sarifMessage `json:"help,omitempty"`
		Defaults   sarifLevel    `json:"defaultConfiguration"`
		Properties *sarifTags    `json:"properties,omitempty"`
	}
	sarifLevel struct {
		Level string `json:"level"`
	}
	sarifTags struct {
		Tags []string `json:"tags"`
	}
	sarifMessage struct {
		Text string `json:"text"`
	}
	sarifInvocation struct {
		Successful    bool                `json:"executionSuccessful"`
		Notifications []sarifNotification `json:"toolExecutionNotifications,omitempty"`
	}
	sarifNotification struct {
		Level   string          `json:"level"`
		Message sarifMessage    `json:"message"`
		Rule    *sarifReference `json:"associatedRule,omitempty"`
	}
	sarifReference struct {
		ID string `json:"id"`
	}
	sarifResult struct {
		RuleID       string            `json:"ruleId"`
		RuleIndex    int               `json:"ruleIndex"`
		Level        string            `json:"level"`
		Message      sarifMessage      `json:"message"`
		Locations    []sarifPlace      `json:"locations,omitempty"`
		Fingerprints map[string]string `json:"partialFingerprints"`
	}
	sarifPlace struct {
		Physical sarifPhysical  `json:"physicalLocation"`
		Logical  []sarifLogical `json:"logicalLocations,omitempty"`
	}
	sarifPhysical struct {
		Artifact sarifLocation `json:"artifactLocation"`
		Region   *sarifRegion  `json:"region,omitempty"`
	}
	sarifLocation struct {
		URI         string        `json:"uri,omitempty"`
		Base        string        `json:"uriBaseId,omitempty"`
		Description *sarifMessage `json:"description,omitempty"`
	}
	sarifRegion struct {
		Line   int `json:"startLine"`
		Column int `json:"startColumn,omitempty"`
	}
	sarifLogical struct {
		Name string `json:"fullyQualifiedName"`
		Kind string `json:"kind"`
	}
)

const (
	sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
	sarifRoot   = "%SRCROOT%"
)

// SARIF writes a report as a SARIF 2.1.0 log, which code scanners read.
func SARIF(w io.Writer, r *rule.Report, o Options) error {
	run := sarifRun{
		Tool:        sarifTool{sarifDriver{Name: "hearth", Version: o.Version, Rules: []sarifRule{}}},
		Invocations: []sarifInvocation{{Successful: true}},
		Bases:       map[string]sarifLocation{sarifRoot: {Description: &sarifMessage{"the root of the Git repository"}}},
		ColumnKind:  "unicodeCodePoints",
		Results:     []sarifResult{},
	}
	for _, name := range r.Rules {
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRuleOf(name, o.Rules))
	}
	for _, n := range r.Notes {
		note := sarifNotification{Level: "note", Message: sarifMessage{n.Text}}
		if n.Rule != "" {
			note.Rule = &sarifReference{n.Rule}
		}
		run.Invocations[0].Notifications = append(run.Invocations[0].Notifications, note)
	}
	seen := map[string]int{}
	for _, f := range r.Findings {
		result := sarifResultOf(f, o.Prefix)
		result.RuleIndex = slices.Index(r.Rules, f.Rule)
		id := fingerprint(f)
		seen[id]++
		result.Fingerprints = map[string]string{"hearth/v1": fmt.Sprintf("%s:%d", id, seen[id])}
		run.Results = append(run.Results, result)
	}
	return writeJSON(w, sarifLog{Schema: sarifSchema, Version: "2.1.0", Runs: []sarifRun{run}})
}

func sarifRuleOf(name string, rules []*rule.Rule) sarifRule {
	described := sarifRule{ID: name, Defaults: sarifLevel{"warning"}}
	if known, ok := rule.Find(rules, name); ok {
		described.Short = &sarifMessage{known.Title + "."}
		described.Full = &sarifMessage{known.Why}
		described.Help = &sarifMessage{known.Remedy}
		described.Defaults = sarifLevel{sarifLevelOf(known.Severity)}
		described.Properties = &sarifTags{[]string{known.Topic}}
	}
	return described
}

func sarifResultOf(f rule.Finding, prefix string) sarifResult {
	result := sarifResult{RuleID: f.Rule, Level: sarifLevelOf(f.Severity), Message: sarifMessage{f.Message + "."}}
	if f.Fix != "" {
		result.Message.Text += " Fix: " + f.Fix
	}
	if !f.Place.Known() {
		return result
	}
	uri := url.URL{Path: path.Join(prefix, f.Place.File)}
	place := sarifPlace{Physical: sarifPhysical{Artifact: sarifLocation{URI: uri.EscapedPath(), Base: sarifRoot}}}
	if f.Place.Line > 0 {
		place.Physical.Region = &sarifRegion{f.Place.Line, f.Column}
	}
	if name := object(f); name != "" {
		place.Logical = []sarifLogical{{name, "resource"}}
	}
	result.Locations = []sarifPlace{place}
	return result
}

// fingerprint names a finding wherever its line moves.
func fingerprint(f rule.Finding) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q", f.Rule, f.Place.File, object(f), f.Excerpt.Text))
	return hex.EncodeToString(sum[:16])
}

func sarifLevelOf(s rule.Severity) string {
	switch s {
	case rule.Error:
		return "error"
	case rule.Warning:
		return "warning"
	}
	return "note"
}
