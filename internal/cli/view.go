package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"hearth/internal/domain"
	"hearth/internal/observe"
)

// view is what a look at a cluster shows: some kinds, of some namespace.
type view struct {
	kinds []kindOfView
	shown []observe.Object
	pods  map[domain.Ref][]observe.Object
}

// newView selects what to show. Names that do not exist are an error.
func newView(objects []observe.Object, kinds []kindOfView, namespace string, names []string) (*view, error) {
	v := &view{kinds: kinds, pods: observe.Pods(objects)}
	found := map[string]bool{}
	for _, o := range objects {
		if !kindShown(kinds, o.Kind) ||
			namespace != "" && o.Namespace != namespace || len(names) > 0 && !slices.Contains(names, o.Name) {
			continue
		}
		found[o.Name] = true
		v.shown = append(v.shown, o)
	}
	for _, name := range names {
		if !found[name] {
			where := "in any namespace"
			if namespace != "" {
				where = "in namespace " + namespace
			}
			return nil, fmt.Errorf("there is no %s %q %s", kinds[0].kind, name, where)
		}
	}
	return v, nil
}

// of returns the objects of a kind, as the domain names kinds.
func (v *view) of(kind string) []observe.Object {
	var list []observe.Object
	for _, o := range v.shown {
		if observe.DomainKind(o.Kind) == kind {
			list = append(list, o)
		}
	}
	return list
}

// text writes a table for each kind; several get titles. Width bounds lines, 0
// does not.
func (v *view) text(w io.Writer, width int, p painter, now time.Time) error {
	first := true
	for _, k := range v.kinds {
		list := v.of(k.kind)
		if len(list) == 0 && len(v.kinds) > 1 {
			continue
		}
		if !first {
			if _, err := fmt.Fprintln(w); err != nil {
				return err
			}
		}
		first = false
		if err := v.section(w, k, list, width, p, now); err != nil {
			return err
		}
	}
	if first {
		_, err := fmt.Fprintln(w, "nothing to show")
		return err
	}
	return nil
}

func (v *view) section(w io.Writer, k kindOfView, list []observe.Object, width int, p painter, now time.Time) error {
	if len(list) == 0 {
		_, err := fmt.Fprintf(w, "no %s\n", k.title)
		return err
	}
	if len(v.kinds) > 1 {
		ready, total := 0, 0
		for _, c := range observe.Counts(list) {
			ready, total = ready+c.Ready, total+c.Total
		}
		if _, err := fmt.Fprintf(w, "%s  %d of %d ready\n", k.title, ready, total); err != nil {
			return err
		}
	}
	t := &table{header: []string{"NAMESPACE", "NAME", "STATE", "SINCE", "PODS", "AFTER", "MESSAGE"}, width: width, painter: p}
	for _, o := range list {
		t.add(
			cell{text: printable(o.Namespace)},
			cell{text: printable(nameOf(o))},
			stateCell(o),
			cell{text: age(now, o.Since)},
			cell{text: podStates(v.pods[o.Ref], k.kind)},
			cell{text: cut(dependencies(o), width/4)},
			cell{text: printable(o.Message)},
		)
	}
	return t.write(w)
}

// nameOf names an object, with its kind where its section has several.
func nameOf(o observe.Object) string {
	if observe.DomainKind(o.Kind) == o.Kind {
		return o.Name
	}
	return o.Kind + "/" + o.Name
}

func stateCell(o observe.Object) cell {
	c := cell{text: string(o.State), colour: stateColour(o.Kind, o.State, o.Ready)}
	if o.Suspended {
		c.text, c.colour = c.text+" (suspended)", faint
	}
	return c
}

// podStates says how the pods of a release are: "pods 2 Running, 1
// WaitingSecrets". Completed ones are told apart from those that run.
func podStates(pods []observe.Object, kind string) string {
	if len(pods) == 0 {
		if kind == "HelmRelease" {
			return "no pods"
		}
		return ""
	}
	if kind != "HelmRelease" {
		return ""
	}
	return "pods " + tally(pods)
}

// tally counts pods by state, those that are worst off last.
func tally(pods []observe.Object) string {
	counts := map[string]int{}
	for _, p := range pods {
		counts[podState(p)]++
	}
	var parts []string
	for _, s := range append([]string{string(domain.PodRunning), completed}, otherPodStates()...) {
		if counts[s] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[s], s))
		}
	}
	return strings.Join(parts, ", ")
}

const completed = "completed"

func podState(p observe.Object) string {
	if p.Completed {
		return completed
	}
	return string(p.State)
}

func otherPodStates() []string {
	m, _ := domain.MachineFor("Pod")
	var list []string
	for _, s := range m.States {
		if s.State != domain.PodRunning {
			list = append(list, string(s.State))
		}
	}
	return list
}

// dependencies names what an object waits for, with the namespace where it is
// another one.
func dependencies(o observe.Object) string {
	var names []string
	for _, d := range o.DependsOn {
		name := d.Name
		if d.Namespace != o.Namespace {
			name = d.Namespace + "/" + name
		}
		names = append(names, printable(name))
	}
	return strings.Join(names, ", ")
}

// age says how long ago something was, in at most two units.
func age(now, then time.Time) string {
	if then.IsZero() {
		return ""
	}
	d := max(0, now.Sub(then))
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd%dh", int(d.Hours())/24, int(d.Hours())%24)
}

// viewObject is the JSON form of an object.
type viewObject struct {
	domain.Ref
	State     domain.State   `json:"state"`
	Ready     bool           `json:"ready"`
	Message   string         `json:"message"`
	Since     *time.Time     `json:"since,omitempty"`
	Suspended bool           `json:"suspended,omitempty"`
	Completed bool           `json:"completed,omitempty"`
	Owner     *domain.Ref    `json:"owner,omitempty"`
	DependsOn []domain.Ref   `json:"dependsOn,omitempty"`
	Pods      map[string]int `json:"pods,omitempty"`
}

// json returns what `-o json` prints.
func (v *view) json() any {
	list := []viewObject{}
	for _, k := range v.kinds {
		for _, o := range v.of(k.kind) {
			list = append(list, v.jsonObject(o))
		}
	}
	return map[string]any{"objects": list}
}

func (v *view) jsonObject(o observe.Object) viewObject {
	j := viewObject{
		Ref: o.Ref, State: o.State, Ready: o.Ready, Message: o.Message,
		Suspended: o.Suspended, Completed: o.Completed, DependsOn: o.DependsOn,
	}
	if !o.Since.IsZero() {
		j.Since = &o.Since
	}
	if o.Owner != (domain.Ref{}) {
		j.Owner = &o.Owner
	}
	if pods := v.pods[o.Ref]; len(pods) > 0 && o.Kind == "HelmRelease" {
		j.Pods = map[string]int{}
		for _, p := range pods {
			j.Pods[podState(p)]++
		}
	}
	return j
}
