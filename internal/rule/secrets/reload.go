package secrets

import (
	"fmt"
	"slices"

	v1 "hearth/internal/api/externalsecrets/v1"
	"hearth/internal/graph"
	"hearth/internal/render/desired"
	"hearth/internal/rule"
)

var secretReload = &rule.Rule{
	Name:     "secret-reload",
	Topic:    topic,
	Severity: rule.Warning,
	Title:    "Workloads that use a synced Secret are restarted by Reloader when it changes",
	Why: "Applications read their environment and most files once, when they start. When a password changes in the store, the " +
		"Secret follows within hours, and the application goes on with the old one until it happens to restart. The rule " +
		"speaks only of clusters that run Reloader.",
	Remedy: "Name the Secret in the annotation secret.reloader.stakater.com/reload of the controller, or set " +
		"reloader.stakater.com/auto to \"true\" to follow all that it uses.",
	Section: "Capsule: SecretRefreshCycle",
	Bad: "controllers:\n" +
		"  server:\n" +
		"    containers:\n" +
		"      app:\n" +
		"        envFrom:\n" +
		"          - secretRef:\n" +
		"              name: immich-secret\n",
	Good: "controllers:\n" +
		"  server:\n" +
		"    annotations:\n" +
		"      secret.reloader.stakater.com/reload: immich-secret\n" +
		"    containers:\n" +
		"      app:\n" +
		"        envFrom:\n" +
		"          - secretRef:\n" +
		"              name: immich-secret\n",
	Fixes: true,
	Check: func(p *rule.Pass) {
		unseen := 0
		for _, c := range p.Clusters {
			reloaders := reloadersOf(c)
			if len(reloaders) == 0 {
				continue
			}
			w := &reload{Pass: p, cluster: c, reloaders: reloaders}
			for _, kind := range []string{"Deployment", "StatefulSet", "DaemonSet"} {
				for _, o := range c.State.OfKind("apps", kind) {
					w.workload(o)
				}
			}
			unseen += absent(c)
		}
		noteAbsent(p, unseen)
	},
}

// reload judges the workloads of a cluster that runs Reloader.
type reload struct {
	*rule.Pass
	cluster   *rule.Cluster
	reloaders []reloader
}

// use is a synced Secret that a workload uses, and where it says so.
type use struct {
	name string
	path []string
}

func (w *reload) workload(o *desired.Object) {
	var watching []reloader
	for _, r := range w.reloaders {
		if r.watches(o.GetNamespace()) {
			watching = append(watching, r)
		}
	}
	if len(watching) == 0 {
		return
	}
	var missed []use
	for _, u := range w.synced(o) {
		if !slices.ContainsFunc(watching, func(r reloader) bool { return r.restarts(o, u.name, w.annotations(o.GetNamespace(), u.name)) }) {
			missed = append(missed, u)
		}
	}
	if len(missed) == 0 {
		return
	}
	f := rule.Finding{
		Place: o.Place(missed[0].path...), Text: missed[0].name, Object: o.Ref,
		Message: fmt.Sprintf("%s does not tell Reloader that it uses %s, and keeps the old values until it restarts", o.Ref, secretsNamed(missed)),
		Fix:     fmt.Sprintf("annotate it with %s: %s", watching[0].reload, joined(missed)),
		Edits:   annotate(o, watching[0], missed),
	}
	w.Report(f)
}

// synced returns the Secrets of a workload that an ExternalSecret keeps up to
// date, each once.
func (w *reload) synced(o *desired.Object) []use {
	var list []use
	for _, ref := range graph.References(o) {
		if ref.Kind != "Secret" || ref.Group != "" || slices.Contains(ref.Path, "imagePullSecrets") || w.cluster.State.Unknown(ref.Name) {
			continue
		}
		if slices.ContainsFunc(list, func(u use) bool { return u.name == ref.Name }) {
			continue
		}
		by, _ := w.cluster.Graph.Provider("", "Secret", ref.Namespace, ref.Name)
		if by != nil && by.GetKind() == "ExternalSecret" && by.GroupVersionKind().Group == group && w.refreshes(by) {
			list = append(list, use{ref.Name, ref.Path})
		}
	}
	return list
}

// refreshes reports whether an ExternalSecret ever changes its Secret again.
func (w *reload) refreshes(o *desired.Object) bool {
	e := newExternal(w.cluster, o, "spec")
	interval := e.typed.RefreshInterval
	return e.typed.RefreshPolicy != v1.RefreshCreatedOnce && e.typed.RefreshPolicy != v1.RefreshOnChange &&
		(interval == nil || interval.Duration != 0) && !e.typed.Target.Immutable
}

// annotations returns those that a synced Secret gets.
func (w *reload) annotations(namespace, name string) map[string]string {
	by, _ := w.cluster.Graph.Provider("", "Secret", namespace, name)
	if by == nil {
		return nil
	}
	if template := newExternal(w.cluster, by, "spec").typed.Target.Template; template != nil {
		return template.Metadata.Annotations
	}
	return by.GetAnnotations()
}

func secretsNamed(missed []use) string {
	switch len(missed) {
	case 1:
		return "the synced Secret " + missed[0].name
	case 2:
		return fmt.Sprintf("the synced Secrets %s and %s", missed[0].name, missed[1].name)
	}
	return fmt.Sprintf("the synced Secrets %s and %d others", missed[0].name, len(missed)-1)
}

func joined(missed []use) string {
	text := ""
	for i, u := range missed {
		if i > 0 {
			text += ","
		}
		text += u.name
	}
	return text
}
