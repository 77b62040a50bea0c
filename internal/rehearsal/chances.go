package rehearsal

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	esv1 "hearth/internal/api/externalsecrets/v1"
	"hearth/internal/domain"
)

// chance is what may go wrong with a homelab: a kind of fault, and whom it may
// befall.
type chance struct {
	kind  domain.FaultKind
	which []string // none: the whole homelab
}

// chances returns what may go wrong with the homelab as it is, in a stable
// order. Nothing that takes all nodes at once is among it, nor what only
// something new would notice: an image or a chart that is gone, a class of
// storage that nobody serves.
func (s *Stage) chances(ctx context.Context) ([]chance, error) {
	list := []chance{{kind: domain.FaultGitDown}, {kind: domain.FaultAPIServerDown}, {kind: domain.FaultDNSDown}, {kind: domain.FaultPoolEmpty}}
	for _, try := range []struct {
		names func(context.Context) ([]string, error)
		kinds []domain.FaultKind
	}{
		{s.nodeNames, []domain.FaultKind{domain.FaultNodeDown, domain.FaultNodePressure}},
		{s.registries, []domain.FaultKind{domain.FaultRegistryDown, domain.FaultRegistryRateLimited}},
		{s.workloads, []domain.FaultKind{domain.FaultCrash, domain.FaultUnhealthy}},
		{s.operators, []domain.FaultKind{domain.FaultOperatorDown}},
		{s.items, []domain.FaultKind{domain.FaultItemMissing}},
		{s.fields, []domain.FaultKind{domain.FaultFieldMissing, domain.FaultRotate}},
		{s.handEdits, []domain.FaultKind{domain.FaultKubectlEdit}},
		{s.nfsServers, []domain.FaultKind{domain.FaultNFSDown}},
		{s.gateways, []domain.FaultKind{domain.FaultGatewayDown}},
		{s.certificates, []domain.FaultKind{domain.FaultCertificateExpired}},
		{s.classes, []domain.FaultKind{domain.FaultDiskFull}},
		{s.mistakes, []domain.FaultKind{domain.FaultEdit}},
	} {
		which, err := try.names(ctx)
		if err != nil {
			return nil, fmt.Errorf("look for what %s may befall: %w", try.kinds[0], err)
		}
		slices.Sort(which)
		if which = slices.Compact(which); len(which) == 0 {
			continue
		}
		for _, kind := range try.kinds {
			list = append(list, chance{kind, which})
		}
	}
	if slices.ContainsFunc(list, func(c chance) bool { return c.kind == domain.FaultItemMissing }) {
		for _, kind := range []domain.FaultKind{domain.FaultConnectDown, domain.FaultConnectSlow, domain.FaultConnectGarbage, domain.FaultConnectRateLimited, domain.FaultTokenExpired} {
			list = append(list, chance{kind: kind})
		}
	}
	return list, nil
}

// draw picks one fault: the kind first, so that what there is a lot of does
// not go wrong more often.
func draw(random *rand.Rand, list []chance) domain.Fault {
	c := list[random.IntN(len(list))]
	f := domain.Fault{Kind: c.kind}
	if len(c.which) > 0 {
		f.Which = c.which[random.IntN(len(c.which))]
	}
	return f
}

func (s *Stage) nodeNames(ctx context.Context) ([]string, error) {
	var nodes corev1.NodeList
	if err := s.engine.client.List(ctx, &nodes); err != nil || len(nodes.Items) < 2 {
		return nil, err
	}
	var names []string
	for _, n := range nodes.Items {
		names = append(names, n.Name)
	}
	return names, nil
}

// registries returns the hosts that images come from.
func (s *Stage) registries(ctx context.Context) ([]string, error) {
	return s.ofPods(ctx, func(pod *corev1.Pod) (hosts []string) {
		for _, c := range pod.Spec.Containers {
			if host, _, ok := strings.Cut(c.Image, "/"); ok && strings.Contains(host, ".") {
				hosts = append(hosts, host)
			}
		}
		return hosts
	})
}

// nfsServers returns the servers that pods mount volumes of.
func (s *Stage) nfsServers(ctx context.Context) ([]string, error) {
	return s.ofPods(ctx, func(pod *corev1.Pod) (servers []string) {
		for _, v := range pod.Spec.Volumes {
			if v.NFS != nil {
				servers = append(servers, v.NFS.Server)
			}
		}
		return servers
	})
}

// operators returns the names, as their pods bear them, of those operators
// that have pods.
func (s *Stage) operators(ctx context.Context) ([]string, error) {
	return s.ofPods(ctx, func(pod *corev1.Pod) []string {
		if name := pod.Labels["app.kubernetes.io/name"]; operatorNames[name] {
			return []string{name}
		}
		return nil
	})
}

// operatorNames are the operators that homelabs rely on, by the name that
// their charts label pods with.
var operatorNames = map[string]bool{
	"cert-manager": true, "cloudnative-pg": true, "external-dns": true, "external-secrets": true,
	"gateway-helm": true, "envoy-gateway": true, "rook-ceph-operator": true, "reloader": true,
}

// ofPods collects what pods name.
func (s *Stage) ofPods(ctx context.Context, names func(*corev1.Pod) []string) ([]string, error) {
	var pods corev1.PodList
	if err := s.engine.client.List(ctx, &pods); err != nil {
		return nil, err
	}
	var all []string
	for i := range pods.Items {
		all = append(all, names(&pods.Items[i])...)
	}
	return all, nil
}

// workloads returns what the releases' pods belong to, as NAMESPACE/NAME.
func (s *Stage) workloads(context.Context) ([]string, error) {
	var names []string
	for _, o := range s.watcher.Snapshot() {
		if o.Kind == "Pod" && o.Ready && !o.Completed && o.Owner.Kind == "HelmRelease" {
			names = append(names, o.Owner.Namespace+"/"+o.Owner.Name)
		}
	}
	return names, nil
}

// certificates returns cert-manager's certificates, as NAMESPACE/NAME.
func (s *Stage) certificates(ctx context.Context) ([]string, error) {
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(schema.GroupVersionKind{Group: "cert-manager.io", Version: "v1", Kind: "CertificateList"})
	if err := s.engine.client.List(ctx, list); apimeta.IsNoMatchError(err) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	var names []string
	for _, c := range list.Items {
		names = append(names, c.GetNamespace()+"/"+c.GetName())
	}
	return names, nil
}

// extracted returns the vault items that ExternalSecrets read whole, each with
// one that does.
func (s *Stage) extracted(ctx context.Context) (map[string]domain.Ref, error) {
	var list esv1.ExternalSecretList
	if err := s.engine.client.List(ctx, &list); err != nil {
		return nil, err
	}
	items := map[string]domain.Ref{}
	for _, es := range list.Items {
		for _, from := range es.Spec.DataFrom {
			if from.Extract != nil {
				items[from.Extract.Key] = domain.Ref{Kind: "ExternalSecret", Namespace: es.Namespace, Name: es.Name}
			}
		}
	}
	return items, nil
}

// items returns the vault items that ExternalSecrets read.
func (s *Stage) items(ctx context.Context) ([]string, error) {
	extracted, err := s.extracted(ctx)
	var items []string
	for item := range extracted {
		items = append(items, item)
	}
	return items, err
}

// fields returns the fields that these items have, as ITEM/FIELD.
func (s *Stage) fields(ctx context.Context) ([]string, error) {
	extracted, err := s.extracted(ctx)
	var fields []string
	for _, vault := range s.engine.vault.Vaults() {
		for _, item := range vault.Items {
			if _, read := extracted[item.Title]; !read {
				continue
			}
			for _, f := range item.Fields {
				fields = append(fields, item.Title+"/"+f.Label)
			}
		}
	}
	return fields, err
}

func (s *Stage) gateways(ctx context.Context) ([]string, error) {
	var list gatewayv1.GatewayList
	if err := s.engine.client.List(ctx, &list); err != nil {
		return nil, client.IgnoreNotFound(err)
	}
	var names []string
	for _, g := range list.Items {
		names = append(names, g.Name)
	}
	return names, nil
}

func (s *Stage) classes(ctx context.Context) ([]string, error) {
	var list storagev1.StorageClassList
	if err := s.engine.client.List(ctx, &list); err != nil {
		return nil, err
	}
	var names []string
	for _, c := range list.Items {
		names = append(names, c.Name)
	}
	return names, nil
}
