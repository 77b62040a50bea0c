package fluxoperator

import (
	"context"
	"fmt"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/kube/health"
	"hearth/internal/kube/work"
)

const (
	// discoveryTimeout bounds how long a kind that was just defined is looked
	// for. Discovery cannot be watched, and lags about a second behind.
	discoveryTimeout = 30 * time.Second
	shortestWait     = 100 * time.Millisecond
	longestWait      = time.Second
)

// knowKinds asks about kinds that the server does not know, before an apply
// fails on them. The apply itself tells of those that stay unknown.
func (s *Set) knowKinds(ctx context.Context, part []*unstructured.Unstructured) error {
	seen := map[schema.GroupVersionKind]bool{}
	for _, obj := range part {
		gvk := obj.GroupVersionKind()
		if seen[gvk] {
			continue
		}
		seen[gvk] = true
		known, err := s.knows(gvk)
		if err != nil {
			return err
		}
		if known || s.UnknownKind == nil {
			continue
		}
		handled, err := s.UnknownKind(ctx, gvk)
		if err != nil {
			return err
		}
		if handled {
			if _, err := s.awaitKind(ctx, gvk); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *Cluster) knows(gvk schema.GroupVersionKind) (bool, error) {
	_, err := c.Mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
	if apimeta.IsNoMatchError(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look up the kind %s: %w", gvk, err)
	}
	return true, nil
}

// awaitDefinition waits until the server serves a kind that was just defined.
func (s *Set) awaitDefinition(ctx context.Context, crd *unstructured.Unstructured) error {
	definition := &apiextensionsv1.CustomResourceDefinition{}
	established, err := poll(ctx, func() (bool, error) {
		if err := s.Reader.Get(ctx, client.ObjectKeyFromObject(crd), definition); err != nil {
			return false, fmt.Errorf("read the definition %s: %w", crd.GetName(), err)
		}
		for _, condition := range definition.Status.Conditions {
			if condition.Type == apiextensionsv1.Established && condition.Status == apiextensionsv1.ConditionTrue {
				return true, nil
			}
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	if !established {
		return fmt.Errorf("the definition %s is not established after %s", crd.GetName(), discoveryTimeout)
	}
	for _, version := range definition.Spec.Versions {
		if !version.Served {
			continue
		}
		gvk := schema.GroupVersionKind{Group: definition.Spec.Group, Version: version.Name, Kind: definition.Spec.Names.Kind}
		if _, err := s.awaitKind(ctx, gvk); err != nil {
			return err
		}
	}
	return nil
}

// awaitKind waits until discovery names a kind.
func (c *Cluster) awaitKind(ctx context.Context, gvk schema.GroupVersionKind) (bool, error) {
	return poll(ctx, func() (bool, error) { return c.knows(gvk) })
}

// poll asks again after ever longer waits; it gives up without an error.
func poll(ctx context.Context, done func() (bool, error)) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, discoveryTimeout)
	defer cancel()
	for wait := shortestWait; ; wait = min(2*wait, longestWait) {
		if ok, err := done(); ok || err != nil {
			return ok, err
		}
		err := work.Aside(ctx, func(ctx context.Context) error {
			timer := time.NewTimer(wait)
			defer timer.Stop()
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-timer.C:
				return nil
			}
		})
		if err != nil {
			return false, nil
		}
	}
}

// Ready are the expressions by which flux-operator's own kinds are judged: their
// conditions tell of which generation they are.
var Ready = readyExpressions()

func readyExpressions() []health.Expr {
	var all []health.Expr
	for _, kind := range []string{"FluxInstance", "ResourceSet", "ResourceSetInputProvider"} {
		expr := health.Expr{APIVersion: "fluxcd.controlplane.io/v1", Kind: kind}
		expr.Current = "status.conditions.filter(c, c.type == 'Ready').exists(c, c.status == 'True' && c.observedGeneration == metadata.generation)"
		all = append(all, expr)
	}
	return all
}
