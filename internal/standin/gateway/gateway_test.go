package gateway

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAskedFor(t *testing.T) {
	for name, c := range map[string]struct {
		annotations map[string]string
		want        []string
	}{
		"none":     {nil, nil},
		"cilium":   {map[string]string{"lbipam.cilium.io/ips": "192.0.2.1, 2001:db8::1"}, []string{"192.0.2.1", "2001:db8::1"}},
		"metallb":  {map[string]string{"metallb.universe.tf/loadBalancerIPs": "192.0.2.2"}, []string{"192.0.2.2"}},
		"nonsense": {map[string]string{"lbipam.cilium.io/ips": "soon"}, nil},
	} {
		if diff := cmp.Diff(c.want, askedFor(c.annotations)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestBookGivesEachItsOwn(t *testing.T) {
	r, ok := prefixRange(netip.MustParsePrefix("192.0.2.0/29"))
	if !ok {
		t.Fatal("no range")
	}
	ranges := []addressRange{r}
	b := newBook()
	seen := map[string]bool{}
	for _, owner := range []string{"a", "b", "c", "d", "e", "f"} {
		address := b.take(owner, ranges)
		if address == "" || seen[address] {
			t.Errorf("%s is given %q", owner, address)
		}
		seen[address] = true
		if again := b.take(owner, ranges); again != address {
			t.Errorf("%s had %s, and is given %s", owner, address, again)
		}
	}
	if address := b.take("g", ranges); address != "" {
		t.Errorf("a full range gives %s", address)
	}
	b.free("c")
	if b.take("g", ranges) == "" {
		t.Error("a freed address is lost")
	}
	if newBook().take("a", ranges) != newBook().take("a", ranges) {
		t.Error("the address does not depend on the owner alone")
	}
}

func TestCiliumPoolRanges(t *testing.T) {
	var p ciliumPool
	p.Spec.Blocks = append(p.Spec.Blocks, struct {
		CIDR  string `json:"cidr"`
		Start string `json:"start"`
		Stop  string `json:"stop"`
	}{Start: "192.0.2.10", Stop: "192.0.2.12"})
	got := p.ranges()
	if len(got) != 1 || got[0].size() != 3 || got[0].at(2) != "192.0.2.12" {
		t.Errorf("ranges are %v", got)
	}
	p.Spec.Disabled = true
	if p.serves(nil) {
		t.Error("a disabled pool serves")
	}
}
