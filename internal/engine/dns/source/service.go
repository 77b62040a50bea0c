package source

import (
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/utils/ptr"

	"hearth/internal/engine/dns/annotation"
	"hearth/internal/engine/dns/record"
)

// services reads the Services that ask for names by annotation.
func (r *reading) services() {
	for i := range r.Services {
		svc := &r.Services[i]
		a, ok := r.wanted(svc)
		if kinds := r.settings.ServiceTypes; !ok || len(kinds) > 0 && !slices.Contains(kinds, string(svc.Spec.Type)) {
			continue
		}
		for _, name := range r.hostnames(a) {
			r.service(svc, a, name, false)
		}
		if !r.settings.IgnoreHostnames {
			for _, name := range a.InternalHostnames() {
				r.service(svc, a, name, true)
			}
		}
	}
}

// service notes where one name of a Service leads; inside says that the address
// inside the cluster is meant.
func (r *reading) service(svc *corev1.Service, a annotation.Set, name string, inside bool) {
	resource := "service/" + svc.Namespace + "/" + svc.Name
	if targets := a.Targets(); len(targets) > 0 {
		r.add(name, resource, targets, a)
		return
	}
	headless := svc.Spec.ClusterIP == corev1.ClusterIPNone
	switch svc.Spec.Type {
	case corev1.ServiceTypeLoadBalancer:
		if inside {
			r.add(name, resource, clusterIP(svc), a)
			return
		}
		r.add(name, resource, loadBalancer(svc), a)
	case corev1.ServiceTypeExternalName:
		if len(svc.Spec.ExternalIPs) > 0 {
			r.add(name, resource, svc.Spec.ExternalIPs, a)
			return
		}
		r.add(name, resource, []string{record.Canonical(svc.Spec.ExternalName)}, a)
	case corev1.ServiceTypeNodePort:
		r.add(name, resource, r.nodes(a), a)
		r.nodePorts(svc, a, name)
	case corev1.ServiceTypeClusterIP:
		switch {
		case headless:
			r.headless(svc, a, name)
		case inside || r.settings.PublishInternal:
			r.add(name, resource, clusterIP(svc), a)
		}
	}
}

func clusterIP(svc *corev1.Service) []string {
	if ip := svc.Spec.ClusterIP; ip != "" && ip != corev1.ClusterIPNone {
		return []string{ip}
	}
	return nil
}

func loadBalancer(svc *corev1.Service) []string {
	if len(svc.Spec.ExternalIPs) > 0 {
		return svc.Spec.ExternalIPs
	}
	return ingressPoints(svc.Status.LoadBalancer.Ingress, func(p corev1.LoadBalancerIngress) (string, string) { return p.IP, p.Hostname })
}

// ingressPoints returns the addresses and names that a load balancer has.
func ingressPoints[T any](points []T, of func(T) (ip, hostname string)) []string {
	var targets []string
	for _, p := range points {
		ip, hostname := of(p)
		for _, target := range []string{ip, record.Canonical(hostname)} {
			if target != "" {
				targets = append(targets, target)
			}
		}
	}
	return targets
}

// nodes returns the addresses of the nodes that take pods: external ones where
// there are any, or as the annotation says.
func (r *reading) nodes(a annotation.Set) []string {
	addresses := map[corev1.NodeAddressType][]string{}
	for _, node := range r.Nodes {
		if node.Spec.Unschedulable {
			continue
		}
		for _, address := range node.Status.Addresses {
			addresses[address.Type] = append(addresses[address.Type], address.Address)
		}
	}
	external := addresses[corev1.NodeExternalIP]
	if access := a.Access(); access == "public" || access == "" && len(external) > 0 {
		return external
	}
	return addresses[corev1.NodeInternalIP]
}

// nodePorts notes a SRV record for each port that the nodes open.
func (r *reading) nodePorts(svc *corev1.Service, a annotation.Set, name string) {
	for _, port := range svc.Spec.Ports {
		if port.NodePort <= 0 {
			continue
		}
		protocol := strings.ToLower(string(port.Protocol))
		r.note(record.Record{
			Name: "_" + svc.Name + "._" + protocol + "." + name, Type: record.SRV, TTL: a.TTL(),
			Targets:       []string{"0 50 " + strconv.Itoa(int(port.NodePort)) + " " + name},
			SetIdentifier: a.SetIdentifier(), Properties: a.Properties(), Resource: "service/" + svc.Namespace + "/" + svc.Name,
		})
	}
}

// headless notes the addresses of a Service's pods, and of each pod that has a
// name of its own.
func (r *reading) headless(svc *corev1.Service, a annotation.Set, name string) {
	resource := "service/" + svc.Namespace + "/" + svc.Name
	for _, slice := range r.Slices {
		if slice.Namespace != svc.Namespace || slice.Labels[discoveryv1.LabelServiceName] != svc.Name {
			continue
		}
		for _, endpoint := range slice.Endpoints {
			pod := r.pod(svc.Namespace, endpoint.TargetRef)
			ready := ptr.Deref(endpoint.Conditions.Ready, true) || svc.Spec.PublishNotReadyAddresses
			if pod == nil || !ready || len(endpoint.Addresses) == 0 {
				continue
			}
			targets := r.podTargets(pod, endpoint.Addresses[:1], a)
			r.add(name, resource, targets, a)
			if pod.Spec.Hostname != "" {
				r.add(pod.Spec.Hostname+"."+name, resource, targets, a)
			}
		}
	}
}

func (r *reading) podTargets(pod *corev1.Pod, address []string, a annotation.Set) []string {
	if targets := r.annotations(pod.Annotations).Targets(); len(targets) > 0 {
		return targets
	}
	switch kind := a.EndpointsType(); {
	case kind == "NodeExternalIP":
		return r.nodeAddresses(pod.Spec.NodeName, corev1.NodeExternalIP)
	case kind == "HostIP" || r.settings.PublishHostIP:
		return []string{pod.Status.HostIP}
	}
	return address
}

func (r *reading) nodeAddresses(name string, kind corev1.NodeAddressType) []string {
	var list []string
	for _, node := range r.Nodes {
		for _, address := range node.Status.Addresses {
			if node.Name == name && address.Type == kind {
				list = append(list, address.Address)
			}
		}
	}
	return list
}

func (r *reading) pod(namespace string, ref *corev1.ObjectReference) *corev1.Pod {
	if ref == nil || ref.Kind != "Pod" {
		return nil
	}
	i := slices.IndexFunc(r.Pods, func(p corev1.Pod) bool { return p.Namespace == namespace && p.Name == ref.Name })
	if i < 0 {
		return nil
	}
	return &r.Pods[i]
}
