package kustomize

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"

	generator "github.com/fluxcd/pkg/kustomize"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/api/resource"
)

// substitution replaces the variables of one build.
type substitution struct {
	// kustomization has all variables in postBuild.substitute, so that Flux's
	// own substitution needs nobody to ask.
	kustomization  unstructured.Unstructured
	strict, always bool
}

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
	k := unstructured.Unstructured{Object: map[string]any{}}
	if err := unstructured.SetNestedStringMap(k.Object, all, "spec", "postBuild", "substitute"); err != nil {
		return nil, err
	}
	return &substitution{kustomization: k, strict: b.request.Strict, always: b.request.Always}, nil
}

func (s *substitution) substitute(ctx context.Context, res *resource.Resource) error {
	data, err := res.MarshalJSON()
	if err != nil {
		return err
	}
	if !bytes.ContainsRune(data, '$') {
		return nil
	}
	_, err = generator.SubstituteVariables(ctx, nil, s.kustomization, res,
		generator.SubstituteWithDryRun(true),
		generator.SubstituteWithStrict(s.strict),
		generator.SubstituteWithAlways(s.always))
	return err
}
