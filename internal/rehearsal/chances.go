package rehearsal

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	esv1 "hearth/internal/api/externalsecrets/v1"
	"hearth/internal/domain"
	"hearth/internal/observe"
)

// chance is what may go wrong with a homelab: a kind of fault, and whom it may
// befall.
type chance struct {
	kind  domain.FaultKind
	which []string // none: the whole homelab
}

// chances returns what may go wrong with the homelab as it is, in a stable
// order. Nothing that takes all nodes at once is among it.
func (s *Stage) chances(ctx context.Context) ([]chance, error) {
	list := []chance{{kind: domain.FaultGitDown}, {kind: domain.FaultAPIServerDown}, {kind: domain.FaultDNSDown}}
	find := func(kind domain.FaultKind, names func(context.Context) ([]string, error)) error {
		which, err := names(ctx)
		if err != nil {
			return fmt.Errorf("look for what %s may befall: %w", kind, err)
		}
		slices.Sort(which)
		if which = slices.Compact(which); len(which) > 0 {
			list = append(list, chance{kind, which})
		}
		return nil
	}
	for _, try := range []struct {
		kind  domain.FaultKind
		names func(context.Context) ([]string, error)
	}{
		{domain.FaultNodeDown, s.nodeNames},
		{domain.FaultRegistryDown, s.registries},
		{domain.FaultCrash, s.workloads},
		{domain.FaultItemMissing, s.items},
		{domain.FaultGatewayDown, s.gateways},
		{domain.FaultDiskFull, s.classes},
		{domain.FaultEdit, s.mistakes},
	} {
		if err := find(try.kind, try.names); err != nil {
			return nil, err
		}
	}
	if slices.ContainsFunc(list, func(c chance) bool { return c.kind == domain.FaultItemMissing }) {
		for _, kind := range []domain.FaultKind{domain.FaultConnectDown, domain.FaultConnectGarbage, domain.FaultConnectRateLimited, domain.FaultTokenExpired} {
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
	var pods corev1.PodList
	if err := s.engine.client.List(ctx, &pods); err != nil {
		return nil, err
	}
	var hosts []string
	for _, pod := range pods.Items {
		for _, c := range pod.Spec.Containers {
			if host, _, ok := strings.Cut(c.Image, "/"); ok && strings.Contains(host, ".") {
				hosts = append(hosts, host)
			}
		}
	}
	return hosts, nil
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

// items returns the vault items that ExternalSecrets read.
func (s *Stage) items(ctx context.Context) ([]string, error) {
	var list esv1.ExternalSecretList
	if err := s.engine.client.List(ctx, &list); err != nil {
		return nil, err
	}
	var items []string
	for _, es := range list.Items {
		for _, from := range es.Spec.DataFrom {
			if from.Extract != nil {
				items = append(items, from.Extract.Key)
			}
		}
	}
	return items, nil
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

// mistakes returns mistakes that people make in a tree: a chart that is
// misspelt, an item that is misspelt, a folder that is not there. A stage that
// does not work on a copy has none.
func (s *Stage) mistakes(context.Context) ([]string, error) {
	if s.spoilt == nil {
		return nil, nil
	}
	var list []string
	for _, o := range s.watcher.Snapshot() {
		place := s.placeOf(o.Ref)
		if !place.Known() {
			continue
		}
		if mistake := s.mistakeIn(o, place); mistake != "" {
			list = append(list, mistake)
		}
	}
	return list, nil
}

// mistakeIn returns a mistake in what stands at a place, if its file has the
// field: what a component or a template brings is left alone.
func (s *Stage) mistakeIn(o observe.Object, place domain.Place) string {
	field := map[string]string{
		"HelmRelease":    "spec.chartRef.name",
		"ExternalSecret": "spec.dataFrom[0].extract.key",
		"Kustomization":  "spec.path",
	}[o.Kind]
	if field == "" {
		return ""
	}
	path := strings.Split(strings.ReplaceAll(field, "[0]", ".0"), ".")
	for _, doc := range s.documents(place.File) {
		if doc.Kind() != o.Kind || doc.Line != place.Line {
			continue
		}
		if doc.Text(path...) != "" {
			return fmt.Sprintf("%s:%s=%s-misspelt", place.File, field, doc.Text(path...))
		}
	}
	return ""
}
