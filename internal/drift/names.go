package drift

import (
	"fmt"
	"strings"

	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Name names an object as it is written: a kind, its plural or a short name,
// and a name.
type Name struct{ Kind, Name string }

// ParseName reads KIND/NAME.
func ParseName(text string) (Name, error) {
	kind, name, ok := strings.Cut(text, "/")
	if !ok || kind == "" || name == "" || strings.Contains(name, "/") {
		return Name{}, fmt.Errorf("%q is not of the form KIND/NAME", text)
	}
	return Name{kind, name}, nil
}

// shortNames are those of the kinds that a homelab mostly has.
var shortNames = map[string]string{
	"ks": "kustomizations", "hr": "helmreleases", "es": "externalsecrets", "deploy": "deployments", "sts": "statefulsets",
	"ds": "daemonsets", "cm": "configmaps", "svc": "services", "pvc": "persistentvolumeclaims", "pv": "persistentvolumes",
	"ns": "namespaces", "sa": "serviceaccounts", "route": "httproutes", "cj": "cronjobs", "ing": "ingresses",
}

// wanted are the objects that were asked for; none means all.
type wanted []*want

type want struct {
	Name
	kind schema.GroupKind
	met  bool
}

func parseNames(mapper meta.RESTMapper, list []Name) (wanted, error) {
	var w wanted
	for _, n := range list {
		resource := strings.ToLower(n.Kind)
		if long, ok := shortNames[resource]; ok {
			resource = long
		}
		var gvk schema.GroupVersionKind
		if resource == "kustomizations" || resource == "kustomization" {
			gvk = kustomizev1.GroupVersion.WithKind(kustomizev1.KustomizationKind)
		} else {
			var err error
			if gvk, err = mapper.KindFor(schema.GroupVersionResource{Resource: resource}); err != nil {
				return nil, fmt.Errorf("the cluster knows no kind %q: %w", n.Kind, err)
			}
		}
		w = append(w, &want{Name: n, kind: gvk.GroupKind()})
	}
	return w, nil
}

func (w *want) isKustomization() bool {
	return w.kind.Group == ownerGroup && w.kind.Kind == kustomizev1.KustomizationKind
}

// mayApply reports whether a Kustomization may apply what was asked for.
func (w wanted) mayApply(key client.ObjectKey) bool {
	for _, one := range w {
		if !one.isKustomization() || one.Name.Name == key.Name {
			return true
		}
	}
	return len(w) == 0
}

// includes reports whether an object that a Kustomization applies was asked
// for.
func (w wanted) includes(by client.ObjectKey, obj *unstructured.Unstructured) bool {
	included := len(w) == 0
	for _, one := range w {
		if one.isKustomization() && one.Name.Name == by.Name ||
			one.kind == obj.GroupVersionKind().GroupKind() && one.Name.Name == obj.GetName() {
			one.met, included = true, true
		}
	}
	return included
}

// unmet says which names nothing was found for.
func (w wanted) unmet() error {
	for _, one := range w {
		if !one.met {
			return &UnknownNameError{one.Name}
		}
	}
	return nil
}

// UnknownNameError says that no Kustomization applies an object of the name.
type UnknownNameError struct{ Name Name }

// Error says so.
func (e *UnknownNameError) Error() string {
	return fmt.Sprintf("no Kustomization that reads this repository applies %s/%s", e.Name.Kind, e.Name.Name)
}
