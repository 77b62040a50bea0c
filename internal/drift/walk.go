package drift

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"
)

// step leads from a value to one inside it: text is how the path is written,
// name how the object as asked for has it, managed how managed fields do.
type step struct{ text, name, managed string }

// comparison gathers the fields in which two states of an object differ.
type comparison struct {
	// owners wrote the live object; shape are all that know how lists are kept.
	owners, shape []owner
	secret        bool
	fields        []Field
}

func (c *comparison) walk(path []step, live, asked any) {
	if equality.Semantic.DeepEqual(live, asked) {
		return
	}
	liveMap, liveIs := live.(map[string]any)
	askedMap, askedIs := asked.(map[string]any)
	if (liveIs || live == nil) && (askedIs || asked == nil) && len(liveMap)+len(askedMap) > 0 {
		c.walkMap(path, liveMap, askedMap)
		return
	}
	liveList, liveIs := live.([]any)
	askedList, askedIs := asked.([]any)
	if liveIs && askedIs && c.walkList(path, liveList, askedList) {
		return
	}
	c.found(path, live, asked)
}

func (c *comparison) walkMap(path []step, live, asked map[string]any) {
	names := slices.Collect(maps.Keys(live))
	for name := range asked {
		if _, both := live[name]; !both {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		c.walk(append(path[:len(path):len(path)], step{"." + plain(name), name, "f:" + name}), live[name], asked[name])
	}
}

// plain writes the name of a field so that its dots are not taken for steps.
func plain(name string) string {
	if strings.ContainsAny(name, ".[]") {
		return strconv.Quote(name)
	}
	return name
}

// walkList compares lists whose items have names of their own. It reports
// whether they do; others are a whole.
func (c *comparison) walkList(path []step, live, asked []any) bool {
	identify := identifier(c.shape, path)
	if identify == nil {
		return false
	}
	a, okA := identified(live, identify)
	b, okB := identified(asked, identify)
	if !okA || !okB {
		return false
	}
	for i, s := range b.steps {
		s.name = strconv.Itoa(i)
		item := append(path[:len(path):len(path)], s)
		if there, ok := a.values[s.managed]; ok {
			c.walk(item, there, asked[i])
		} else {
			c.found(item, nil, asked[i])
		}
	}
	for i, s := range a.steps {
		if _, ok := b.values[s.managed]; !ok {
			s.name = strconv.Itoa(i)
			c.found(append(path[:len(path):len(path)], s), live[i], nil)
		}
	}
	return true
}

type items struct {
	steps  []step
	values map[string]any
}

// identified names the items of a list; ok is false where two have one name.
func identified(list []any, identify func(any) (step, bool)) (found items, ok bool) {
	found.values = map[string]any{}
	for _, item := range list {
		s, ok := identify(item)
		if _, twice := found.values[s.managed]; !ok || twice {
			return found, false
		}
		found.steps = append(found.steps, s)
		found.values[s.managed] = item
	}
	return found, true
}

// identifier returns how the items of a list are told apart, nil where they
// are not.
func identifier(owners []owner, path []step) func(any) (step, bool) {
	if keys := keysAt(owners, path); len(keys) > 0 {
		names := slices.Sorted(maps.Keys(keys[0]))
		return func(item any) (step, bool) { return byKeys(item, names) }
	}
	if isSetAt(owners, path) {
		return func(item any) (step, bool) {
			text, err := json.Marshal(item)
			return step{text: "[" + fmt.Sprint(item) + "]", managed: "v:" + string(text)}, err == nil
		}
	}
	return nil
}

// byKeys names an item by the values of its keys.
func byKeys(item any, names []string) (step, bool) {
	fields, ok := item.(map[string]any)
	if !ok {
		return step{}, false
	}
	var texts []string
	key := map[string]any{}
	for _, name := range names {
		value, ok := fields[name]
		if !ok {
			return step{}, false
		}
		key[name] = value
		texts = append(texts, fmt.Sprintf("%s=%v", name, value))
	}
	text, err := json.Marshal(key) // as the server writes it: sorted
	return step{text: "[" + strings.Join(texts, ",") + "]", managed: "k:" + string(text)}, err == nil
}

func (c *comparison) found(path []step, live, asked any) {
	last, ours := changedBy(c.owners, path)
	f := Field{Asked: asked, Live: live, Manager: last.manager, Time: last.time, Ours: ours || last.manager == ""}
	var text strings.Builder
	for _, s := range path {
		text.WriteString(s.text)
		f.Steps = append(f.Steps, s.name)
	}
	f.Path = strings.TrimPrefix(text.String(), ".")
	if c.secret {
		f.Asked, f.Live, f.Secret = nil, nil, true
	}
	c.fields = append(c.fields, f)
}
