package kustomize

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/fluxcd/pkg/envsubst"
	generator "github.com/fluxcd/pkg/kustomize"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/api/resource"
)

// substitution replaces the variables of one build.
type substitution struct {
	// kustomization has all variables in postBuild.substitute, so that Flux's
	// own substitution needs nobody to ask.
	kustomization  unstructured.Unstructured
	variables      map[string]string
	unknown        func(name string) string
	strict, always bool
}

const (
	// optOut is the label or annotation of an object that is left alone.
	optOut = "kustomize.toolkit.fluxcd.io/substitute"
	// maxUnknown bounds how many variables of one object are supplied.
	maxUnknown = 256
)

var variableName = regexp.MustCompile(`^[_[:alpha:]][_[:alpha:][:digit:]]*$`)

// variables returns the substitution that postBuild asks for, or nil.
func (b *build) variables() (*substitution, error) {
	if _, ok, _ := unstructured.NestedMap(b.request.Kustomization.Object, "spec", "postBuild"); !ok {
		return nil, nil
	}
	inline, _, err := unstructured.NestedStringMap(b.request.Kustomization.Object, "spec", "postBuild", "substitute")
	if err != nil {
		return nil, fmt.Errorf("postBuild.substitute: %w", err)
	}
	all := maps.Clone(b.request.Variables)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, inline)
	if len(all) == 0 && !b.request.Always {
		return nil, nil
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if !variableName.MatchString(name) {
			return nil, fmt.Errorf("'%s' var name is invalid, must match '%s'", name, variableName)
		}
	}
	k, err := substituting(all)
	if err != nil {
		return nil, err
	}
	return &substitution{kustomization: k, variables: all, unknown: b.request.Unknown, strict: b.request.Strict, always: b.request.Always}, nil
}

// substituting is a Kustomization that has variables and nothing else.
func substituting(variables map[string]string) (unstructured.Unstructured, error) {
	k := unstructured.Unstructured{Object: map[string]any{}}
	return k, unstructured.SetNestedStringMap(k.Object, variables, "spec", "postBuild", "substitute")
}

// substitute replaces the variables of one resource, and returns it as JSON,
// and the variables that nothing defines, where somebody supplies them.
func (s *substitution) substitute(ctx context.Context, res *resource.Resource) (unknown []string, data []byte, err error) {
	k := s.kustomization
	if s.unknown != nil {
		if unknown, k, err = s.supply(res); err != nil {
			return nil, nil, err
		}
	}
	_, err = generator.SubstituteVariables(ctx, nil, k, res,
		generator.SubstituteWithDryRun(true),
		generator.SubstituteWithStrict(s.strict),
		generator.SubstituteWithAlways(s.always))
	if err != nil {
		return nil, nil, err
	}
	data, err = res.MarshalJSON()
	return unknown, data, err
}

// supply finds the variables of a resource that nothing defines and that have
// no default, and returns the variables with those added.
func (s *substitution) supply(res *resource.Resource) ([]string, unstructured.Unstructured, error) {
	text, err := res.AsYAML()
	if err != nil {
		return nil, s.kustomization, err
	}
	if res.GetLabels()[optOut] == generator.DisabledValue || res.GetAnnotations()[optOut] == generator.DisabledValue {
		return nil, s.kustomization, nil
	}
	template, err := envsubst.Parse(string(text))
	if err != nil {
		// Flux's own substitution says what is wrong.
		return nil, s.kustomization, nil
	}
	var unknown []string
	all := s.variables
	for range maxUnknown {
		last := ""
		_, err := template.Execute(func(name string) (string, bool) {
			value, ok := all[name]
			if !ok {
				last = name
			}
			return value, ok
		})
		if err == nil || last == "" {
			break
		}
		// It stops at the first that has no default.
		if len(unknown) == 0 {
			all = maps.Clone(all)
		}
		all[last] = s.unknown(last)
		unknown = append(unknown, last)
	}
	if len(unknown) == 0 {
		return nil, s.kustomization, nil
	}
	k, err := substituting(all)
	return unknown, k, err
}
