package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"hearth/internal/engine/dns/plan"
	"hearth/internal/engine/dns/record"
)

// maxRecords bounds how many records an account may hold.
const maxRecords = 100000

// Account is what a DNS provider keeps for one customer: records of any names,
// each with its properties. It takes changes as a provider does, all of a batch
// or none. Its methods may be called concurrently.
type Account struct {
	server  *Server
	name    string
	inside  bool
	records map[record.Key]record.Record // guarded by the server
	domains []string
}

// Name returns the provider's name.
func (a *Account) Name() string { return a.name }

// Serve makes the domains zones, also while they have no records.
func (a *Account) Serve(domains ...string) {
	a.server.mu.Lock()
	defer a.server.mu.Unlock()
	known := len(a.domains)
	for _, domain := range domains {
		if domain = record.Canonical(domain); record.ValidName(domain) && !slices.Contains(a.domains, domain) {
			a.domains = append(a.domains, domain)
		}
	}
	if len(a.domains) > known {
		a.server.publish()
	}
}

// Records returns all records, in order.
func (a *Account) Records(context.Context) ([]record.Record, error) {
	a.server.mu.Lock()
	defer a.server.mu.Unlock()
	return a.list(), nil
}

func (a *Account) list() []record.Record {
	list := make([]record.Record, 0, len(a.records))
	for _, r := range a.records {
		list = append(list, r.Clone())
	}
	slices.SortFunc(list, record.Compare)
	return list
}

// Apply carries a batch out, or none of it.
func (a *Account) Apply(_ context.Context, groups []plan.Group) error {
	a.server.mu.Lock()
	defer a.server.mu.Unlock()
	next := make(map[record.Key]record.Record, len(a.records)+2*len(groups))
	for key, r := range a.records {
		next[key] = r
	}
	for _, c := range slices.Concat(groups...) {
		if err := carryOut(next, c); err != nil {
			return fmt.Errorf("%s: %s: %w", a.name, c, err)
		}
	}
	if len(next) > maxRecords {
		return errors.New(a.name + " holds no more than " + strconv.Itoa(maxRecords) + " records")
	}
	a.records = next
	a.server.publish()
	return nil
}

func carryOut(records map[record.Key]record.Record, c plan.Change) error {
	if c.Old != nil {
		if _, ok := records[c.Old.Key()]; !ok {
			return errors.New("there is no such record")
		}
		delete(records, c.Old.Key())
	}
	if c.New == nil {
		return nil
	}
	if _, ok := records[c.New.Key()]; ok {
		return errors.New("there is such a record already")
	}
	if len(toRRs(*c.New)) == 0 {
		return errors.New("a record of this type cannot lead there")
	}
	r := c.New.Clone()
	r.Owner, r.Resource, r.Unmarked = "", "", false // those are in the ownership record
	records[r.Key()] = r
	return nil
}
