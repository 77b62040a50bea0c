package gotemplate

import (
	"hearth/internal/render/helm/yamltext"
)

func callInclude(r *Run, args []any) any { return r.include(text(args, 0), args[1]) }

func callTpl(r *Run, args []any) any { return r.tpl(text(args, 0), args[1]) }

func callLookup(r *Run, args []any) any {
	if r.lookup == nil {
		return map[string]any{}
	}
	found, err := r.lookup(text(args, 0), text(args, 1), text(args, 2), text(args, 3))
	if err != nil {
		panic(err)
	}
	return found
}

func mustBeBounded(value any) {
	if err := checkBounded(value); err != nil {
		panic(err)
	}
}

func checkBounded(value any) error {
	switch value.(type) {
	case nil, string, bool, int, int64, float64:
		return nil
	}
	if !yamltext.Bounded(value) {
		return refused("a value without end is used")
	}
	return nil
}
