package status

import (
	_ "embed"
	"fmt"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

//go:embed table.yaml
var builtIn []byte

// rule is a row that is ready to be used.
type rule struct {
	Row
	pods    labels.Selector // nil selects nobody
	status  *expression
	objects *expression
}

// anyKind stands for all kinds of a group.
const anyKind = "*"

// table finds the rule for a kind.
type table struct {
	rules map[schema.GroupKind]*rule
	jobs  []*rule // what the programs of Jobs make
}

// newTable compiles the built-in rows and, over them, those of the user.
func newTable(more []Row) (*table, error) {
	rows, err := Parse(builtIn)
	if err != nil {
		return nil, err
	}
	t := &table{rules: map[schema.GroupKind]*rule{}}
	var all []*rule
	for _, row := range append(rows, more...) {
		r, err := compile(row)
		if err != nil {
			return nil, err
		}
		all = append(all, r)
		t.rules[schema.GroupKind{Group: row.Group, Kind: row.Kind}] = r
	}
	t.jobs = jobRules(all)
	return t, nil
}

// find returns the rule for a kind; nil is none.
func (t *table) find(kind schema.GroupKind) *rule {
	if r := t.rules[kind]; r != nil {
		return r
	}
	return t.rules[schema.GroupKind{Group: kind.Group, Kind: anyKind}]
}

func compile(row Row) (*rule, error) {
	if err := row.check(); err != nil {
		return nil, err
	}
	r := &rule{Row: row}
	if row.Pods != "" {
		selector, err := labels.Parse(row.Pods)
		if err != nil {
			return nil, err
		}
		r.pods = selector
	}
	var err error
	if r.status, err = newExpression(row.Status); err != nil {
		return nil, fmt.Errorf("%s.%s: status: %w", row.Kind, row.Group, err)
	}
	if r.objects, err = newExpression(row.Objects); err != nil {
		return nil, fmt.Errorf("%s.%s: objects: %w", row.Kind, row.Group, err)
	}
	return r, nil
}
