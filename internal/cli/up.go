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
		stage                    stageFlags
		state, address, webhooks string
		notify, allowPrivate     bool
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
			o.StateDir, o.Address = state, address
			o.Webhooks, o.Notify, o.AllowPrivate = webhooks, notify, allowPrivate
			return runUp(cmd, p, o)
		},
	}
	stage.register(cmd.Flags())
	cmd.Flags().StringVar(&state, "state", "", "the folder that keeps the cluster between runs")
	cmd.Flags().StringVar(&address, "listen", "", "the loopback host:port of the API server (default a free port)")
	cmd.Flags().StringVar(&webhooks, "webhooks", "", "the loopback host:port that answers Receivers' webhooks (default none; port 0 takes a free one)")
	cmd.Flags().BoolVar(&notify, "notify", false, "let Alerts deliver to their Providers, instead of telling what would be sent")
	cmd.Flags().BoolVar(&allowPrivate, "allow-private", false, "let Providers lead to private and loopback addresses")
	return cmd
}

// runUp keeps a stage open until the context ends, which is no failure.
func runUp(cmd *cobra.Command, p Process, o rehearsal.Options) (err error) {
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
	forget, err := registerUp(upInfo{PID: os.Getpid(), Kubeconfig: kubeconfig, Cluster: stage.ClusterName(), Started: time.Now(), Repository: stage.Root()})
	if err != nil {
		return failure{exitFailed, err}
	}
	defer forget()
	fmt.Fprintf(p.Stdout, "%s\nkubeconfig %s\n", stage.Headline(), kubeconfig)
	if url := stage.Webhooks(); url != "" {
		fmt.Fprintf(p.Stdout, "webhooks %s\n", url)
	}
	fmt.Fprintln(p.Stdout)
	stop := showLog(p.Stdout, stage)
	defer stop()
	stage.OnProblem(func(problem string) { fmt.Fprintf(p.Stdout, "! %s\n", printable(problem)) })
	if err := stage.Follow(ctx); err != nil {
		return failure{exitFailed, err}
	}
	return nil
}
