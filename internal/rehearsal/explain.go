package rehearsal

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/diagnose"
	"hearth/internal/diagnose/causes"
	"hearth/internal/diagnose/report"
	"hearth/internal/domain"
	"hearth/internal/kube/objects"
	"hearth/internal/kube/scheme"
	"hearth/internal/observe"
)

// explain tells why what is not ready is not, as things stand now. settled
// says that nothing is going to change by itself.
func (s *Stage) explain(ctx context.Context, settled bool) (*diagnose.Report, error) {
	// Not from memory, which knows nothing of who manages which field.
	world, err := s.look(ctx, nil, settled)
	if err != nil {
		return nil, err
	}
	world.Places = diagnose.Index{Index: s.index}
	world.Items = s.itemTitles()
	return causes.Explain(ctx, world, diagnose.Options{History: diagnose.OpenHistory(s.origin)}), nil
}

// look reads what causes are looked for in, but for what known has in memory.
func (s *Stage) look(ctx context.Context, known *objects.Objects, settled bool) (*diagnose.World, error) {
	direct, err := client.New(s.kubernetes.Config(), client.Options{Scheme: scheme.New(), Mapper: s.engine.client.RESTMapper()})
	if err != nil {
		return nil, fmt.Errorf("look for causes: %w", err)
	}
	world, err := diagnose.Gather(ctx, known, direct)
	if err != nil {
		return nil, fmt.Errorf("look for causes: %w", err)
	}
	world.Settled = settled
	return world, nil
}

// explainTimeout bounds how long a report waits for its causes.
const explainTimeout = 30 * time.Second

// othersDown reports whether something is in trouble although all that is
// counted is ready: a gateway without an address, a certificate that is refused.
// Where that cannot be told it is not taken to be well: the report says why.
func (s *Stage) othersDown(ctx context.Context) bool {
	world, err := s.look(ctx, s.objects, true)
	return err != nil || len(world.Down()) > 0
}

// findCauses adds to a report why what failed did. A rehearsal in which
// something is in trouble has failed, whether it is counted or not.
func (s *Stage) findCauses(ctx context.Context, r *Report) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), explainTimeout)
	defer cancel()
	found, err := s.explain(ctx, r.Incomplete == "")
	if err != nil {
		r.Problems = append(r.Problems, err.Error())
		return
	}
	if r.Verdict == Converged && len(found.Down) == 0 {
		return
	}
	var text bytes.Buffer
	if err := report.JSON(&text, found); err != nil {
		r.Problems = append(r.Problems, err.Error())
		return
	}
	r.Explanation, r.found = text.Bytes(), found
	r.listOthers()
	r.addOthers(s.watcher.All())
	r.locate(found)
}

// listOthers lists what is in trouble of the kinds that are not counted. Where
// all that is counted is ready, that is why the rehearsal failed.
func (r *Report) listOthers() {
	for _, down := range r.found.Down {
		_, counted := r.Counts[down.Object.Kind]
		if !counted && (r.Verdict == Converged || observe.Further(down.Object.Kind)) {
			r.Objects = append(r.Objects, Object{Ref: down.Object, State: down.State, Message: down.Message})
		}
	}
	r.Verdict, r.Timeline.Verdict = Failed, string(Failed)
}

// addOthers lets the rows tell what is in trouble of the kinds that are not
// counted, each with the Kustomization that brought it.
func (r *Report) addOthers(all []observe.Object) {
	owners := map[domain.Ref]domain.Ref{}
	for _, o := range all {
		owners[o.Ref] = o.Owner
	}
	for _, down := range r.found.Down {
		if !observe.Further(down.Object.Kind) || owners[down.Object] == (domain.Ref{}) {
			continue
		}
		i := slices.IndexFunc(r.tree, func(row row) bool { return row.object.Ref == owners[down.Object] })
		if i >= 0 && !slices.ContainsFunc(r.tree[i].causes, func(c cause) bool { return c.about == down.Object }) && len(r.tree[i].causes) < maxCauses {
			text := fmt.Sprintf("%s is %s: %s", down.Object, down.State, down.Message)
			r.tree[i].causes = append(r.tree[i].causes, cause{text: text, about: down.Object})
		}
	}
}

// locate lets what is not ready name the lines that its causes name: they are
// narrower than the object's own.
func (r *Report) locate(found *diagnose.Report) {
	direct, blocked := map[domain.Ref]domain.Place{}, map[domain.Ref]domain.Place{}
	note := func(places map[domain.Ref]domain.Place, ref domain.Ref, place domain.Place) {
		if _, known := places[ref]; !known && place.Known() {
			places[ref] = place
		}
	}
	for _, f := range found.Findings {
		for _, key := range append([]diagnose.Key{f.Subject}, f.Explains...) {
			note(direct, diagnose.RefOf(key), f.Place)
		}
		for _, affected := range f.Blocked {
			note(blocked, affected.Object, f.Place)
		}
	}
	for i := range r.Objects {
		if o := &r.Objects[i]; !o.ready && direct[o.Ref].Known() {
			o.Place = direct[o.Ref]
		}
	}
	for _, row := range r.tree {
		for i := range row.causes {
			c := &row.causes[i]
			if place := cmp.Or(direct[c.about], blocked[c.about]); place.Known() {
				c.place = place
			}
		}
	}
}

// itemTitles returns the titles of the vault's items.
func (s *Stage) itemTitles() []string {
	var titles []string
	for _, vault := range s.engine.vault.Vaults() {
		for _, item := range vault.Items {
			if !s.faults.On(domain.FaultItemMissing, item.Title) {
				titles = append(titles, item.Title)
			}
		}
	}
	slices.Sort(titles)
	return slices.Compact(titles)
}
