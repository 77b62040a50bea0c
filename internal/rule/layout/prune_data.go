package layout

import (
	"fmt"

	"hearth/internal/domain"
	"hearth/internal/render/desired"
	"hearth/internal/rule"
)

var pruneData = &rule.Rule{
	Name:     "prune-data",
	Topic:    topic,
	Severity: rule.Info,
	Title:    "A prune reaches no volume claim, volume or database cluster whose data would go with it",
	Why: "Flux deletes what leaves Git: an object that is renamed or moved to another Kustomization, and everything that a renamed or removed Kustomization has applied. " +
		"A claim takes its volume along unless the volume is retained, and an operator deletes the volumes of a database with its cluster object.",
	Remedy: "Put the annotation kustomize.toolkit.fluxcd.io/prune: disabled on the object, or keep it in a Kustomization of its own with prune: false. " +
		"A volume that is retained is no finding: a storage class or volume of the tree with reclaimPolicy Retain.",
	Section: "Resource Dependencies",
	Bad: `apiVersion: postgresql.cnpg.io/v1
kind: Cluster
metadata:
  name: immich
`,
	Good: `apiVersion: postgresql.cnpg.io/v1
kind: Cluster
metadata:
  name: immich
  annotations:
    kustomize.toolkit.fluxcd.io/prune: disabled
`,
	Check: checkPrune,
}

// fluxPrefix begins the labels and annotations that steer Flux.
const fluxPrefix = "kustomize.toolkit.fluxcd.io/"

func isDatabase(o *desired.Object) bool {
	return domain.DatabaseKind(o.GroupVersionKind().Group, o.GetKind())
}

func checkPrune(p *rule.Pass) {
	for _, c := range p.Clusters {
		kept := desired.NewRetention(c.State)
		found := map[domain.Place][]*desired.Object{}
		var order []domain.Place
		for _, o := range c.State.Objects {
			if !appliedHere(o) || !o.Pruned() || !kept.Loses(o) {
				continue
			}
			place := o.Place()
			if found[place] == nil {
				order = append(order, place)
			}
			found[place] = append(found[place], o)
		}
		for _, place := range order {
			reportPrune(p, place, found[place])
		}
	}
}

func keptFromPruning(o *desired.Object) bool {
	return metadata(o, fluxPrefix+"prune") == "disabled" || metadata(o, fluxPrefix+"reconcile") == "disabled"
}

// metadata returns an annotation or label; Flux heeds both.
func metadata(o *desired.Object, key string) string {
	if value, ok := o.GetAnnotations()[key]; ok {
		return value
	}
	return o.GetLabels()[key]
}

// reportPrune reports what one place of the tree becomes: a component makes
// one object in each application.
func reportPrune(p *rule.Pass, place domain.Place, objects []*desired.Object) {
	first := objects[0]
	what := "claim, and with it a volume that is not retained,"
	switch {
	case isDatabase(first):
		what = "database cluster, and with it its volumes,"
	case first.GetKind() == "PersistentVolume":
		what = "volume, and with it the storage behind it,"
	}
	when := "it leaves Git, or it or its Kustomization is renamed"
	if !first.Kustomization.Spec.Prune {
		when = "its Kustomization is removed or renamed"
	}
	message := fmt.Sprintf("this %s is deleted when %s", what, when)
	switch others := len(objects) - 1; others {
	case 0:
	case 1:
		message += fmt.Sprintf("; so is %s", objects[1].Ref)
	default:
		message += fmt.Sprintf("; so are %d like it, %s among them", others, objects[1].Ref)
	}
	p.Report(rule.Finding{Place: place, Object: first.Ref, Message: message, Fix: fluxPrefix + "prune: disabled"})
}
