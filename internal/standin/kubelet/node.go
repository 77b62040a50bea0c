package kubelet

import (
	"fmt"
	"maps"
	"net/netip"
	"runtime"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"hearth/internal/standin/nodeapi"
)

// Node describes a virtual node.
type Node struct {
	Name string `yaml:"name" json:"name"`
	// Labels are added to the ones every node has (host name, operating
	// system, architecture), and win over them.
	Labels map[string]string `yaml:"labels,omitempty" json:"labels,omitempty"`
	// Zone is the value of the label topology.kubernetes.io/zone, if any.
	Zone   string         `yaml:"zone,omitempty" json:"zone,omitempty"`
	Taints []corev1.Taint `yaml:"taints,omitempty" json:"taints,omitempty"`
	// Address is the node's internal IP; "" means one of 198.18.0.0/15, a range
	// kept for benchmarks.
	Address string `yaml:"address,omitempty" json:"address,omitempty"`
	// CPU and Memory are quantities such as "8" and "32Gi"; "" means more than
	// a homelab asks for.
	CPU    string `yaml:"cpu,omitempty" json:"cpu,omitempty"`
	Memory string `yaml:"memory,omitempty" json:"memory,omitempty"`
	// Pods is how many pods fit; 0 means 250.
	Pods int64 `yaml:"pods,omitempty" json:"pods,omitempty"`
	// Resources are further resources: devices, huge pages, ephemeral storage.
	Resources map[string]string `yaml:"resources,omitempty" json:"resources,omitempty"`
	// Devices is how many devices each resource driver offers on the node, by
	// the driver's name.
	Devices map[string]int `yaml:"devices,omitempty" json:"devices,omitempty"`
}

// Capacity of a node that says nothing else.
const (
	defaultCPU     = "64"
	defaultMemory  = "256Gi"
	defaultStorage = "1Ti"
	defaultPods    = 250
)

// maxNodes is how many /24 ranges the usual pod range has.
const maxNodes = 256

// defaultNodes are assumed where nobody says what nodes there are.
func defaultNodes() []Node {
	return []Node{{Name: "node-1"}, {Name: "node-2"}, {Name: "node-3"}}
}

// object returns the node as a kubelet registers it.
func (n Node) object(number int, version string) (*corev1.Node, error) {
	if errs := validation.IsDNS1123Subdomain(n.Name); len(errs) > 0 {
		return nil, fmt.Errorf("node name %q is not valid: %s", n.Name, strings.Join(errs, ", "))
	}
	capacity, err := n.capacity()
	if err != nil {
		return nil, err
	}
	address, err := n.address(number)
	if err != nil {
		return nil, err
	}
	labels := map[string]string{
		corev1.LabelHostname:   n.Name,
		corev1.LabelOSStable:   "linux",
		corev1.LabelArchStable: runtime.GOARCH,
	}
	if n.Zone != "" {
		labels[corev1.LabelTopologyZone] = n.Zone
	}
	maps.Copy(labels, n.Labels)
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: n.Name, Labels: labels},
		Spec:       corev1.NodeSpec{Taints: slices.Clone(n.Taints), ProviderID: "hearth://" + n.Name},
		Status: corev1.NodeStatus{
			Capacity:    capacity,
			Allocatable: capacity.DeepCopy(),
			Conditions:  nodeConditions(metav1.Now(), false, nil),
			Addresses: []corev1.NodeAddress{
				{Type: corev1.NodeInternalIP, Address: address.String()},
				{Type: corev1.NodeHostName, Address: n.Name},
			},
			DaemonEndpoints: corev1.NodeDaemonEndpoints{KubeletEndpoint: corev1.DaemonEndpoint{Port: nodeapi.Port}},
			NodeInfo: corev1.NodeSystemInfo{
				KubeletVersion:          version,
				ContainerRuntimeVersion: "hearth://" + strings.TrimPrefix(version, "v"),
				OSImage:                 "Hearth virtual node",
				KernelVersion:           "none",
				OperatingSystem:         "linux",
				Architecture:            labels[corev1.LabelArchStable],
				MachineID:               n.Name,
				SystemUUID:              n.Name,
				BootID:                  n.Name,
			},
		},
	}, nil
}

func (n Node) capacity() (corev1.ResourceList, error) {
	want := map[string]string{"cpu": n.CPU, "memory": n.Memory}
	maps.Copy(want, n.Resources)
	for name, value := range map[string]string{"cpu": defaultCPU, "memory": defaultMemory, "ephemeral-storage": defaultStorage} {
		if want[name] == "" {
			want[name] = value
		}
	}
	if n.Pods < 0 {
		return nil, fmt.Errorf("node %s: %d pods are fewer than none", n.Name, n.Pods)
	}
	pods := n.Pods
	if pods == 0 {
		pods = defaultPods
	}
	capacity := corev1.ResourceList{corev1.ResourcePods: *resource.NewQuantity(pods, resource.DecimalSI)}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		q, err := resource.ParseQuantity(want[name])
		if err != nil {
			return nil, fmt.Errorf("node %s: %s %q is no quantity such as 8 or 32Gi", n.Name, name, want[name])
		}
		capacity[corev1.ResourceName(name)] = q
	}
	return capacity, nil
}

func (n Node) address(number int) (netip.Addr, error) {
	if n.Address == "" {
		return netip.AddrFrom4([4]byte{198, 18, byte(number >> 8), byte(number%256 + 1)}), nil
	}
	address, err := netip.ParseAddr(n.Address)
	if err != nil {
		return address, fmt.Errorf("node %s: %q is no IP address", n.Name, n.Address)
	}
	return address, nil
}

// nodeConditions returns the conditions of a node at a heartbeat, pressed says
// that it runs out of disk space. Transition times are taken from the
// conditions it had, if any.
func nodeConditions(now metav1.Time, pressed bool, had []corev1.NodeCondition) []corev1.NodeCondition {
	disk := corev1.NodeCondition{Type: corev1.NodeDiskPressure, Status: corev1.ConditionFalse, Reason: "KubeletHasNoDiskPressure", Message: "kubelet has no disk pressure"}
	if pressed {
		disk.Status, disk.Reason, disk.Message = corev1.ConditionTrue, "KubeletHasDiskPressure", "kubelet has disk pressure"
	}
	conditions := []corev1.NodeCondition{
		{Type: corev1.NodeMemoryPressure, Status: corev1.ConditionFalse, Reason: "KubeletHasSufficientMemory", Message: "kubelet has sufficient memory available"},
		disk,
		{Type: corev1.NodePIDPressure, Status: corev1.ConditionFalse, Reason: "KubeletHasSufficientPID", Message: "kubelet has sufficient PID available"},
		{Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "KubeletReady", Message: "kubelet is posting ready status"},
	}
	for i := range conditions {
		c := &conditions[i]
		c.LastHeartbeatTime, c.LastTransitionTime = now, now
		for _, old := range had {
			if old.Type == c.Type && old.Status == c.Status {
				c.LastTransitionTime = old.LastTransitionTime
			}
		}
	}
	return conditions
}
