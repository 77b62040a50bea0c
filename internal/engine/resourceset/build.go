package resourceset

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/fluxcd/pkg/apis/meta"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kubejson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fluxcdv1 "hearth/internal/api/fluxcd/v1"
	"hearth/internal/engine/fluxoperator"
	"hearth/internal/render/resourceset"
)

// step is one group of objects; a set without steps is one without a name.
type step struct {
	name    string
	timeout *metav1.Duration
	objects []*unstructured.Unstructured
}

func (s step) timeoutOr(otherwise time.Duration) time.Duration {
	if s.timeout != nil && s.timeout.Duration > 0 {
		return s.timeout.Duration
	}
	return otherwise
}

// failed names the step in an error.
func (s step) failed(what string, err error) error {
	if err == nil || s.name == "" || errors.Is(err, fluxoperator.ErrInterrupted) {
		return err
	}
	return fmt.Errorf("step %q %s: %w", s.name, what, err)
}

func (s step) unhealthy(err error) error { return s.failed("health check failed", err) }

// build combines the inputs and makes the objects of all steps.
func (w *walk) build(ctx context.Context) error {
	inputs, err := w.inputs(ctx)
	if err != nil {
		return buildFailed("failed to compute inputs", err)
	}
	w.steps = []step{{}}
	if len(w.Object.Spec.InputsFrom) == 0 || len(inputs) > 0 {
		// Otherwise the providers have nothing: an empty set removes all.
		if w.steps, err = w.expand(ctx, inputs); err != nil {
			return buildFailed("build failed", err)
		}
	}
	for _, step := range w.steps {
		w.all = append(w.all, step.objects...)
	}
	w.metadata = map[string]string{"inputs": fmt.Sprint(len(inputs)), "resources": fmt.Sprint(len(w.all))}
	if len(w.Object.Spec.Steps) > 0 {
		w.metadata["steps"] = fmt.Sprint(len(w.Object.Spec.Steps))
	}
	return nil
}

func buildFailed(what string, err error) error {
	return &fluxoperator.Failure{Reason: meta.BuildFailedReason, Stalled: true, Err: fmt.Errorf("%s: %w", what, err)}
}

// expand executes the templates.
func (w *walk) expand(ctx context.Context, inputs []map[string]any) ([]step, error) {
	ctx, cancel := context.WithTimeout(ctx, buildTimeout)
	defer cancel()
	spec := w.Object.Spec
	if len(spec.Steps) == 0 {
		objects, err := resourceset.Build(ctx, templates(spec.Resources, spec.ResourcesTemplate), inputs)
		return []step{{objects: objects}}, err
	}
	if len(spec.Resources) > 0 || spec.ResourcesTemplate != "" {
		return nil, errors.New("spec.steps goes with neither spec.resources nor spec.resourcesTemplate")
	}
	var groups []resourceset.Step
	for _, s := range spec.Steps {
		groups = append(groups, resourceset.Step{Name: s.Name, Templates: templates(s.Resources, s.ResourcesTemplate)})
	}
	built, err := resourceset.BuildSteps(ctx, groups, inputs)
	if err != nil {
		return nil, err
	}
	steps := make([]step, len(built))
	for i, objects := range built {
		steps[i] = step{name: spec.Steps[i].Name, timeout: spec.Steps[i].Timeout, objects: objects}
	}
	return steps, nil
}

func templates(resources []*apiextensionsv1.JSON, text string) resourceset.Templates {
	t := resourceset.Templates{Text: text}
	for _, resource := range resources {
		t.Resources = append(t.Resources, json.RawMessage(resource.Raw))
	}
	return t
}

// inputs combines the inputs of the set itself and of its providers.
func (w *walk) inputs(ctx context.Context) ([]map[string]any, error) {
	own := resourceset.Provider{Kind: fluxcdv1.ResourceSetKind, Namespace: w.Key.Namespace, Name: w.Key.Name}
	var err error
	if own.Inputs, err = decode(w.Object.Spec.Inputs); err != nil {
		return nil, err
	}
	found, err := w.providers(ctx)
	if err != nil {
		return nil, err
	}
	var others []resourceset.Provider
	for name, provider := range found {
		other := resourceset.Provider{Kind: fluxcdv1.ResourceSetInputProviderKind, Namespace: w.Key.Namespace, Name: name}
		if other.Inputs, err = decode(provider.Status.ExportedInputs); err != nil {
			return nil, fmt.Errorf("ResourceSetInputProvider/%s: %w", name, err)
		}
		others = append(others, other)
	}
	var strategy resourceset.Strategy
	if s := w.Object.Spec.InputStrategy; s != nil {
		strategy = resourceset.Strategy{Permute: s.Name == fluxcdv1.Permute, IncludeEmpty: s.IncludeEmptyProviders}
	}
	return resourceset.Combine(own, others, strategy)
}

// providers finds the providers that the set names or selects.
func (w *walk) providers(ctx context.Context) (map[string]*fluxcdv1.ResourceSetInputProvider, error) {
	found := map[string]*fluxcdv1.ResourceSetInputProvider{}
	for _, from := range w.Object.Spec.InputsFrom {
		if from.Name != "" {
			provider := &fluxcdv1.ResourceSetInputProvider{}
			if err := w.client.Get(ctx, client.ObjectKey{Namespace: w.Key.Namespace, Name: from.Name}, provider); err != nil {
				return nil, fmt.Errorf("failed to get provider %s/%s: %w", w.Key.Namespace, from.Name, err)
			}
			found[from.Name] = provider
			continue
		}
		selector, err := metav1.LabelSelectorAsSelector(from.Selector)
		if err != nil {
			return nil, fmt.Errorf("failed to parse selector: %w", err)
		}
		var list fluxcdv1.ResourceSetInputProviderList
		if err := w.client.List(ctx, &list, client.InNamespace(w.Key.Namespace), client.MatchingLabelsSelector{Selector: selector}); err != nil {
			return nil, fmt.Errorf("failed to list providers: %w", err)
		}
		for i := range list.Items {
			found[list.Items[i].Name] = &list.Items[i]
		}
	}
	return found, nil
}

// decode reads sets of inputs, whole numbers as such.
func decode(sets []fluxcdv1.Input) ([]map[string]any, error) {
	decoded := make([]map[string]any, len(sets))
	for i, set := range sets {
		decoded[i] = map[string]any{}
		for name, raw := range set {
			var value any
			if raw != nil {
				if err := kubejson.Unmarshal(raw.Raw, &value); err != nil {
					return nil, fmt.Errorf("inputs[%d].%s: %w", i, name, err)
				}
			}
			decoded[i][name] = value
		}
	}
	return decoded, nil
}
