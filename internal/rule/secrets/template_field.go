package secrets

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"hearth/internal/api/externalsecrets/keys"
	"hearth/internal/api/externalsecrets/template"
	v1 "hearth/internal/api/externalsecrets/v1"
	needed "hearth/internal/secrets"
)

// supply is which fields the templates of an ExternalSecret can use.
type supply struct {
	ctx context.Context
	// names are those of data.
	names []string
	// items are the entries of dataFrom whose fields all bear a mark that
	// rewrite gives them; which they are, only the vault knows.
	items []v1.ExternalSecretDataFrom
	// open says that any field may be supplied.
	open bool
}

// suppliedFields returns what data and dataFrom supply.
func suppliedFields(ctx context.Context, e *external) supply {
	s := supply{ctx: ctx}
	for _, d := range e.typed.Data {
		s.names = append(s.names, d.SecretKey)
	}
	for _, from := range e.typed.DataFrom {
		s.items = append(s.items, from)
		s.open = s.open || from.Extract == nil || !marksAll(from.Rewrite)
	}
	// Entries that could not be read may supply anything.
	data, _ := e.spec["data"].([]any)
	dataFrom, _ := e.spec["dataFrom"].([]any)
	s.open = s.open || len(data) != len(e.typed.Data) || len(dataFrom) != len(e.typed.DataFrom)
	return s
}

// everything matches the patterns that match any name as a whole.
var everything = regexp.MustCompile(`^\^?(\((\?P?<\w+>)?\.[*+]\)|\.[*+])\$?$`)

// marksAll reports whether steps rename every field there is, so that a field
// without the mark cannot come out of them.
func marksAll(steps []v1.Rewrite) bool {
	marked := false
	for _, step := range steps {
		if step.Regexp == nil || !everything.MatchString(step.Regexp.Source) {
			return false
		}
		marked = marked || strings.Trim(step.Regexp.Target, "${}1") != ""
	}
	return marked
}

// missing returns the fields that a template needs and nothing can supply. A
// template that asks whether a field exists may do without it.
func (s supply) missing(src template.Source) []string {
	if s.open || needed.BearsLack(src.Text) {
		return nil
	}
	fields, err := template.Fields(src)
	if err != nil {
		return nil
	}
	var missing []string
	for _, f := range fields {
		if !s.has(f.Name) {
			missing = append(missing, f.Name)
		}
	}
	return missing
}

func (s supply) has(name string) bool {
	if slices.Contains(s.names, name) {
		return true
	}
	return slices.ContainsFunc(s.items, func(from v1.ExternalSecretDataFrom) bool {
		_, ok := keys.Original(s.ctx, from.Rewrite, name)
		return ok
	})
}

// instead says what there is in a missing field's stead.
func (s supply) instead() string {
	switch {
	case len(s.names) == 0 && len(s.items) == 0:
		return "nothing supplies, since there is neither data nor dataFrom"
	case len(s.items) > 0:
		return "no item supplies under that name once it is rewritten"
	case len(s.names) > 3:
		return fmt.Sprintf("data does not supply (it has %s and %d others)", s.names[0], len(s.names)-1)
	}
	return "data does not supply (it has " + strings.Join(s.names, ", ") + ")"
}
