package diff

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	utiljson "k8s.io/apimachinery/pkg/util/json"

	"hearth/internal/domain"
	"hearth/internal/render"
)

// placed is an item, and the unit that brings it.
type placed struct {
	*Item
	unit *Unit
}

// comparison is the work on two snapshots.
type comparison struct {
	report        *Report
	before, after map[render.Key][]placed
	apps          map[domain.Ref]*Application
}

// Compare tells what changes from one snapshot to the other.
func Compare(before, after *Snapshot) (*Report, error) {
	pair(before, after)
	c := &comparison{
		report: &Report{Base: before.Revision, Revision: after.Revision},
		before: itemsOf(before), after: itemsOf(after),
		apps: map[domain.Ref]*Application{},
	}
	for key, items := range c.before {
		if err := c.object(key, items, c.after[key]); err != nil {
			return nil, err
		}
	}
	for key, items := range c.after {
		if len(c.before[key]) == 0 {
			if err := c.object(key, nil, items); err != nil {
				return nil, err
			}
		}
	}
	c.releases(before, after)
	c.sort()
	return c.report, nil
}

// itemsOf returns the items of each key. What bootstrap supplies does not count
// where a Kustomization or release brings it, too.
func itemsOf(s *Snapshot) map[render.Key][]placed {
	items := map[render.Key][]placed{}
	for _, u := range s.Units {
		for _, i := range u.Items {
			items[i.Key] = append(items[i.Key], placed{i, u})
		}
	}
	for key, list := range items {
		own := slices.DeleteFunc(slices.Clone(list), func(p placed) bool { return p.unit.App == bootstrap })
		if len(own) > 0 && len(own) < len(list) {
			items[key] = own
		}
	}
	return items
}

// object compares all that is brought under one key. Mostly that is one object
// on each side; of several the last is what the cluster ends with.
func (c *comparison) object(key render.Key, before, after []placed) error {
	var old, now placed
	if len(before) > 0 {
		old = before[len(before)-1]
	}
	if len(after) > 0 {
		now = after[len(after)-1]
	}
	if unknown(old, now) {
		return nil
	}
	moved := old.Item != nil && now.Item != nil && old.unit.App != now.unit.App
	if old.Item != nil && now.Item != nil && old.Sum == now.Sum && !moved {
		return nil
	}
	o := &Object{Key: key, Kind: Changed}
	var err error
	if o.Before, err = old.content(); err != nil {
		return err
	}
	if o.After, err = now.content(); err != nil {
		return err
	}
	owner := now
	switch {
	case old.Item == nil:
		o.Kind, o.Place = Added, now.Place
	case now.Item == nil:
		o.Kind, o.Place, owner = Removed, old.Place, old
	default:
		o.Place = now.Place
		o.Fields = fieldsOf(o.Before, o.After)
		hidden := slices.DeleteFunc(slices.Clone(o.Fields), isNoise)
		if len(hidden) == 0 && !moved {
			if len(o.Fields) > 0 {
				c.report.Hidden++
			}
			return nil
		}
		o.Fields = hidden
		for i := range o.Fields {
			o.Fields[i].Place = now.placeOf(o.Fields[i])
		}
	}
	if moved {
		o.From = &old.unit.App
	}
	o.Verdicts = verdicts(o, old, now)
	app := c.app(owner.unit.App)
	app.Objects = append(app.Objects, o)
	return nil
}

// unknown reports whether an object only seems to come or go, since what would
// bring it cannot be built on the other side.
func unknown(old, now placed) bool {
	switch {
	case old.Item == nil:
		return now.unit.otherMissing
	case now.Item == nil:
		return old.unit.otherMissing
	}
	return false
}

func (p placed) content() (map[string]any, error) {
	if p.Item == nil {
		return nil, nil
	}
	var o map[string]any
	if err := utiljson.Unmarshal(p.Content, &o); err != nil {
		return nil, fmt.Errorf("%s: %w", p.Ref(), err)
	}
	return o, nil
}

// placeOf returns where the value of a field comes from; of one that is gone,
// where its object stands.
func (p placed) placeOf(f Field) domain.Place {
	if p.object == nil || f.Kind == Removed {
		return p.Place
	}
	return p.object.Place(indexed(f.steps)...)
}

func (c *comparison) app(of domain.Ref) *Application {
	if c.apps[of] == nil {
		c.apps[of] = &Application{Of: of}
		c.report.Applications = append(c.report.Applications, c.apps[of])
	}
	return c.apps[of]
}

func (c *comparison) sort() {
	slices.SortFunc(c.report.Applications, func(a, b *Application) int {
		return cmp.Or(strings.Compare(a.Of.Namespace, b.Of.Namespace), strings.Compare(a.Of.Name, b.Of.Name), strings.Compare(a.Of.Kind, b.Of.Kind))
	})
	for _, app := range c.report.Applications {
		slices.SortFunc(app.Objects, func(a, b *Object) int {
			return cmp.Or(a.Ref().Compare(b.Ref()), strings.Compare(a.Key.Group, b.Key.Group))
		})
		slices.SortFunc(app.Charts, func(a, b ChartChange) int { return a.Release.Compare(b.Release) })
	}
}

// equal compares two values as JSON, in which 1 and 1.0 are the same.
func equal(a, b any) bool { return jsonOf(a) == jsonOf(b) }

// jsonOf writes what was read from JSON, which never fails.
func jsonOf(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(text)
}
