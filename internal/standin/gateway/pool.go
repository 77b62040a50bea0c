package gateway

import (
	"context"
	"net/netip"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// ciliumPools is the definition of Cilium's address pools.
const ciliumPools = "ciliumloadbalancerippools.cilium.io"

// ciliumPool is what Hearth reads of a CiliumLoadBalancerIPPool.
type ciliumPool struct {
	Spec struct {
		Disabled        bool                  `json:"disabled"`
		ServiceSelector *metav1.LabelSelector `json:"serviceSelector"`
		Blocks          []struct {
			CIDR  string `json:"cidr"`
			Start string `json:"start"`
			Stop  string `json:"stop"`
		} `json:"blocks"`
	} `json:"spec"`
}

// ranges returns the addresses that an owner with such labels may be given:
// those of the cluster's own pools, or else of the options'.
func (e *edge) ranges(ctx context.Context, owner map[string]string) ([]addressRange, error) {
	ranges, err := e.clusterRanges(ctx, owner)
	if err != nil || len(ranges) > 0 {
		return ranges, err
	}
	for _, p := range e.Pool {
		if r, ok := prefixRange(p); ok {
			ranges = append(ranges, r)
		}
	}
	return ranges, nil
}

func (e *edge) clusterRanges(ctx context.Context, owner map[string]string) ([]addressRange, error) {
	crd := &apiextensionsv1.CustomResourceDefinition{}
	if err := e.client.Get(ctx, client.ObjectKey{Name: ciliumPools}, crd); err != nil {
		return nil, client.IgnoreNotFound(err)
	}
	list := &unstructured.UnstructuredList{}
	for _, v := range crd.Spec.Versions {
		if v.Storage {
			list.SetGroupVersionKind(schema.GroupVersionKind{Group: crd.Spec.Group, Version: v.Name, Kind: crd.Spec.Names.ListKind})
		}
	}
	if err := e.client.List(ctx, list); err != nil {
		return nil, err
	}
	var ranges []addressRange
	for _, item := range list.Items {
		pool := ciliumPool{}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(item.Object, &pool); err != nil {
			continue // not a pool that Cilium could read either
		}
		if pool.serves(owner) {
			ranges = append(ranges, pool.ranges()...)
		}
	}
	return ranges, nil
}

func (p ciliumPool) serves(owner map[string]string) bool {
	if p.Spec.Disabled {
		return false
	}
	if p.Spec.ServiceSelector == nil {
		return true
	}
	selector, err := metav1.LabelSelectorAsSelector(p.Spec.ServiceSelector)
	return err == nil && selector.Matches(labels.Set(owner))
}

func (p ciliumPool) ranges() []addressRange {
	var ranges []addressRange
	for _, block := range p.Spec.Blocks {
		if prefix, err := netip.ParsePrefix(block.CIDR); err == nil {
			if r, ok := prefixRange(prefix); ok {
				ranges = append(ranges, r)
			}
			continue
		}
		first, err := netip.ParseAddr(block.Start)
		if err != nil || !first.Is4() {
			continue
		}
		last, err := netip.ParseAddr(block.Stop)
		if err != nil || !last.Is4() || last.Less(first) {
			last = first
		}
		ranges = append(ranges, addressRange{number(first), number(last)})
	}
	return ranges
}
