package diagnose

import (
	"slices"
	"strings"
)

// Workload returns the workload that a pod belongs to, the pod itself where
// nothing controls it, or nil where its controller is not known.
func (w *World) Workload(pod *Object) *Object {
	o := pod
	for range 4 {
		owner := o.controller()
		if owner == nil {
			return o
		}
		above := w.Get(Key{Group: groupOf(owner.Text("apiVersion")), Kind: owner.Text("kind"), Namespace: o.Namespace, Name: owner.Text("name")})
		if above == nil {
			if o.Kind() == Pod || o.Kind() == ReplicaSet {
				return nil
			}
			return o
		}
		o = above
	}
	return o
}

// Pods returns the pods of a workload or of whatever controls some, in order.
func (w *World) Pods(o *Object) []*Object {
	var pods []*Object
	pending := []*Object{o}
	for seen := 0; len(pending) > 0 && seen < 10_000; seen++ {
		next := pending[0]
		pending = pending[1:]
		for _, child := range w.Children(next) {
			if child.Kind() == Pod {
				pods = append(pods, child)
			} else {
				pending = append(pending, child)
			}
		}
	}
	return pods
}

// Selected returns the pods that a Service selects.
func (w *World) Selected(service *Object) []*Object {
	var pods []*Object
	selector := service.In("spec", "selector")
	for _, p := range w.inNamespace(Pod, service.Namespace) {
		if matches(p, selector) {
			pods = append(pods, p)
		}
	}
	return pods
}

func matches(o *Object, labels Fields) bool {
	for name := range labels {
		if o.Label(name) != labels.Text(name) {
			return false
		}
	}
	return len(labels) > 0
}

// inNamespace returns the objects of a kind in a namespace.
func (w *World) inNamespace(kind Kind, namespace string) []*Object {
	w.order()
	list := w.byKind[kind]
	first, _ := slices.BinarySearchFunc(list, namespace, func(o *Object, ns string) int { return strings.Compare(o.Namespace, ns) })
	last := first
	for last < len(list) && list[last].Namespace == namespace {
		last++
	}
	return list[first:last]
}

// Namespaced returns the objects of a kind in a namespace, in order.
func (w *World) Namespaced(kind Kind, namespace string) []*Object {
	return w.inNamespace(kind, namespace)
}

// Bringer returns the Kustomization or HelmRelease that applied an object, as
// the object's own marks and its owners tell; nil where nobody did.
func (w *World) Bringer(o *Object) *Object {
	for range 6 {
		if k, ok := bringerKey(o); ok {
			if by := w.Get(k); by != nil && by != o {
				return by
			}
		}
		owner := o.controller()
		if owner == nil {
			return nil
		}
		if o = w.Get(Key{Group: groupOf(owner.Text("apiVersion")), Kind: owner.Text("kind"), Namespace: o.Namespace, Name: owner.Text("name")}); o == nil {
			return nil
		}
	}
	return nil
}

// The marks of who applied an object.
const (
	markHelm      = "helm.toolkit.fluxcd.io/"
	markKustomize = "kustomize.toolkit.fluxcd.io/"
)

func bringerKey(o *Object) (Key, bool) {
	if name := o.Label(markHelm + "name"); name != "" {
		return HelmRelease.Key(o.Label(markHelm+"namespace"), name), true
	}
	if name := o.Annotation("meta.helm.sh/release-name"); name != "" {
		return HelmRelease.Key(o.Annotation("meta.helm.sh/release-namespace"), name), true
	}
	if name := o.Label(markKustomize + "name"); name != "" {
		return Kustomization.Key(o.Label(markKustomize+"namespace"), name), true
	}
	return Key{}, false
}

// InGit returns the object that stands in Git and brought another one about:
// the release of a pod, or the object itself where a Kustomization applies it.
func (w *World) InGit(o *Object) *Object {
	at := o
	if o.Kind() == Pod {
		if workload := w.Workload(o); workload != nil {
			at = workload
		}
	}
	if by := w.Bringer(at); by != nil && by.Kind() == HelmRelease {
		return by
	}
	return at
}

// ClaimUsers returns the pods that mount a claim.
func (w *World) ClaimUsers(claim *Object) []*Object {
	var pods []*Object
	for _, p := range w.inNamespace(Pod, claim.Namespace) {
		if slices.Contains(claimsOf(p), claim.Key) {
			pods = append(pods, p)
		}
	}
	return pods
}

func claimsOf(pod *Object) []Key {
	var claims []Key
	for _, v := range pod.List("spec", "volumes") {
		switch {
		case v.Has("persistentVolumeClaim"):
			claims = append(claims, Claim.Key(pod.Namespace, v.Text("persistentVolumeClaim", "claimName")))
		case v.Has("ephemeral"):
			claims = append(claims, Claim.Key(pod.Namespace, pod.Name+"-"+v.Text("name")))
		}
	}
	return claims
}

// Configuration returns the Secrets and ConfigMaps that a pod cannot do without.
func Configuration(pod *Object) []Key {
	var keys []Key
	add := func(kind Kind, ref Fields, field string) {
		if name := ref.Text(field); name != "" && !ref.True("optional") {
			keys = append(keys, kind.Key(pod.Namespace, name))
		}
	}
	for _, c := range Containers(pod) {
		for _, from := range c.List("envFrom") {
			add(Secret, from.In("secretRef"), "name")
			add(ConfigMap, from.In("configMapRef"), "name")
		}
		for _, env := range c.List("env") {
			add(Secret, env.In("valueFrom", "secretKeyRef"), "name")
			add(ConfigMap, env.In("valueFrom", "configMapKeyRef"), "name")
		}
	}
	for _, v := range pod.List("spec", "volumes") {
		add(Secret, v.In("secret"), "secretName")
		add(ConfigMap, v.In("configMap"), "name")
		for _, source := range v.List("projected", "sources") {
			add(Secret, source.In("secret"), "name")
			add(ConfigMap, source.In("configMap"), "name")
		}
	}
	slices.SortFunc(keys, compareKeys)
	return slices.Compact(keys)
}

// Containers returns the containers of a pod, init containers first.
func Containers(pod *Object) []Fields {
	return append(pod.List("spec", "initContainers"), pod.List("spec", "containers")...)
}

// Statuses returns what the node says of a pod's containers, init containers
// first.
func Statuses(pod *Object) []Fields {
	return append(pod.List("status", "initContainerStatuses"), pod.List("status", "containerStatuses")...)
}

func compareKeys(a, b Key) int {
	if c := RefOf(a).Compare(RefOf(b)); c != 0 {
		return c
	}
	return strings.Compare(a.Group, b.Group)
}
