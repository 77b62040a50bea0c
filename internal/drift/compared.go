package drift

import (
	"context"
	"fmt"
	"strings"

	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	generator "github.com/fluxcd/pkg/kustomize"
	"github.com/fluxcd/pkg/ssa"
	"github.com/fluxcd/pkg/ssa/normalize"
	ssautil "github.com/fluxcd/pkg/ssa/utils"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/domain"
	"hearth/internal/render"
	"hearth/internal/render/kustomize"
)

// compared is one Kustomization that is compared with the cluster.
type compared struct {
	kube    client.Client
	request Request
	names   wanted
	of      *kustomizev1.Kustomization
	options ssa.ApplyOptions
	secrets []string
	report  *Report
}

// askedFor is one object that the Kustomization would apply.
type askedFor struct {
	*unstructured.Unstructured
	origin render.Origin
}

func (a askedFor) place(field ...string) domain.Place {
	return a.origin.Place(render.KeyOf(a.Unstructured), field...)
}

func (c *compared) apart(place domain.Place, format string, args ...any) {
	c.report.Apart = append(c.report.Apart, Apart{
		Kustomization: c.of.Namespace + "/" + c.of.Name, Place: place, Why: c.mask(fmt.Sprintf(format, args...)),
	})
}

func (c *compared) run(ctx context.Context, reads map[string]bool) error {
	ref := c.of.Spec.SourceRef
	if ref.Namespace == "" {
		ref.Namespace = c.of.Namespace
	}
	switch {
	case !reads[ref.Kind+"/"+ref.Namespace+"/"+ref.Name]:
		c.apart(domain.Place{}, "it reads %s %s/%s, which is not this repository", ref.Kind, ref.Namespace, ref.Name)
		return nil
	case c.of.Spec.KubeConfig != nil:
		c.apart(domain.Place{}, "it applies to another cluster (spec.kubeConfig)")
		return nil
	}
	asked, err := c.build(ctx)
	if err != nil && ctx.Err() == nil {
		c.apart(domain.Place{}, "%v", err)
		return nil
	}
	if err != nil {
		return err
	}
	c.options = ApplyOptions(c.of)
	return c.compare(ctx, asked)
}

// build makes what the Kustomization would apply from the tree, with variables
// from the cluster, as far as it was asked for.
func (c *compared) build(ctx context.Context) ([]askedFor, error) {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(c.of)
	if err != nil {
		return nil, err
	}
	self := &unstructured.Unstructured{Object: content}
	secret := generator.ContextWithSecretVarsCollector(ctx, func(values map[string]string) {
		for _, value := range values {
			if value != "" {
				c.secrets = append(c.secrets, value)
			}
		}
	})
	vars, err := generator.LoadVariables(secret, c.kube, *self)
	if err != nil {
		return nil, err
	}
	built, err := kustomize.Build(ctx, kustomize.Request{
		Root: c.request.Root, Path: c.of.Spec.Path, Kustomization: self, Variables: vars, Strict: true,
		Always: c.of.GetSubstituteStrategy() == kustomizev1.SubstituteStrategyAlways,
	})
	if err != nil {
		return nil, err
	}
	if err := normalize.UnstructuredList(built.Objects); err != nil {
		return nil, err
	}
	manager := ssa.NewResourceManager(c.kube, nil, ssa.Owner{Field: FieldManager, Group: ownerGroup})
	manager.SetOwnerLabels(built.Objects, c.of.Name, c.of.Namespace)
	var asked []askedFor
	for i, obj := range built.Objects {
		in := c.request.Namespace == "" || c.request.Namespace == obj.GetNamespace()
		if in && c.names.includes(client.ObjectKeyFromObject(c.of), obj) {
			ssautil.RemoveCABundleFromCRD(obj)
			asked = append(asked, askedFor{obj, built.Origins[i]})
		}
	}
	return asked, nil
}

// object compares one object. It is apart, with the reason, where it cannot be.
func (c *compared) object(ctx context.Context, a askedFor) (drifted *Object, apart string, err error) {
	if _, encrypted := a.Object["sops"]; encrypted {
		return nil, name(a.Unstructured) + " is encrypted in Git", nil
	}
	live := &unstructured.Unstructured{}
	live.SetGroupVersionKind(a.GroupVersionKind())
	err = c.kube.Get(ctx, client.ObjectKeyFromObject(a), live)
	missing := apierrors.IsNotFound(err) || meta.IsNoMatchError(err)
	if err != nil && !missing {
		return nil, fmt.Sprintf("%s cannot be read: %v", name(a.Unstructured), err), ctx.Err()
	}
	if c.leftAlone(a.Unstructured, live, missing) {
		return nil, "", nil
	}
	drifted = &Object{
		Ref:           domain.Ref{Kind: a.GetKind(), Namespace: a.GetNamespace(), Name: a.GetName()},
		Kustomization: c.of.Namespace + "/" + c.of.Name, Place: a.place(), Missing: missing,
	}
	if missing {
		return drifted, "", nil
	}
	answered := a.DeepCopy()
	if err := c.kube.Patch(ctx, answered, client.Apply, client.DryRunAll, client.ForceOwnership, client.FieldOwner(FieldManager)); err != nil {
		return nil, c.refusal(a.Unstructured, err), ctx.Err()
	}
	answered = c.cleanedUp(live, answered)
	if err := ignore(c.options, answered, live); err != nil {
		return nil, fmt.Sprintf("spec.ignore: %v", err), nil
	}
	for _, f := range Compare(live, answered) {
		if c.secret(f) {
			f.Asked, f.Live, f.Secret = nil, nil, true
		}
		drifted.Fields = append(drifted.Fields, f)
		drifted.Places = append(drifted.Places, a.place(f.Steps...))
	}
	if len(drifted.Fields) == 0 {
		return nil, "", nil
	}
	return drifted, "", nil
}

// refusal says that the server refuses what Git asks for. What it says of a
// Secret may cite values.
func (c *compared) refusal(obj *unstructured.Unstructured, err error) string {
	if isSecret(obj) {
		return name(obj) + " is refused by the server as Git asks for it"
	}
	return fmt.Sprintf("%s is refused by the server as Git asks for it: %v", name(obj), err)
}

// leftAlone reports whether an apply would not touch an object.
func (c *compared) leftAlone(asked, live *unstructured.Unstructured, missing bool) bool {
	return ssautil.AnyInMetadata(asked, c.options.ExclusionSelector) || ssautil.AnyInMetadata(live, c.options.ExclusionSelector) ||
		!missing && ssautil.AnyInMetadata(asked, c.options.IfNotPresentSelector)
}

// secret reports whether a field shows a value that came from a Secret.
func (c *compared) secret(f Field) bool {
	text := fmt.Sprint(f.Asked) + "\x00" + fmt.Sprint(f.Live)
	return c.mask(text) != text
}

func (c *compared) mask(text string) string {
	for _, value := range c.secrets {
		text = strings.ReplaceAll(text, value, "*****")
	}
	return text
}

func name(obj *unstructured.Unstructured) string {
	return domain.Ref{Kind: obj.GetKind(), Namespace: obj.GetNamespace(), Name: obj.GetName()}.String()
}
