// Command hearth runs a Kubernetes homelab from Git, and rehearses every
// change on a real Kubernetes API before it is pushed.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"hearth/internal/cli"
	"hearth/internal/kube/embed"
)

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return cli.Main(ctx, cli.Process{
		Args:       os.Args[1:],
		Stdout:     os.Stdout,
		Stderr:     os.Stderr,
		Kubernetes: embed.Starter{},
	})
}
