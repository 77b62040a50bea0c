// Package standin puts the parts together that play what a rehearsal has no
// hardware for: kubelets and their nodes, provisioners, load balancers and
// gateways, operators, and the webhooks of virtual pods.
//
// All of them meet the reconcilers at the API server only, as in life, share
// one cache, and say of themselves that they are assumptions. Each can be set
// up alone; see the packages below.
package standin

import (
	"context"
	"net/netip"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"hearth/internal/domain"
	"hearth/internal/kube/objects"
	"hearth/internal/kube/work"
	"hearth/internal/standin/attach"
	"hearth/internal/standin/gateway"
	"hearth/internal/standin/gateway/proxy"
	"hearth/internal/standin/image"
	"hearth/internal/standin/kubelet"
	"hearth/internal/standin/metrics"
	"hearth/internal/standin/nodeapi"
	"hearth/internal/standin/nodelife"
	"hearth/internal/standin/patience"
	"hearth/internal/standin/status"
	"hearth/internal/standin/storage"
	"hearth/internal/standin/webhook"
)

// Calm is how long nothing may happen before a stand-in makes something up
// that is missing. Whoever waits for a cluster to settle waits longer.
const Calm = patience.Calm

// Options says what is played, and how.
type Options struct {
	Gate        *work.Gate
	Objects     *objects.Objects
	Assumptions *domain.Assumptions

	// Pace is how fast simulated durations are played, BackoffPace how fast
	// the back-offs after crashes and failed pulls are; 0 is real pace for the
	// latter.
	Pace        domain.Pace
	BackoffPace domain.Pace
	// Seed makes drawn durations and made-up passwords repeat.
	Seed uint64

	// Nodes are the cluster's nodes; none means that they are assumed.
	Nodes []kubelet.Node
	// PodCIDR is the cluster's pod range, Version the version its nodes report.
	PodCIDR string
	Version string
	// AddressPool is where load balancers get addresses that nobody asks for.
	AddressPool []netip.Prefix
	// KeepMissingClasses leaves claims of a StorageClass that nobody brings
	// Pending, as in life, where a rehearsal would assume the class.
	KeepMissingClasses bool
	// Capacity is how much room there is behind a StorageClass, by its name; of
	// one that is not named there is as much as anybody asks for.
	Capacity map[string]resource.Quantity
	// Rows extend the table of operators.
	Rows []status.Row
	// Webhooks answers for the Services of virtual pods; nil is nobody. Its
	// Resolve has to be given to the API server when that is started.
	Webhooks *webhook.Backend

	// Kubelets answers the API server in the nodes' place; nil is nobody. Its
	// Dial has to be given to the API server when that is started.
	Kubelets *nodeapi.Server
	// VerifyImage looks images up where they are pulled from; nil takes all to
	// be there. See [kubelet.Options].
	VerifyImage func(ctx context.Context, ref image.Reference, platform string, credentials bool) error
	// MadeUpSecrets says that values of ExternalSecrets may be made up, and
	// Listening is told where gateways answer; see [gateway.Options].
	MadeUpSecrets bool
	Listening     func([]proxy.Mapping)

	// Faults are what goes wrong at the moment; nil is nothing.
	Faults *domain.Faults
	// Simulated is told each simulated duration, at real pace, as it begins. It
	// must be quick, and may be called concurrently.
	Simulated func(obj domain.Ref, step string, d time.Duration)
}

// Setup registers all stand-ins with the manager.
func Setup(mgr manager.Manager, o Options) error {
	if o.Kubelets != nil {
		o.Kubelets.See(mgr.GetClient())
	}
	if o.Objects == nil {
		o.Objects = objects.New(mgr.GetCache(), mgr.GetScheme())
	}
	err := kubelet.Setup(mgr, kubelet.Options{
		Gate: o.Gate, Assumptions: o.Assumptions,
		Pace: o.Pace, BackoffPace: o.BackoffPace, Seed: o.Seed,
		Nodes: o.Nodes, PodCIDR: o.PodCIDR, Version: o.Version,
		Faults: o.Faults, Verify: o.VerifyImage, Simulated: o.Simulated,
	})
	if err != nil {
		return err
	}
	if err := nodelife.Setup(mgr, nodelife.Options{Gate: o.Gate, Pace: o.Pace, Faults: o.Faults}); err != nil {
		return err
	}
	if err := attach.Setup(mgr, attach.Options{Gate: o.Gate, Pace: o.Pace, Faults: o.Faults}); err != nil {
		return err
	}
	if err := storage.Setup(mgr, storage.Options{
		Gate: o.Gate, Objects: o.Objects, Assumptions: o.Assumptions, Faults: o.Faults, Pace: o.Pace, Seed: o.Seed,
		Capacity: o.Capacity, Simulated: o.Simulated, AssumeClasses: !o.KeepMissingClasses,
	}); err != nil {
		return err
	}
	err = gateway.Setup(mgr, gateway.Options{
		Gate: o.Gate, Assumptions: o.Assumptions, Pool: o.AddressPool, Faults: o.Faults,
		MadeUpSecrets: o.MadeUpSecrets, Listening: o.Listening,
	})
	if err != nil {
		return err
	}
	if err := setupOperators(mgr, o); err != nil {
		return err
	}
	if o.Webhooks == nil {
		return nil
	}
	o.Webhooks.Answer(metrics.Group, metrics.Handler(mgr.GetClient()))
	return o.Webhooks.Setup(mgr, webhook.Options{Gate: o.Gate, Assumptions: o.Assumptions})
}
