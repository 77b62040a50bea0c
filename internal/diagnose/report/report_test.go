package report

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"hearth/internal/diagnose"
	"hearth/internal/domain"
)

func sample() *diagnose.Report {
	return &diagnose.Report{
		Objects: 3, Unseen: []string{"Node: may not be read"},
		Findings: []*diagnose.Finding{{
			Cause: "item-missing", Title: "The vault has no such item", Sentence: "No item <b>.", Fix: "Make it.", Confidence: diagnose.High,
			Subject:  diagnose.Key{Kind: "Item", Name: "immich"},
			Evidence: []diagnose.Evidence{{Object: domain.Ref{Kind: "ExternalSecret", Namespace: "media", Name: "immich"}, Field: "condition", Text: "no item"}},
			Place:    domain.Place{File: "app/secrets.yaml", Line: 7},
			Commit:   &diagnose.Commit{Hash: "0123456789abcdef", Time: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC), Subject: "Add it"},
			Commands: []string{"kubectl get pods"}, Blocked: []diagnose.Affected{{Object: domain.Ref{Kind: "Pod", Namespace: "media", Name: "a"}, State: "WaitingSecrets"}},
		}},
		Unexplained: []*diagnose.Unexplained{{Affected: diagnose.Affected{Object: domain.Ref{Kind: "Pod", Name: "b"}, State: "Failed"}, LookedAt: []string{"its status"}}},
	}
}

func TestForms(t *testing.T) {
	var text, page, data bytes.Buffer
	for _, err := range []error{Text(&text, sample(), Style{}), Markdown(&page, sample()), JSON(&data, sample())} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{
		"The vault has no such item  item-missing, confidence high\n", "  at       app/secrets.yaml:7, by 01234567 of 2026-01-02: Add it\n",
		"  blocks   1 object\n           Pod media/a is WaitingSecrets\n", "No cause found\n  Pod b is Failed\n  looked   at its status\n",
		"not looked at: Node: may not be read\n", "1 cause, 1 symptom without one, 1 object in trouble because of them; 3 objects looked at\n",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the text lacks %q:\n%s", want, &text)
		}
	}
	if !strings.Contains(page.String(), "No item &lt;b&gt;.") || !strings.Contains(page.String(), "## No cause found for Pod b") {
		t.Errorf("the page is wrong:\n%s", &page)
	}
	var got struct {
		Findings []struct {
			Subject struct{ Kind, Name string }
			Place   struct{ Line int }
		}
		Unexplained []struct{ State string }
	}
	if err := json.Unmarshal(data.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Findings) != 1 || got.Findings[0].Subject.Name != "immich" || got.Findings[0].Place.Line != 7 || len(got.Unexplained) != 1 || got.Unexplained[0].State != "Failed" {
		t.Errorf("the JSON is wrong: %s", &data)
	}
}

func TestHealthySummary(t *testing.T) {
	if got := Summary(&diagnose.Report{Objects: 5}); got != "nothing is wrong; 5 objects looked at" {
		t.Error(got)
	}
}
