package plan_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"hearth/internal/engine/dns/plan"
	"hearth/internal/engine/dns/record"
)

func a(name, target string) record.Record { return of(name, record.A, target) }

func of(name, kind string, targets ...string) record.Record {
	return record.Record{Name: name, Type: kind, Targets: record.Targets(kind, targets)}
}

func owned(owner string, r record.Record) record.Record {
	r.Owner = owner
	return r
}

func made(resource string, r record.Record) record.Record {
	r.Resource = resource
	return r
}

// The rows are those of External-DNS' plan and conflict resolver (plan/plan.go,
// plan/conflict.go, release 0.23).
func TestCalculate(t *testing.T) {
	const www, me, they = "www.example.org", "me", "they"
	v4, other, alias := a(www, "192.0.2.1"), a(www, "192.0.2.9"), of(www, record.CNAME, "lb.example.net")
	v6 := of(www, record.AAAA, "2001:db8::1")
	ttl := v4
	ttl.TTL = 300
	proxied := v4
	proxied.Properties = map[string]string{record.Proxied: "true"}
	unmarked := owned(me, v4)
	unmarked.Unmarked = true
	tests := []struct {
		name         string
		have, want   []record.Record
		policy       plan.Policy
		steps        []string
		conflicts    int
		withoutOwner bool
	}{
		{name: "nothing at all"},
		{name: "a new name", want: []record.Record{v4}, steps: []string{"create www.example.org A 192.0.2.1"}},
		{name: "as it should be", have: []record.Record{owned(me, v4)}, want: []record.Record{v4}},
		{name: "another target", have: []record.Record{owned(me, v4)}, want: []record.Record{other}, steps: []string{"update www.example.org A 192.0.2.9"}},
		{name: "no longer wanted", have: []record.Record{owned(me, v4)}, steps: []string{"delete www.example.org A 192.0.2.1"}},
		{name: "another type", have: []record.Record{owned(me, v4)}, want: []record.Record{alias}, steps: []string{"delete www.example.org A 192.0.2.1", "create www.example.org CNAME lb.example.net"}},
		{name: "one type more", have: []record.Record{owned(me, v4)}, want: []record.Record{v4, v6}, steps: []string{"create www.example.org AAAA 2001:db8::1"}},
		{name: "another time to live", have: []record.Record{owned(me, v4)}, want: []record.Record{ttl}, steps: []string{"update www.example.org A 192.0.2.1"}},
		{name: "a time to live that nobody asks for", have: []record.Record{owned(me, ttl)}, want: []record.Record{v4}},
		{name: "another property", have: []record.Record{owned(me, v4)}, want: []record.Record{proxied}, steps: []string{"update www.example.org A 192.0.2.1"}},
		{name: "without its own mark", have: []record.Record{unmarked}, want: []record.Record{v4}, steps: []string{"update www.example.org A 192.0.2.1"}},
		{name: "they have it, we want another", have: []record.Record{owned(they, v4)}, want: []record.Record{other}, conflicts: 1},
		{name: "they have it, nobody wants it", have: []record.Record{owned(they, v4)}},
		{name: "nobody marked it", have: []record.Record{v4}, want: []record.Record{other}, conflicts: 1},
		{name: "they have another type of it", have: []record.Record{owned(they, v4)}, want: []record.Record{v6}, conflicts: 1},
		{name: "ours stays beside theirs", have: []record.Record{owned(they, v4), owned(me, v6)}, want: []record.Record{v6}},
		{name: "without owners all is ours", have: []record.Record{v4}, want: []record.Record{other}, steps: []string{"update www.example.org A 192.0.2.9"}, withoutOwner: true},
		{name: "upsert-only never deletes", policy: plan.UpsertOnly, have: []record.Record{owned(me, v4)}},
		{name: "upsert-only updates", policy: plan.UpsertOnly, have: []record.Record{owned(me, v4)}, want: []record.Record{other}, steps: []string{"update www.example.org A 192.0.2.9"}},
		{name: "create-only does not update", policy: plan.CreateOnly, have: []record.Record{owned(me, v4)}, want: []record.Record{other}},
		{name: "an alias gives way to an address", want: []record.Record{alias, v4}, steps: []string{"create www.example.org A 192.0.2.1"}, conflicts: 1},
		{name: "two want the name, the lesser target is new", want: []record.Record{other, v4}, steps: []string{"create www.example.org A 192.0.2.1"}},
		{name: "two want the name, who has it keeps it", have: []record.Record{owned(me, made("x", other))}, want: []record.Record{made("y", v4), made("x", other)}},
		{name: "a text is not our business", have: []record.Record{owned(me, of(www, record.TXT, "v=spf1"))}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			o := plan.Options{Policy: test.policy, Owner: me}
			if test.withoutOwner {
				o.Owner = ""
			}
			got := plan.Calculate(test.have, test.want, o)
			if diff := cmp.Diff(test.steps, steps(got)); diff != "" {
				t.Errorf("steps (-want +got):\n%s", diff)
			}
			if len(got.Conflicts) != test.conflicts {
				t.Errorf("%d conflicts, want %d: %v", len(got.Conflicts), test.conflicts, got.Conflicts)
			}
		})
	}
}

func steps(c plan.Changes) (list []string) {
	for _, r := range c.Delete {
		list = append(list, plan.Without(r).String())
	}
	for _, u := range c.Update {
		list = append(list, plan.Change{Old: &u.Old, New: &u.New}.String())
	}
	for _, r := range c.Create {
		list = append(list, plan.Of(r).String())
	}
	return list
}

func TestManages(t *testing.T) {
	have := []record.Record{owned("me", a("a.example.com", "192.0.2.1"))}
	want := []record.Record{a("b.example.com", "192.0.2.1")}
	got := plan.Calculate(have, want, plan.Options{Owner: "me", Manages: func(string) bool { return false }})
	if !got.Empty() {
		t.Errorf("a domain that is not managed is changed: %v", steps(got))
	}
}

func TestBatches(t *testing.T) {
	one := plan.Of(a("a.example.org", "192.0.2.1"))
	groups := []plan.Group{{one, one}, {one, one}, {one, one, one, one}, {one}}
	var sizes []int
	for _, b := range plan.Batches(groups, 3) {
		size := 0
		for _, group := range b {
			size += len(group)
		}
		sizes = append(sizes, size)
	}
	if diff := cmp.Diff([]int{2, 2, 4, 1}, sizes); diff != "" {
		t.Errorf("batches (-want +got):\n%s", diff)
	}
}
