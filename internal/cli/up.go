package cli

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"hearth/internal/rehearsal"
)

func newUpCommand(p Process) *cobra.Command {
	var (
		stage   stageFlags
		own     rehearsal.Options
		metrics string
	)
	cmd := &cobra.Command{
		Use:   "up [PATH]",
		Short: "Bring a homelab up in this process and keep it up, following edits in the tree as they are saved",
		Long: `Bring the homelab of a repository up as rehearse does, and keep it up:
edits in the tree are reconciled as they are saved. A kubeconfig is written for
any Kubernetes client; hearth get and hearth kubectl find it by themselves.
Ctrl-C stops everything. With --state the next up goes on where this one was.`,
		Args: atMostOnePath,
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := stage.options(p, args)
			if err != nil {
				return err
			}
			if own.Jitter < 0 || own.Jitter > 0.5 {
				return fmt.Errorf("--jitter %v is not between 0 and 0.5", own.Jitter)
			}
			o.StateDir, o.Address, o.Webhooks, o.DNS = own.StateDir, own.Address, own.Webhooks, own.DNS
			o.Notify, o.AllowPrivate = own.Notify, own.AllowPrivate
			o.RefusePrivate, o.NoCrossNamespaceRefs, o.Jitter = own.RefusePrivate, own.NoCrossNamespaceRefs, own.Jitter
			return runUp(cmd, p, o, metrics)
		},
	}
	stage.register(cmd.Flags())
	flags := cmd.Flags()
	flags.StringVar(&own.StateDir, "state", "", "the folder that keeps the cluster between runs")
	flags.StringVar(&own.Address, "listen", "", "the loopback host:port of the API server (default a free port)")
	flags.StringVar(&own.Webhooks, "webhooks", "", "the loopback host:port that answers Receivers' webhooks (default none; port 0 takes a free one)")
	flags.StringVar(&own.DNS, "dns", "", "the loopback IP:port that answers DNS queries for the homelab's names (default a free port)")
	flags.StringVar(&metrics, "metrics", "", "the loopback host:port that serves Prometheus metrics (default none; port 0 takes a free one)")
	flags.BoolVar(&own.Notify, "notify", false, "let Alerts deliver to their Providers, instead of telling what would be sent")
	flags.BoolVar(&own.AllowPrivate, "allow-private", false, "let Providers lead to private and loopback addresses")
	flags.BoolVar(&own.RefusePrivate, "refuse-private", false, "refuse sources on private networks and on this machine")
	flags.BoolVar(&own.NoCrossNamespaceRefs, "no-cross-namespace-refs", false, "refuse references of Kustomizations, HelmReleases, Alerts and Receivers to other namespaces")
	flags.Float64Var(&own.Jitter, "jitter", 0, "the share of an interval, up to 0.5, by which Kustomizations are looked at earlier or later")
	return cmd
}

// runUp keeps a stage open until the context ends, which is no failure.
func runUp(cmd *cobra.Command, p Process, o rehearsal.Options, metrics string) (err error) {
	ctx := cmd.Context()
	stage, err := rehearsal.Open(ctx, o)
	if err != nil {
		return stageFailure(err)
	}
	defer func() {
		if closeErr := stage.Close(); closeErr != nil {
			err = failure{exitFailed, errors.Join(err, closeErr)}
		}
	}()
	kubeconfig := stage.Kubernetes().KubeconfigPath()
	forget, err := registerUp(upInfo{PID: os.Getpid(), Kubeconfig: kubeconfig, Cluster: stage.ClusterName(), Started: time.Now(), Repository: stage.Root(), DNS: stage.Names().Address()})
	if err != nil {
		return failure{exitFailed, err}
	}
	defer forget()
	fmt.Fprintf(p.Stdout, "%s\nkubeconfig %s\n", stage.Headline(), kubeconfig)
	fmt.Fprintf(p.Stdout, "dns %s\n", stage.Names().Address())
	if url := stage.Webhooks(); url != "" {
		fmt.Fprintf(p.Stdout, "webhooks %s\n", url)
	}
	unobserve, err := observeUp(ctx, stage.Kubernetes().Config(), metrics, p.Stdout)
	if err != nil {
		return failure{exitFailed, err}
	}
	defer func() {
		if unobserveErr := unobserve(); unobserveErr != nil {
			fmt.Fprintf(p.Stdout, "! %s\n", printable(unobserveErr.Error()))
		}
	}()
	fmt.Fprintln(p.Stdout)
	stop := showLog(p.Stdout, stage)
	defer stop()
	stage.OnDoor(func(d rehearsal.Door) { fmt.Fprintf(p.Stdout, "%s\n", printable(d.String())) })
	stage.OnProblem(func(problem string) { fmt.Fprintf(p.Stdout, "! %s\n", printable(problem)) })
	if err := stage.Follow(ctx); err != nil {
		return failure{exitFailed, err}
	}
	return nil
}
