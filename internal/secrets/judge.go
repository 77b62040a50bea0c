package secrets

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"hearth/internal/onepassword"
	"hearth/internal/spelling"
)

// Fault is what kind of problem a need has.
type Fault string

// The faults.
const (
	NoVault    Fault = "no-vault"    // a store names a vault that there is not
	NoItem     Fault = "no-item"     // no vault has the item
	WrongVault Fault = "wrong-vault" // a vault has it that the store does not search
	NoField    Fault = "no-field"    // the item lacks the field
	Ambiguous  Fault = "ambiguous"   // two items or fields go by the name
	NoMatch    Fault = "no-match"    // nothing matches what find looks for
)

// Problem is a need that vaults do not meet.
type Problem struct {
	Need
	Fault Fault
	// Text is the name at fault.
	Text string
	// Message says what is wrong; Near is the name that is probably meant, or empty.
	Message, Near string
}

// Judge returns the needs that vaults do not meet, each item and field of an
// ExternalSecret once, in the order of the needs. They are to be computed with
// the same vaults. Needs that name a variable are not judged.
func Judge(needs []Need, vaults []onepassword.Vault) []Problem {
	j := &judge{vaults: vaults, told: map[string]bool{}}
	for _, n := range needs {
		if strings.Contains(n.Item+n.Field+strings.Join(n.Store.Vaults, ""), "${") {
			continue
		}
		j.need(n)
	}
	return slices.Concat(j.problems, j.lacking())
}

type judge struct {
	vaults   []onepassword.Vault
	told     map[string]bool
	problems []Problem
	// lacks are the fields that no item of their ExternalSecret has.
	lacks []*lack
}

// lack is a field that all items lack that could have it.
type lack struct {
	Need
	items []string
	have  []string
}

func (j *judge) report(fault Fault, n Need, text, near, message string) {
	if key := fmt.Sprint(fault, n.Object, n.Named, text); !j.told[key] {
		j.told[key] = true
		j.problems = append(j.problems, Problem{Need: n, Fault: fault, Text: text, Message: message, Near: near})
	}
}

func (j *judge) need(n Need) {
	if j.noVault(n) {
		return
	}
	if n.Search != nil {
		j.search(n)
		return
	}
	v, item := lookUp(j.vaults, n.Store.Vaults, n.Item)
	if item == nil {
		j.noItem(n)
		return
	}
	twins := 0
	for _, other := range v.Items {
		if other.Title == n.Item {
			twins++
		}
	}
	if twins > 1 {
		n.Place = n.Named
		j.report(Ambiguous, n, n.Item, "", fmt.Sprintf("there are %d items titled %q in vault %s", twins, n.Item, v.Name))
		return
	}
	j.field(n, item)
}

// noVault reports a store all of whose vaults are missing; of several that
// are searched, some may be there for others.
func (j *judge) noVault(n Need) bool {
	if len(n.Store.Vaults) == 0 || len(searched(j.vaults, n.Store.Vaults)) > 0 {
		return false
	}
	names := make([]string, 0, len(j.vaults))
	for _, v := range j.vaults {
		names = append(names, v.Name)
	}
	n.Place = n.Named
	name := n.Store.Vaults[0]
	near := spelling.Guess(name, names)
	j.report(NoVault, n, name, near, fmt.Sprintf("there is no vault %s, which %s searches%s", quoted(n.Store.Vaults), n.Store.Ref, hint(near)))
	return true
}

func (j *judge) noItem(n Need) {
	n.Place = n.Named
	if v, _ := lookUp(j.vaults, nil, n.Item); v != nil {
		j.report(WrongVault, n, n.Item, "", fmt.Sprintf("the 1Password item %q is in vault %q, which %s does not search (it searches %s)",
			n.Item, v.Name, n.Store.Ref, quoted(n.Store.Vaults)))
		return
	}
	var titles, names []string
	for _, v := range searched(j.vaults, n.Store.Vaults) {
		names = append(names, v.Name)
		for _, item := range v.Items {
			titles = append(titles, item.Title)
		}
	}
	near := spelling.Guess(n.Item, titles)
	message := fmt.Sprintf("no 1Password item %q", n.Item)
	if len(names) > 0 {
		message += " in vault " + quoted(names)
	}
	j.report(NoItem, n, n.Item, near, message+hint(near))
}

// field judges the field of an item that is there.
func (j *judge) field(n Need, item *onepassword.Item) {
	if n.extract {
		j.twins(n, item)
	}
	if n.Field == "" || n.optional {
		return
	}
	all := labels(item)
	if n.extract && slices.Contains(all, n.Field) {
		return
	}
	if !n.extract {
		_, err := lookUpField(item, n.Field)
		var ambiguous *onepassword.AmbiguousError
		var file *onepassword.NoFileError
		switch {
		case err == nil:
			return
		case errors.As(err, &ambiguous):
			j.report(Ambiguous, n, n.Field, "", ambiguous.Error())
			return
		case errors.As(err, &file):
			near := spelling.Guess(file.File, fileNames(item))
			j.report(NoField, n, file.File, near, file.Error()+hint(near))
			return
		}
	}
	j.lack(n, all)
}

// twins reports fields of one label in an item that is taken over as a whole.
func (j *judge) twins(n Need, item *onepassword.Item) {
	seen := map[string]bool{}
	for _, label := range labels(item) {
		if seen[label] {
			n.Place = n.Named
			j.report(Ambiguous, n, label, "", fmt.Sprintf("the 1Password item %q has more than one field %q, so that it cannot be taken over as a whole", item.Title, label))
		}
		seen[label] = true
	}
}

// lookUpField finds the field or file that a property names.
func lookUpField(item *onepassword.Item, property string) (label string, err error) {
	if item.IsFile(property) {
		f, err := item.LookupFile(property)
		return f.Name, err
	}
	f, err := item.Lookup(property)
	return f.Label, err
}

// lack notes a field that an item lacks. Where several items could have it, it
// is one lack.
func (j *judge) lack(n Need, have []string) {
	for _, l := range j.lacks {
		if l.extract && n.extract && l.Object == n.Object && l.Name == n.Name {
			l.items = append(l.items, n.Item)
			l.have = append(l.have, have...)
			return
		}
	}
	j.lacks = append(j.lacks, &lack{n, []string{n.Item}, have})
}

// lacking returns the fields that are lacking.
func (j *judge) lacking() []Problem {
	var problems []Problem
	for _, l := range j.lacks {
		near := spelling.Guess(l.Field, l.have)
		missing := &onepassword.NoFieldError{Items: l.items, Field: l.Field}
		problems = append(problems, Problem{Need: l.Need, Fault: NoField, Text: l.Field, Message: missing.Error() + hint(near), Near: near})
	}
	return problems
}

// search judges an entry of find.
func (j *judge) search(n Need) {
	if n.Field != "" {
		if !n.optional {
			j.report(NoMatch, n, n.Field, "", fmt.Sprintf("no 1Password field that find matches (%s) is called %s", describe(n.Search), n.Field))
		}
		return
	}
	if n.Item != "" {
		if _, item := lookUp(j.vaults, n.Store.Vaults, n.Item); item == nil {
			j.noItem(n)
			return
		}
	}
	if len(matches(j.vaults, n)) == 0 {
		j.report(NoMatch, n, "", "", fmt.Sprintf("no 1Password field matches what find looks for (%s)", describe(n.Search)))
	}
}

func hint(near string) string {
	if near == "" {
		return ""
	}
	return fmt.Sprintf(" (there is %s)", near)
}

func quoted(names []string) string {
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = strconv.Quote(name)
	}
	return strings.Join(list, ", ")
}

// Sentence says who has the problem, and what it is.
func (p Problem) Sentence() string {
	if who := p.Who(); who != "" {
		return who + ": " + p.Message
	}
	return p.Message
}
