package source

import (
	"slices"

	networkingv1 "k8s.io/api/networking/v1"
)

// classAnnotation named an Ingress' class before the specification did.
const classAnnotation = "kubernetes.io/ingress.class"

// ingresses reads the names of Ingresses' rules, certificates and annotations.
func (r *reading) ingresses() {
	for i := range r.Ingresses {
		one := &r.Ingresses[i]
		a, ok := r.wanted(one)
		if !ok || !r.ofClass(one) {
			continue
		}
		targets := a.Targets()
		if len(targets) == 0 {
			targets = ingressPoints(one.Status.LoadBalancer.Ingress, func(p networkingv1.IngressLoadBalancerIngress) (string, string) { return p.IP, p.Hostname })
		}
		var names []string
		if from := a.IngressHostnameSource(); from != "annotation-only" {
			names = hosts(one)
			if from != "defined-hosts-only" {
				names = append(names, r.hostnames(a)...)
			}
		} else {
			names = r.hostnames(a)
		}
		slices.Sort(names)
		for _, name := range slices.Compact(names) {
			r.add(name, "ingress/"+one.Namespace+"/"+one.Name, targets, a)
		}
	}
}

func hosts(one *networkingv1.Ingress) []string {
	var names []string
	for _, rule := range one.Spec.Rules {
		if rule.Host != "" {
			names = append(names, rule.Host)
		}
	}
	for _, tls := range one.Spec.TLS {
		names = append(names, tls.Hosts...)
	}
	return names
}

func (r *reading) ofClass(one *networkingv1.Ingress) bool {
	classes := r.settings.IngressClasses
	if len(classes) == 0 {
		return true
	}
	if one.Spec.IngressClassName != nil {
		return slices.Contains(classes, *one.Spec.IngressClassName)
	}
	return slices.Contains(classes, one.Annotations[classAnnotation])
}
