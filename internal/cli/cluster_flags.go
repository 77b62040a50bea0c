package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"github.com/spf13/pflag"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"hearth/internal/kube"
	"hearth/internal/kube/gitops"
)

// clusterFlags say which cluster a verb works with, and which namespace of it:
// the same for all verbs.
type clusterFlags struct {
	namespace                    string
	cluster, kubeconfig, context string
}

func (f *clusterFlags) register(flags *pflag.FlagSet) {
	flags.StringVarP(&f.namespace, "namespace", "n", "", "only objects of this namespace")
	flags.StringVar(&f.cluster, "cluster", "", "the homelab that is up, where several are")
	flags.StringVar(&f.kubeconfig, "kubeconfig", "", "the cluster that this file names instead")
	flags.StringVar(&f.context, "context", "", "the cluster of this context of the kubeconfig instead")
}

// check finds misuse before anything is contacted.
func (f *clusterFlags) check() error {
	if f.cluster != "" && (f.kubeconfig != "" || f.context != "") {
		return errors.New("--cluster names a homelab that is up, --kubeconfig and --context name another cluster: give one of them")
	}
	return nil
}

// connect returns how to reach the cluster that the flags name.
func (f *clusterFlags) connect() (*rest.Config, error) {
	if f.kubeconfig != "" || f.context != "" {
		return kube.Connect(f.kubeconfig, f.context)
	}
	info, err := findUp(f.cluster)
	if err != nil {
		return nil, err
	}
	return kube.Connect(info.Kubeconfig, "")
}

// open returns the cluster that the flags name.
func (f *clusterFlags) open() (*gitops.Cluster, *rest.Config, error) {
	config, err := f.connect()
	if err != nil {
		return nil, nil, failure{exitFailed, err}
	}
	// What went wrong is told by errors, not by the client's own log.
	log.SetLogger(logr.Discard())
	c, err := gitops.Open(config)
	if err != nil {
		return nil, nil, failure{exitFailed, err}
	}
	return c, config, nil
}

// find returns the objects that targets mean. A kind that nobody knows is
// misuse.
func (f *clusterFlags) find(ctx context.Context, c *gitops.Cluster, config *rest.Config, targets []gitops.Target) ([]gitops.Object, error) {
	ctx, cancel := context.WithTimeout(ctx, getTimeout)
	defer cancel()
	var found []gitops.Object
	for _, t := range targets {
		o, err := c.Find(ctx, t, f.namespace)
		if err != nil {
			return nil, findFailure(config, err)
		}
		found = append(found, o)
	}
	return found, nil
}

// findFailure gives the error of a search its exit code.
func findFailure(config *rest.Config, err error) error {
	var (
		unknown *gitops.UnknownKindError
		missing *gitops.NotFoundError
		absent  *gitops.NotServedError
	)
	switch {
	case errors.As(err, &unknown):
		return err
	case errors.As(err, &missing), errors.As(err, &absent):
		return failure{exitFailed, err}
	}
	return failure{exitFailed, unreachable(config, err)}
}

// unreachable words the failure to look at a cluster.
func unreachable(config *rest.Config, err error) error {
	var dial *net.OpError
	if errors.As(err, &dial) {
		return fmt.Errorf("the cluster at %s does not answer: %w", config.Host, dial.Err)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("the cluster at %s does not answer within %s", config.Host, getTimeout)
	}
	return fmt.Errorf("look at the cluster at %s: %w", config.Host, err)
}

// checkForm checks the form of an output.
func checkForm(output string, forms ...string) error {
	for _, form := range forms {
		if output == form {
			return nil
		}
	}
	return fmt.Errorf("-o %q is none of %s", output, strings.Join(forms, ", "))
}

// checkTimeout checks a bound of time.
func checkTimeout(timeout time.Duration) error {
	if timeout <= 0 {
		return fmt.Errorf("--timeout %s is no time to wait", timeout)
	}
	return nil
}
