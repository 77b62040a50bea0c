// Package source reads from a cluster's objects which records they want, by
// the rules of External-DNS' sources: Gateway API routes and their Gateways,
// Services, Ingresses and DNSEndpoints.
//
// It only computes: the objects are handed to it, and it changes none.
package source

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"hearth/internal/engine/dns/annotation"
	"hearth/internal/engine/dns/record"
	"hearth/internal/engine/dns/settings"
)

// The sources that are read, as --source names them.
const (
	HTTPRoute = "gateway-httproute"
	GRPCRoute = "gateway-grpcroute"
	TLSRoute  = "gateway-tlsroute"
	Service   = "service"
	Ingress   = "ingress"
	CRD       = "crd"
)

// Known reports whether a source is read.
func Known(source string) bool {
	return slices.Contains([]string{HTTPRoute, GRPCRoute, TLSRoute, Service, Ingress, CRD}, source)
}

// World is what the records are read from. Kinds that no source asks for may
// be left out.
type World struct {
	HTTPRoutes []gatewayv1.HTTPRoute
	GRPCRoutes []gatewayv1.GRPCRoute
	TLSRoutes  []gatewayv1.TLSRoute
	Gateways   []gatewayv1.Gateway
	Namespaces []corev1.Namespace
	Services   []corev1.Service
	Nodes      []corev1.Node
	Pods       []corev1.Pod
	Slices     []discoveryv1.EndpointSlice
	Ingresses  []networkingv1.Ingress
	Endpoints  []*unstructured.Unstructured
}

// maxRecords bounds how many records are wanted at once.
const maxRecords = 50000

// Records returns the records that are wanted, in order, those of a name and
// type joined. What is no DNS name, or lies outside the domains, is left out.
func Records(w *World, s settings.Settings) []record.Record {
	r := &reading{World: w, settings: s}
	for _, source := range s.Sources {
		switch source {
		case HTTPRoute, GRPCRoute, TLSRoute:
			r.routes(source)
		case Service:
			r.services()
		case Ingress:
			r.ingresses()
		case CRD:
			r.endpoints()
		}
	}
	return merge(r.defaulted())
}

// reading is one pass over a world.
type reading struct {
	*World
	settings settings.Settings
	found    []record.Record
}

// add notes the records that lead a name to its targets, one for each type.
func (r *reading) add(name, resource string, targets []string, a annotation.Set) {
	byType := map[string][]string{}
	for _, target := range targets {
		kind := record.TypeOf(target)
		byType[kind] = append(byType[kind], target)
	}
	for kind, list := range byType {
		r.note(record.Record{
			Name: record.Canonical(name), Type: kind, Targets: record.Targets(kind, list),
			TTL: a.TTL(), SetIdentifier: a.SetIdentifier(), Properties: a.Properties(), Resource: resource,
		})
	}
}

// note keeps a record that can be made.
func (r *reading) note(one record.Record) {
	if len(r.found) < maxRecords && record.ValidName(one.Name) && r.settings.Manages(one.Name) {
		r.found = append(r.found, one)
	}
}

// defaulted gives records the targets that are set for all, where they have
// none or that is forced, and drops those without any.
func (r *reading) defaulted() []record.Record {
	var list []record.Record
	for _, one := range r.found {
		if len(r.settings.DefaultTargets) == 0 || len(one.Targets) > 0 && !r.settings.ForceTargets {
			list = append(list, one)
			continue
		}
		for _, target := range r.settings.DefaultTargets {
			again := one.Clone()
			again.Type = record.TypeOf(target)
			again.Targets = record.Targets(again.Type, []string{target})
			list = append(list, again)
		}
	}
	for i := range list {
		if list[i].TTL == 0 {
			list[i].TTL = r.settings.MinTTL
		}
	}
	return slices.DeleteFunc(list, func(one record.Record) bool { return len(one.Targets) == 0 })
}

// merge joins records of the same name and type: addresses add up, aliases
// stay apart, since only one can be had.
func merge(list []record.Record) []record.Record {
	slices.SortStableFunc(list, func(a, b record.Record) int {
		if c := record.Compare(record.Record{Name: a.Name, Type: a.Type, SetIdentifier: a.SetIdentifier}, record.Record{Name: b.Name, Type: b.Type, SetIdentifier: b.SetIdentifier}); c != 0 {
			return c
		}
		return strings.Compare(a.Resource, b.Resource)
	})
	var merged []record.Record
	for _, one := range list {
		last := len(merged) - 1
		if last < 0 || merged[last].Key() != one.Key() || one.Type == record.CNAME || merged[last].TTL != one.TTL {
			merged = append(merged, one)
			continue
		}
		merged[last].Targets = record.Targets(one.Type, slices.Concat(merged[last].Targets, one.Targets))
	}
	return merged
}

// wanted reports whether an object passes the filters, and returns its annotations.
func (r *reading) wanted(obj metav1.Object) (annotation.Set, bool) {
	a := r.annotations(obj.GetAnnotations())
	in := r.settings.Namespace == "" || r.settings.Namespace == obj.GetNamespace()
	return a, in && a.Ours() && obj.GetDeletionTimestamp() == nil &&
		r.settings.Labels.Matches(labels.Set(obj.GetLabels())) && r.settings.Annotations.Matches(labels.Set(obj.GetAnnotations()))
}

func (r *reading) annotations(values map[string]string) annotation.Set {
	if r.settings.AnnotationPrefix != "" {
		return annotation.Of(values, r.settings.AnnotationPrefix)
	}
	return annotation.Of(values)
}

// hostnames returns what an annotation asks for, unless such are not to be read.
func (r *reading) hostnames(a annotation.Set) []string {
	if r.settings.IgnoreHostnames {
		return nil
	}
	return a.Hostnames()
}
