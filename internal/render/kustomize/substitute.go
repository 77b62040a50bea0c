package kustomize

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/fluxcd/pkg/envsubst"
	generator "github.com/fluxcd/pkg/kustomize"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// substitution replaces the variables of one build, as Flux's
// SubstituteVariables does, but takes a resource through YAML only once.
type substitution struct {
	variables map[string]string
	unknown   func(name string) string
	strict    bool
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
		all[name] = strings.ReplaceAll(all[name], "\n", "")
	}
	return &substitution{variables: all, unknown: b.request.Unknown, strict: b.request.Strict}, nil
}

// optsOut reports whether an object wants its variables left alone.
func optsOut(labels, annotations map[string]string) bool {
	return labels[optOut] == generator.DisabledValue || annotations[optOut] == generator.DisabledValue
}

// substitute replaces the variables of one resource, which is given as JSON,
// and returns it as JSON, and the variables that nothing defines, where
// somebody supplies them. Of an error the last one is the reason, if any is.
func (s *substitution) substitute(data []byte) (unknown []string, substituted []byte, err error) {
	text, err := yaml.JSONToYAML(data)
	if err != nil {
		return nil, nil, err
	}
	output, unknown, err := s.evaluate(string(text))
	if err != nil {
		return unknown, nil, fmt.Errorf("envsubst error: variable substitution failed: %w", err)
	}
	if substituted, err = yaml.YAMLToJSON([]byte(output)); err != nil {
		return nil, nil, fmt.Errorf("envsubst error: YAMLToJSON: %w", err)
	}
	return unknown, substituted, nil
}

// evaluate fills variables in. It stops at the first that has no default and
// is not known; somebody who supplies such ones is asked, and it begins again.
func (s *substitution) evaluate(text string) (output string, unknown []string, err error) {
	template, err := envsubst.Parse(text)
	if err != nil {
		return "", nil, err
	}
	all := s.variables
	for range maxUnknown {
		missing := ""
		output, err = template.Execute(func(name string) (string, bool) {
			value, ok := all[name]
			if !ok {
				missing = name
			}
			return value, ok || !s.strict && s.unknown == nil
		})
		if err != nil && s.strict && s.unknown == nil && missing != "" {
			return "", []string{missing}, err
		}
		if err == nil || s.unknown == nil || missing == "" {
			break
		}
		if len(unknown) == 0 {
			all = maps.Clone(all)
		}
		all[missing] = s.unknown(missing)
		unknown = append(unknown, missing)
	}
	return output, unknown, err
}
