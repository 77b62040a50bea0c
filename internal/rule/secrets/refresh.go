package secrets

import (
	"fmt"
	"time"

	v1 "hearth/internal/api/externalsecrets/v1"
	"hearth/internal/manifest/edit"
	"hearth/internal/rule"
)

// shortestRefresh is the shortest interval at which a store may be read.
const shortestRefresh = time.Minute

var secretRefresh = &rule.Rule{
	Name:     "secret-refresh",
	Topic:    topic,
	Severity: rule.Error,
	Title:    "No ExternalSecret is refreshed more often than once a minute",
	Why: "Every refresh asks the store for each item. Dozens of ExternalSecrets with an interval of seconds exhaust the rate " +
		"limit of the vault, and then no Secret syncs at all.",
	Remedy: "Use 12h, or whatever a changed value may take to arrive. 0 reads the store once and never again. " +
		"Whoever needs a change at once can trigger a sync by an annotation.",
	Section: "ExternalSecret Specification",
	Bad: "spec:\n" +
		"  refreshInterval: 15s\n",
	Good: "spec:\n" +
		"  refreshInterval: 12h\n",
	Fixes:  true,
	Unless: []string{"interval-format"},
	Check: func(p *rule.Pass) {
		eachExternal(p, func(e *external) { checkRefresh(p, e) })
	},
}

func checkRefresh(p *rule.Pass, e *external) {
	value, ok := e.spec["refreshInterval"]
	if !ok || value == nil || e.typed.RefreshPolicy == v1.RefreshCreatedOnce || e.typed.RefreshPolicy == v1.RefreshOnChange {
		return
	}
	text := fmt.Sprint(value)
	if e.cluster.State.Unknown(text) || text == "0" {
		return
	}
	f := e.finding("refreshInterval")
	f.Text = text
	interval, err := time.ParseDuration(text)
	switch {
	case err != nil:
		f.Message = fmt.Sprintf("the refresh interval %s is no duration, so that External Secrets cannot read %s", text, e.Ref)
		f.Fix = "write it as a number with a unit, such as 12h or 90m"
	case interval < 0 || interval > 0 && interval < shortestRefresh:
		f.Message = fmt.Sprintf("%s reads its store every %s, more often than once a minute", e.Ref, text)
		f.Fix = "use 12h, and no less than 1m"
		f.Edits = lengthen(e, text)
	default:
		return
	}
	p.Report(f)
}

// lengthen sets an interval that stands in Git as it is to the shortest that
// is allowed.
func lengthen(e *external, text string) []edit.Edit {
	doc, at := e.Document()
	if doc == nil {
		return nil
	}
	path := append(at[:len(at):len(at)], e.path("refreshInterval")...)
	if doc.Text(path...) != text || e.Place(e.path("refreshInterval")...) != doc.Place(path...) {
		return nil // a patch or a variable sets it
	}
	return []edit.Edit{edit.Set(doc.File, doc.Line, path, "1m")}
}
