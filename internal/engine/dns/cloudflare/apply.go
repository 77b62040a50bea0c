package cloudflare

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"

	cf "github.com/cloudflare/cloudflare-go/v6"
	cfdns "github.com/cloudflare/cloudflare-go/v6/dns"
	"github.com/cloudflare/cloudflare-go/v6/option"

	"hearth/internal/engine/dns/plan"
)

// order is what a zone is told to do, in Cloudflare's own sequence.
type order struct {
	Deletes []line `json:"deletes,omitempty"`
	Patches []line `json:"patches,omitempty"`
	Posts   []line `json:"posts,omitempty"`
}

func (o *order) empty() bool { return len(o.Deletes)+len(o.Patches)+len(o.Posts) == 0 }

// Apply carries changes out, zone by zone. It refers to what Records read last.
func (p *Provider) Apply(ctx context.Context, groups []plan.Group) error {
	byZone := map[string][]plan.Group{}
	var errs []error
	for _, group := range groups {
		zone, err := p.zoneOfAll(group)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		byZone[zone] = append(byZone[zone], group)
	}
	for _, zone := range slices.Sorted(maps.Keys(byZone)) {
		errs = append(errs, p.applyTo(ctx, zone, byZone[zone]))
	}
	return errors.Join(errs...)
}

// zoneOfAll returns the zone in which all changes of a group are: a record
// whose ownership record would be elsewhere is not made.
func (p *Provider) zoneOfAll(group plan.Group) (string, error) {
	in := ""
	for _, c := range group {
		zone, err := p.zone(c.Name())
		if err != nil {
			return "", err
		}
		if in != "" && zone != in {
			return "", fmt.Errorf("cloudflare: %s would be in the zone %s, and not in %s", c.Name(), zone, in)
		}
		in = zone
	}
	return in, nil
}

// applyTo sends one batch, or, where its content is refused, one for each group.
func (p *Provider) applyTo(ctx context.Context, zone string, groups []plan.Group) error {
	err := p.send(ctx, zone, slices.Concat(groups...))
	var no *refusal
	content := errors.As(err, &no) && (no.status == http.StatusBadRequest || no.status == http.StatusUnprocessableEntity)
	if !content || len(groups) == 1 {
		return err
	}
	var errs []error
	for _, group := range groups {
		if err := p.send(ctx, zone, group); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", group[len(group)-1], err))
		}
	}
	return errors.Join(errs...)
}

func (p *Provider) send(ctx context.Context, zone string, group plan.Group) error {
	var o order
	for _, c := range group {
		p.add(&o, c)
	}
	if o.empty() {
		return nil
	}
	body, err := json.Marshal(o)
	if err != nil {
		return fmt.Errorf("cloudflare: write down the changes of %s: %w", zone, err)
	}
	_, err = p.records.Batch(ctx, cfdns.RecordBatchParams{ZoneID: cf.F(p.ids[zone])}, option.WithRequestBody("application/json", body))
	return explain("change the records of "+zone, err)
}

// add says what a change means for the single records: those that stay are
// changed in place, those that go lead to what comes, as far as both go.
func (p *Provider) add(o *order, c plan.Change) {
	old, wanted := map[string]line{}, map[string]line{}
	if c.Old != nil {
		for _, l := range p.lines[c.Old.Key()] {
			old[l.text()] = l
		}
	}
	if c.New != nil {
		wanted = split(*c.New)
	}
	var going []line
	for _, text := range slices.Sorted(maps.Keys(old)) {
		have := old[text]
		want, stays := wanted[text]
		if !stays {
			going = append(going, have)
			continue
		}
		delete(wanted, text)
		if want.TTL != have.TTL || want.Proxied != nil && have.Proxied != nil && *want.Proxied != *have.Proxied {
			want.ID = have.ID
			o.Patches = append(o.Patches, want)
		}
	}
	for _, text := range slices.Sorted(maps.Keys(wanted)) {
		want := wanted[text]
		if len(going) > 0 {
			want.ID, going = going[0].ID, going[1:]
			o.Patches = append(o.Patches, want)
			continue
		}
		o.Posts = append(o.Posts, want)
	}
	for _, l := range going {
		o.Deletes = append(o.Deletes, line{ID: l.ID})
	}
}
