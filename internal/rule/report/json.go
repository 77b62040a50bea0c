package report

import (
	"encoding/json"
	"io"

	"hearth/internal/rule"
)

// The JSON of a report. Its shape is part of Hearth's interface.
type (
	jsonReport struct {
		Findings []jsonFinding `json:"findings"`
		Counts   jsonCounts    `json:"counts"`
	}
	jsonFinding struct {
		Rule     string `json:"rule"`
		Severity string `json:"severity"`
		File     string `json:"file"`
		// Line and Column count from 1; 0 where they are not known.
		Line    int    `json:"line"`
		Column  int    `json:"column"`
		Object  string `json:"object"`
		Message string `json:"message"`
		Fix     string `json:"fix"`
	}
	jsonCounts struct {
		Error   int `json:"error"`
		Warning int `json:"warning"`
		Info    int `json:"info"`
		Fixed   int `json:"fixed"`
	}
)

// JSON writes a report as one JSON document.
func JSON(w io.Writer, r *rule.Report, _ Options) error {
	report := jsonReport{
		Findings: []jsonFinding{},
		Counts:   jsonCounts{r.Count(rule.Error), r.Count(rule.Warning), r.Count(rule.Info), len(r.Fixed)},
	}
	for _, f := range r.Findings {
		report.Findings = append(report.Findings, jsonFinding{
			Rule: f.Rule, Severity: f.Severity.String(), File: f.Place.File, Line: f.Place.Line, Column: f.Column,
			Object: object(f), Message: f.Message, Fix: f.Fix,
		})
	}
	return writeJSON(w, report)
}

func writeJSON(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}
