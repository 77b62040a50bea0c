package registry_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hearth/internal/engine/dns/plan"
	"hearth/internal/engine/dns/record"
	"hearth/internal/engine/dns/registry"
)

// The form is that of External-DNS' docs/registry/txt.md.
func TestLabel(t *testing.T) {
	const text = `"heritage=external-dns,external-dns/owner=homelab,external-dns/resource=httproute/media/immich"`
	l, ok := registry.ParseLabel(text)
	if want := (registry.Label{Owner: "homelab", Resource: "httproute/media/immich"}); !ok || l != want {
		t.Errorf("%s is read as %+v, %v", text, l, ok)
	}
	if got := l.String(); got != text {
		t.Errorf("written as %s, want %s", got, text)
	}
	for _, other := range []string{"", "v=spf1 -all", "heritage=other-dns,external-dns/owner=homelab", "external-dns/owner=homelab"} {
		if l, ok := registry.ParseLabel(other); ok {
			t.Errorf("%q is read as %+v", other, l)
		}
	}
}

func FuzzLabel(f *testing.F) {
	f.Add(`"heritage=external-dns,external-dns/owner=a,external-dns/resource=b"`)
	f.Add("heritage=,heritage=external-dns")
	f.Fuzz(func(t *testing.T, text string) {
		l, ok := registry.ParseLabel(text)
		if !ok {
			return
		}
		again, ok := registry.ParseLabel(l.String())
		if !ok {
			t.Fatalf("%q cannot be read as %s", text, l)
		}
		if twice, _ := registry.ParseLabel(again.String()); twice != again {
			t.Errorf("%+v becomes %+v", again, twice)
		}
	})
}

func TestNames(t *testing.T) {
	tests := []struct {
		affix            registry.Affix
		name, kind       string
		want, wantLegacy string
	}{
		{registry.Affix{}, "www.example.org", "A", "a-www.example.org", "www.example.org"},
		{registry.Affix{}, "www.example.org", "CNAME", "cname-www.example.org", "www.example.org"},
		{registry.Affix{Prefix: "k8s."}, "www.example.org", "AAAA", "k8s.aaaa-www.example.org", "k8s.www.example.org"},
		{registry.Affix{Suffix: "-txt"}, "www.example.org", "A", "a-www-txt.example.org", "www-txt.example.org"},
		{registry.Affix{Prefix: "%{record_type}-abc-."}, "ex.com", "CNAME", "cname-abc-.ex.com", "-abc-.ex.com"},
		{registry.Affix{Suffix: "-.%{record_type}"}, "www.ex.com", "CNAME", "www-.cname.ex.com", "www-..ex.com"},
		{registry.Affix{Wildcard: "any"}, "*.example.org", "A", "a-any.example.org", "any.example.org"},
		{registry.Affix{Prefix: "K8S-"}, "*.example.org", "A", "k8s-a-*.example.org", "k8s-*.example.org"},
		{registry.Affix{}, "local", "A", "a-local", "local"},
	}
	for _, test := range tests {
		if got := test.affix.Name(test.name, test.kind); got != test.want {
			t.Errorf("%+v: %s %s is marked by %s, want %s", test.affix, test.name, test.kind, got, test.want)
		}
		if got := test.affix.Legacy(test.name); got != test.wantLegacy {
			t.Errorf("%+v: %s was marked by %s, want %s", test.affix, test.name, got, test.wantLegacy)
		}
	}
}

func rec(name, kind string, targets ...string) record.Record {
	return record.Record{Name: name, Type: kind, Targets: targets}
}

func mark(name, owner string) record.Record {
	return rec(name, record.TXT, registry.Label{Owner: owner, Resource: "r"}.String())
}

func TestReadBothForms(t *testing.T) {
	r := registry.Registry{Owner: "me"}
	state := r.Read([]record.Record{
		rec("new.example.org", "A", "192.0.2.1"), mark("a-new.example.org", "me"),
		rec("old.example.org", "A", "192.0.2.1"), rec("old.example.org", "AAAA", "2001:db8::1"), mark("old.example.org", "me"),
		rec("theirs.example.org", "CNAME", "x.example.org"), mark("cname-theirs.example.org", "they"),
		rec("two.example.org", "A", "192.0.2.1"), rec("a-two.example.org", "TXT", registry.Label{Owner: "me"}.String(), registry.Label{Owner: "they"}.String()),
		rec("plain.example.org", "A", "192.0.2.1"), rec("plain.example.org", "TXT", "v=spf1"),
	})
	got := map[string]string{}
	for _, one := range state.Records {
		got[one.Name+" "+one.Type] = fmt.Sprint(one.Owner, " ", one.Unmarked)
	}
	want := map[string]string{
		"new.example.org A": "me false", "old.example.org A": "me true", "old.example.org AAAA": " false",
		"theirs.example.org CNAME": "they false", "two.example.org A": "they false",
		"plain.example.org A": " false", "plain.example.org TXT": " false",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("owners (-want +got):\n%s", diff)
	}
}

func TestGroups(t *testing.T) {
	www := rec("www.example.org", "A", "192.0.2.1")
	changed := rec("www.example.org", "A", "192.0.2.2")
	tests := []struct {
		name      string
		have      []record.Record
		want      []record.Record
		groups    [][]string
		conflicts int
	}{
		{"the mark comes first", nil, []record.Record{www}, [][]string{{"create a-www.example.org", "create www.example.org"}}, 0},
		{"the mark goes last", []record.Record{www, mark("a-www.example.org", "me")}, nil, [][]string{{"delete www.example.org", "delete a-www.example.org"}}, 0},
		{"an old mark goes, too", []record.Record{www, mark("www.example.org", "me")}, nil, [][]string{{"delete www.example.org", "delete www.example.org"}}, 0},
		{"an old mark is followed by a new one", []record.Record{www, mark("www.example.org", "me")}, []record.Record{changed}, [][]string{{"create a-www.example.org", "update www.example.org"}}, 0},
		{"our mark is left over", []record.Record{rec("a-www.example.org", "TXT", registry.Label{Owner: "me"}.String())}, []record.Record{www}, [][]string{{"create www.example.org"}}, 0},
		{"their mark is left over", []record.Record{mark("a-www.example.org", "they")}, []record.Record{www}, nil, 1},
		{"a text is in the way", []record.Record{rec("a-www.example.org", "TXT", "hello")}, []record.Record{www}, nil, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			state := registry.Registry{Owner: "me"}.Read(test.have)
			changes := plan.Calculate(state.Records, test.want, plan.Options{Owner: "me", Policy: plan.Sync})
			var got [][]string
			for _, group := range state.Groups(&changes) {
				var names []string
				for _, step := range group {
					names = append(names, verb(step)+" "+step.Name())
				}
				got = append(got, names)
			}
			if diff := cmp.Diff(test.groups, got); diff != "" {
				t.Errorf("groups (-want +got):\n%s", diff)
			}
			if len(changes.Conflicts) != test.conflicts {
				t.Errorf("conflicts: %v", changes.Conflicts)
			}
		})
	}
}

func verb(c plan.Change) string {
	switch {
	case c.Old == nil:
		return "create"
	case c.New == nil:
		return "delete"
	default:
		return "update"
	}
}

// TestNothingOfAnotherOwnerIsChanged tries many random zones: no plan touches
// what another owner, or nobody, made, and carried out twice it does nothing.
func TestNothingOfAnotherOwnerIsChanged(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 3000 {
		affix := []registry.Affix{{}, {Prefix: "k8s."}, {Suffix: "-x"}, {Prefix: "%{record_type}-"}}[random.IntN(4)]
		reg := registry.Registry{Owner: "me", Affix: affix}
		zone := randomZone(random, affix)
		want := randomWanted(random)
		policy := []plan.Policy{plan.Sync, plan.UpsertOnly, plan.CreateOnly}[random.IntN(3)]
		o := plan.Options{Owner: "me", Policy: policy}

		state := reg.Read(zone)
		changes := plan.Calculate(state.Records, want, o)
		after := slices.Clone(zone)
		for _, group := range state.Groups(&changes) {
			for _, step := range group {
				after = carryOut(t, after, step)
			}
		}
		for _, one := range state.Records {
			if one.Owner != "me" && !holds(after, one) {
				t.Fatalf("round %d: %s of owner %q was changed", round, one, one.Owner)
			}
		}
		for _, one := range zone {
			if one.Type == record.TXT && !ours(one) && !holds(after, one) {
				t.Fatalf("round %d: the text %s was changed", round, one)
			}
		}
		again := reg.Read(after)
		second := plan.Calculate(again.Records, want, o)
		if groups := again.Groups(&second); len(groups) > 0 && policy == plan.Sync {
			t.Fatalf("round %d: the second plan does %v\nzone %v\nwanted %v", round, groups, zone, want)
		}
	}
}

func ours(one record.Record) bool {
	return !slices.ContainsFunc(one.Targets, func(text string) bool {
		l, ok := registry.ParseLabel(text)
		return !ok || l.Owner != "me"
	})
}

func holds(zone []record.Record, one record.Record) bool {
	return slices.ContainsFunc(zone, func(r record.Record) bool { return r.Key() == one.Key() && slices.Equal(r.Targets, one.Targets) })
}

func carryOut(t *testing.T, zone []record.Record, step plan.Change) []record.Record {
	t.Helper()
	has := func(r record.Record) func(record.Record) bool {
		return func(other record.Record) bool { return other.Key() == r.Key() }
	}
	if step.Old != nil {
		if !slices.ContainsFunc(zone, has(*step.Old)) {
			t.Fatalf("%s: there is no such record", step)
		}
		zone = slices.DeleteFunc(zone, has(*step.Old))
	}
	if step.New != nil {
		if slices.ContainsFunc(zone, has(*step.New)) {
			t.Fatalf("%s: there is one already", step)
		}
		zone = append(zone, *step.New)
	}
	return zone
}

var names = []string{"a.example.org", "b.example.org", "*.example.org", "example.org"}

func randomZone(random *rand.Rand, affix registry.Affix) []record.Record {
	var zone []record.Record
	add := func(r record.Record) {
		if !slices.ContainsFunc(zone, func(o record.Record) bool { return o.Key() == r.Key() }) {
			zone = append(zone, r)
		}
	}
	for _, name := range names {
		for _, one := range randomOf(random, name) {
			add(one)
			owner := []string{"me", "they", ""}[random.IntN(3)]
			switch {
			case owner == "":
			case random.IntN(4) == 0:
				add(mark(affix.Legacy(name), owner))
			default:
				add(mark(affix.Name(name, one.Type), owner))
			}
		}
		if random.IntN(6) == 0 {
			add(mark(affix.Name(name, "A"), []string{"me", "they"}[random.IntN(2)]))
		}
		if random.IntN(8) == 0 {
			add(rec(name, record.TXT, "hello"))
		}
	}
	return zone
}

func randomOf(random *rand.Rand, name string) (list []record.Record) {
	if random.IntN(3) == 0 {
		return []record.Record{rec(name, "CNAME", fmt.Sprintf("t%d.example.net", random.IntN(2)))}
	}
	if random.IntN(2) == 0 {
		list = append(list, rec(name, "A", fmt.Sprintf("192.0.2.%d", random.IntN(3))))
	}
	if random.IntN(3) == 0 {
		list = append(list, rec(name, "AAAA", fmt.Sprintf("2001:db8::%d", random.IntN(2))))
	}
	return list
}

func randomWanted(random *rand.Rand) (list []record.Record) {
	for _, name := range names {
		for range random.IntN(3) {
			for _, one := range randomOf(random, name) {
				one.Resource = fmt.Sprintf("httproute/x/%d", random.IntN(3))
				list = append(list, one)
			}
		}
	}
	return list
}
