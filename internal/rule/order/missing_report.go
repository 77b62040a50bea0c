package order

import (
	"fmt"
	"slices"

	"hearth/internal/manifest/edit"
	"hearth/internal/render/desired"
	"hearth/internal/rule"
)

// report reports one need.
func (n *needs) report(p *rule.Pass, m *need) {
	if n.isToldAlready(m) {
		return
	}
	f := rule.Finding{Place: m.of.Object.Place("spec", "dependsOn"), Object: m.of.Object.Ref, Severity: rule.Info, Message: m.message()}
	if m.certain && m.sort <= before {
		f.Severity = rule.Error
	}
	switch {
	case m.sort == together || m.sort == below:
		f.Place, f.Object = m.first.Place(), m.first.Ref
	case m.sort == beside:
		f.Place, f.Object = m.from.Object.Place("spec", "dependsOn"), m.from.Object.Ref
		if !n.releases.dependsOn(m.brings, m.from) {
			f.Fix = "dependsOn: " + inline(m.brings.Object, m.from.Namespace)
		}
	case n.Graph.DependsOn(m.on, m.of):
		// Depending on it would close a circle.
	default:
		f.Fix = "dependsOn: " + inline(m.on.Object, m.of.Namespace)
		if f.Severity == rule.Error {
			f.Edits = insertDependency(m.of.Object, m.on.Object, m.of.Namespace)
		}
	}
	p.Report(f)
}

// isToldAlready reports whether a worse need of the same two is told, too: one
// dependency serves both.
func (n *needs) isToldAlready(m *need) bool {
	for _, worse := range []sort{below, before, rendered} {
		if worse < m.sort && m.sort != beside && n.found[needKey{of: m.of, on: m.on, sort: worse}] != nil {
			return true
		}
	}
	return false
}

// message says what is needed, who brings it, and what happens without.
func (m *need) message() string {
	k, on, kind := m.of.Object.Ref, m.on.Object.Ref, m.first.GetKind()
	what := m.first.Ref.String()
	if m.count > 1 {
		what = fmt.Sprintf("%s and %d more", what, m.count-1)
	}
	brings, fails := "brings the definition", "fails"
	if !m.certain {
		brings, fails = "by its chart's name brings the definition", "may fail"
	}
	switch m.sort {
	case together:
		return fmt.Sprintf("%s %s of this %s and is applied together with it by %s: on a new cluster that %s, and then the release is never installed",
			m.brings.Object.Ref, brings, kind, k, fails)
	case below:
		return fmt.Sprintf("%s %s of this %s, and is itself applied together with it by %s: on a new cluster that %s, and then neither is ever there", on, brings, kind, k, fails)
	case before:
		return fmt.Sprintf("%s applies %s without depending on %s, which %s: on a new cluster the apply %s", k, what, on, brings, fails)
	case rendered:
		return fmt.Sprintf("%s installs %s without depending on %s, which %s: on a new cluster the release %s and is tried again", k, what, on, brings, fails)
	case beside:
		return fmt.Sprintf("%s installs %s without depending on %s, which %s: on a new cluster it %s and is tried again", m.from.Object.Ref, what, m.brings.Object.Ref, brings, fails)
	}
	return fmt.Sprintf("%s applies %s without depending on %s, which brings the store: until that is there the secret fails and is tried again", k, what, on)
}

// inline writes an entry of dependsOn in one line.
func inline(on *desired.Object, namespace string) string {
	entry := "- name: " + on.GetName()
	if on.GetNamespace() != namespace {
		entry += ", namespace: " + on.GetNamespace()
	}
	return entry
}

// insertDependency adds an entry to dependsOn where the object's own document
// says what it depends on; a patch would override it elsewhere.
func insertDependency(o, on *desired.Object, namespace string) []edit.Edit {
	doc, at := o.Document()
	if doc == nil {
		return nil
	}
	if by, node := o.Node("spec", "dependsOn"); node != nil && by != doc {
		return nil
	}
	entry := "- name: " + on.GetName()
	if on.GetNamespace() != namespace {
		entry += "\n  namespace: " + on.GetNamespace()
	}
	return []edit.Edit{edit.Insert(doc.File, doc.Line, append(slices.Clip(at), "spec", "dependsOn"), entry)}
}
