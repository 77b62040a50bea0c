// Package rehearsal puts a homelab's repository on a stage: it starts a
// Kubernetes, lets Hearth's reconcilers follow the repository's working tree
// there while stand-ins play the hardware, and tells how it ended: what came
// up, in which order, how long that would take in life, and what did not.
//
// What had to be made up is an assumption, and listed. The rooms that do the
// work are found in engine, standin and observe; this one only joins them.
package rehearsal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/examples"
	"hearth/internal/domain"
	"hearth/internal/engine/dns"
	"hearth/internal/engine/dns/server"
	"hearth/internal/engine/notification"
	"hearth/internal/kube"
	"hearth/internal/kube/objects"
	"hearth/internal/kube/work"
	"hearth/internal/observe"
	"hearth/internal/render"
	"hearth/internal/repo"
	"hearth/internal/standin/nodeapi"
)

// MisuseError says that a rehearsal could not begin because of what it was
// asked to do, or of a repository that cannot be read.
type MisuseError struct{ Err error }

// Error returns the cause's sentence.
func (e *MisuseError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *MisuseError) Unwrap() error { return e.Err }

// Stage is a homelab on an in-process Kubernetes. Its methods may be called
// concurrently; Close ends everything.
type Stage struct {
	options     Options
	repository  *repo.Repository
	cluster     *repo.Cluster
	kubernetes  kube.Cluster
	kubelets    *nodeapi.Server
	objects     *objects.Objects
	gate        *work.Gate
	watcher     *observe.Watcher
	index       *render.Index
	assumptions *domain.Assumptions
	simulated   *simulated
	faults      *domain.Faults
	spoilt      *spoilt // nil where no mistake is made in the tree
	origin      string  // the owner's working tree
	engine      *engine
	hooks       *notification.Server
	webhooks    string // where they are answered
	names       *server.Server
	nameBoard   *dns.Board
	began       time.Time

	stop   context.CancelFunc
	closed []func() error
	done   chan error

	// entered tells once how the bootstrap and the entry went.
	entered chan error

	mu        sync.Mutex
	noted     []string
	effects   []Effect
	onset     []onset
	restless  map[domain.Ref]bool // see spareRestless
	onProblem func(string)
	doors     []Door
	onDoor    func(Door)
	kinds     kinds
	// connects are the Services of Connect servers that were missed, and
	// whether they are taken to be there.
	connects map[client.ObjectKey]bool
}

// Open reads the repository, starts Kubernetes, and applies what the cluster's
// entry says; the reconcilers then run until Close. A *MisuseError says that
// nothing was started. Cancelling ctx ends the stage, too; Close is still due.
func Open(ctx context.Context, o Options) (*Stage, error) {
	s := &Stage{
		options:     o,
		gate:        work.NewGate(slots),
		index:       &render.Index{},
		assumptions: &domain.Assumptions{},
		simulated:   &simulated{},
		faults:      &domain.Faults{},
		began:       time.Now(),
		done:        make(chan error, 1),
		entered:     make(chan error, 1),
	}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// exampleCluster is the cluster of the example homelab that is rehearsed where
// none is named.
const exampleCluster = "main"

// defaultSeed is what simulated durations are drawn from where nobody says.
const defaultSeed = 1

// slots is how many reconciles work at once. They spend much of their time
// waiting for the API server, so that more than one a core pays off.
const slots = 8

func (s *Stage) open(ctx context.Context) error {
	s.options.Faults = scheduled(s.options.Faults)
	if address := s.options.Webhooks; address != "" {
		if err := notification.CheckAddress(address, false); err != nil {
			return &MisuseError{err}
		}
	}
	if err := s.openRepository(ctx); err != nil {
		return &MisuseError{err}
	}
	for _, f := range s.options.Faults {
		if atOnce(f) && s.options.Soak == nil {
			s.faults.Inject(f)
			s.noteBegun(f)
		}
	}
	ctx, s.stop = context.WithCancel(ctx)
	return s.boot(ctx)
}

// openRepository finds the cluster to rehearse.
func (s *Stage) openRepository(ctx context.Context) error {
	path, cluster := s.options.Path, s.options.Cluster
	if path == "" {
		cluster = cmp.Or(cluster, exampleCluster)
		dir, remove, err := examples.Unpack()
		if err != nil {
			return err
		}
		s.closed = append(s.closed, remove)
		path = dir
	}
	var err error
	if s.repository, err = repo.Open(ctx, path, repo.Options{}); err != nil {
		return err
	}
	s.origin = s.repository.Root
	if s.options.Spoilable || s.options.Soak != nil || spoils(s.options.Faults) {
		if err := s.spoilRepository(ctx); err != nil {
			return err
		}
	}
	if s.cluster, err = s.repository.Cluster(cluster); err != nil {
		return err
	}
	s.options.Seed = cmp.Or(s.options.Seed, s.repository.Config.Seed, defaultSeed)
	s.kinds.brought = s.kindsOfCharts()
	return nil
}

// spoilRepository goes on with a copy of the working tree, in which mistakes
// can be made; those that are there from the beginning are made at once.
func (s *Stage) spoilRepository(ctx context.Context) error {
	var err error
	if s.spoilt, err = spoil(ctx, s.origin); err != nil {
		return err
	}
	s.closed = append(s.closed, s.spoilt.close)
	for _, f := range s.options.Faults {
		if atOnce(f) && s.options.Soak == nil {
			if err := s.spoilt.spoil(f); err != nil {
				return fmt.Errorf("fault %s: %w", f, err)
			}
		}
	}
	s.repository, err = repo.Open(ctx, s.spoilt.dir, repo.Options{})
	return err
}

// Snapshot returns every observed object as it stands now.
func (s *Stage) Snapshot() []observe.Object { return s.watcher.Snapshot() }

// Watcher tells the homelab's states, transitions and events.
func (s *Stage) Watcher() *observe.Watcher { return s.watcher }

// Kubernetes returns the cluster that the homelab runs on.
func (s *Stage) Kubernetes() kube.Cluster { return s.kubernetes }

// Webhooks returns the URL where Receivers' webhooks are answered, if anywhere.
func (s *Stage) Webhooks() string { return s.webhooks }

// Names returns the DNS server that answers for the cluster's names.
func (s *Stage) Names() *server.Server { return s.names }

// NameKeepers returns how each External-DNS of the cluster stands.
func (s *Stage) NameKeepers() []dns.Standing { return s.nameBoard.Standings() }

// ClusterName returns the name of the cluster that is rehearsed.
func (s *Stage) ClusterName() string { return s.cluster.Name }

// Root returns the working tree's root folder.
func (s *Stage) Root() string { return s.repository.Root }

// Headline says in one line what is on the stage.
func (s *Stage) Headline() string { return s.kubernetesInfo().headline() }

// closeTimeout bounds the orderly end of the control plane.
const closeTimeout = 20 * time.Second

// Close ends the reconcilers, then Kubernetes, and removes what was temporary.
// It may be called more than once.
func (s *Stage) Close() error {
	if s.stop != nil {
		s.stop()
	}
	var errs []error
	for i := len(s.closed) - 1; i >= 0; i-- {
		errs = append(errs, s.closed[i]())
	}
	s.closed = nil
	return errors.Join(errs...)
}

// stopKubernetes waits for the control plane's orderly end.
func (s *Stage) stopKubernetes() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if err := s.kubernetes.Stop(ctx); err != nil {
		return fmt.Errorf("stop Kubernetes: %w", err)
	}
	return nil
}
