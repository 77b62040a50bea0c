package rehearsal

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"go.yaml.in/yaml/v3"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"hearth/internal/domain"
	"hearth/internal/repo"
	"hearth/internal/standin"
	"hearth/internal/standin/kubelet"
	"hearth/internal/standin/status"
	"hearth/internal/standin/webhook"
)

// castStandIns registers who plays the hardware and the operators.
func (s *Stage) castStandIns(mgr manager.Manager, services *serviceResolver) error {
	webhooks, err := webhook.Listen()
	if err != nil {
		return err
	}
	s.closed = append(s.closed, webhooks.Close)
	services.set(webhooks.Resolve)

	nodes, err := nodesOf(s.cluster.Config.Nodes)
	if err != nil {
		return &MisuseError{err}
	}
	rows, err := s.standInRows()
	if err != nil {
		return &MisuseError{err}
	}
	if want, have := s.cluster.Config.KubernetesVersion, s.kubernetes.Version(); want != "" && want != have {
		s.assumptions.Add(domain.AssumedVersion, want, fmt.Sprintf("the cluster runs it, the rehearsal runs %s", have))
	}
	verify, err := s.verifier()
	if err != nil {
		return err
	}
	capacity, err := capacities(s.repository.Config.StorageCapacity)
	if err != nil {
		return &MisuseError{err}
	}
	var pool []netip.Prefix
	for _, network := range s.cluster.Config.AddressPool {
		prefix, err := netip.ParsePrefix(network)
		if err != nil {
			return &MisuseError{fmt.Errorf("%s: addressPool: %w", repo.ConfigFile, err)}
		}
		pool = append(pool, prefix)
	}
	return standin.Setup(mgr, standin.Options{
		Gate: s.gate, Objects: s.objects, Assumptions: s.assumptions,
		Pace: s.options.Pace, BackoffPace: s.backoffPace(), Seed: s.options.Seed,
		Nodes: nodes, PodCIDR: s.kubernetes.PodCIDR(), Version: s.kubernetes.Version(),
		Rows: rows, Webhooks: webhooks, Capacity: capacity, AddressPool: pool,
		MadeUpSecrets: s.engine.assumer != nil, Listening: s.openDoors,
		Kubelets: s.kubelets, VerifyImage: verify, Faults: s.faults,
		Simulated: s.simulated.add,
	})
}

// backoffPace is how fast back-offs are played: at real pace, but in a soak.
func (s *Stage) backoffPace() domain.Pace {
	if s.options.Soak == nil {
		return domain.RealPace
	}
	return s.options.Pace
}

// standInRows reads the rows by which .hearth.yaml extends the stand-ins' table.
func (s *Stage) standInRows() ([]status.Row, error) {
	node := s.repository.Config.StandIns
	if node.IsZero() {
		return nil, nil
	}
	text, err := yaml.Marshal(&node)
	if err != nil {
		return nil, fmt.Errorf("%s:%d: standIns: %w", repo.ConfigFile, node.Line, err)
	}
	rows, err := status.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s:%d: standIns: %w", repo.ConfigFile, node.Line, err)
	}
	return rows, nil
}

// capacities reads how much room there is behind storage classes.
func capacities(configured map[string]string) (map[string]resource.Quantity, error) {
	room := map[string]resource.Quantity{}
	for _, class := range slices.Sorted(maps.Keys(configured)) {
		quantity, err := resource.ParseQuantity(configured[class])
		if err != nil {
			return nil, fmt.Errorf("%s: storageCapacity: %s: %q is no quantity such as 500Gi", repo.ConfigFile, class, configured[class])
		}
		room[class] = quantity
	}
	return room, nil
}

// nodesOf turns the nodes of .hearth.yaml into those that a kubelet plays.
func nodesOf(configured []repo.Node) ([]kubelet.Node, error) {
	var nodes []kubelet.Node
	for _, n := range configured {
		node := kubelet.Node{Name: n.Name, Labels: n.Labels, Zone: n.Zone, Devices: map[string]int{}, Resources: map[string]string{}}
		for _, t := range n.Taints {
			node.Taints = append(node.Taints, corev1.Taint{Key: t.Key, Value: t.Value, Effect: corev1.TaintEffect(t.Effect)})
		}
		for driver, count := range n.Devices {
			node.Devices[driver] = int(count) // few: the configuration was checked
		}
		for _, name := range slices.Sorted(maps.Keys(n.Capacity)) {
			if err := setCapacity(&node, name, n.Capacity[name]); err != nil {
				return nil, fmt.Errorf("%s: node %s: capacity %s: %w", repo.ConfigFile, n.Name, name, err)
			}
		}
		nodes = append(nodes, node)
	}
	return nodes, nil
}

func setCapacity(node *kubelet.Node, name, value string) error {
	quantity, err := resource.ParseQuantity(value)
	if err != nil {
		return fmt.Errorf("%q is no quantity such as 8 or 32Gi", value)
	}
	switch name {
	case "cpu":
		node.CPU = value
	case "memory":
		node.Memory = value
	case "pods":
		node.Pods = quantity.Value()
	default:
		node.Resources[name] = value
	}
	return nil
}
