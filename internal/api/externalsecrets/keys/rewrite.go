package keys

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"hearth/internal/api/externalsecrets/template"
	v1 "hearth/internal/api/externalsecrets/v1"
)

// Rewrite renames the keys of a mapping, step by step. Where two names become
// one, the value of the one that sorts last stays, so that the result is the
// same each time.
func Rewrite(ctx context.Context, steps []v1.Rewrite, in map[string][]byte) (map[string][]byte, error) {
	for i, step := range steps {
		out, err := rewriteStep(ctx, step, in)
		if err != nil {
			return nil, fmt.Errorf("rewrite[%d]: %w", i, err)
		}
		in = out
	}
	return in, nil
}

func rewriteStep(ctx context.Context, step v1.Rewrite, in map[string][]byte) (map[string][]byte, error) {
	if step.Merge != nil {
		return merge(*step.Merge, in)
	}
	rename, err := renaming(ctx, step)
	if err != nil {
		return nil, err
	}
	out := make(map[string][]byte, len(in))
	for _, key := range slices.Sorted(maps.Keys(in)) {
		renamed, err := rename(key)
		if err != nil {
			return nil, err
		}
		out[renamed] = in[key]
	}
	return out, nil
}

// renaming returns what a step does to one name.
func renaming(ctx context.Context, step v1.Rewrite) (func(string) (string, error), error) {
	switch {
	case step.Regexp != nil:
		re, err := regexp.Compile(step.Regexp.Source)
		if err != nil {
			return nil, fmt.Errorf("source %q is no regular expression: %w", step.Regexp.Source, err)
		}
		return func(key string) (string, error) { return re.ReplaceAllString(key, step.Regexp.Target), nil }, nil
	case step.Transform != nil:
		src := template.Source{Name: "transform", Text: step.Transform.Template}
		return func(key string) (string, error) {
			return template.Execute(ctx, src, map[string]string{"value": key})
		}, nil
	}
	return func(key string) (string, error) { return key, nil }, nil
}

// Rename applies the steps that rename to one name.
func Rename(ctx context.Context, steps []v1.Rewrite, name string) (string, error) {
	for _, step := range steps {
		rename, err := renaming(ctx, step)
		if err != nil {
			return "", err
		}
		if name, err = rename(name); err != nil {
			return "", err
		}
	}
	return name, nil
}
