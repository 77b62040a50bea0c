package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"hearth/internal/domain"
	"hearth/internal/graph"
	"hearth/internal/render/desired"
	"hearth/internal/repo"
	"hearth/internal/scaffold"
)

// newNewCommand writes what a repository does not have yet.
func newNewCommand(p Process) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "new",
		Short: "Write a new application into a homelab repository, as the repository writes its others",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return errors.New("say what is to be new: hearth new app NAMESPACE/NAME --image REPOSITORY:TAG@sha256:DIGEST")
		},
	}
	cmd.AddCommand(newAppCommand(p))
	return cmd
}

// appFlags are those of new app.
type appFlags struct {
	cluster, image, expose, host, tunnel string
	port                                 int
	database, dryRun                     bool
	storage, secrets                     []string
}

func newAppCommand(p Process) *cobra.Command {
	var f appFlags
	cmd := &cobra.Command{
		Use:   "app NAMESPACE/NAME [PATH]",
		Short: "Write a new application: its Kustomization, its release, its secrets, its database",
		Long: `Write a new application into the homelab repository at PATH, or in the current
folder: the Flux Kustomization, the HelmRelease of app-template, the
ExternalSecret and the database that are asked for, and the entry in the
namespace's kustomization. It is written as most of the cluster's applications
are. Exit code 0: written; 1: it could not be written; 2: misuse, or something
that the cluster has nothing for.`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), p, args) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.cluster, "cluster", "", "the cluster that the application is for")
	flags.StringVar(&f.image, "image", "", "the image, as REPOSITORY:TAG@sha256:DIGEST")
	flags.IntVar(&f.port, "port", 8080, "the port that the application listens on; 0 where nobody calls it")
	flags.BoolVar(&f.database, "database", false, "give it a PostgreSQL database")
	flags.StringVar(&f.expose, "expose", "", "who is to reach it from outside the cluster: public, lan or vpn")
	flags.StringVar(&f.host, "host", "", "its hostname, or the first label of it (default its name)")
	flags.StringVar(&f.tunnel, "tunnel", "", "the Cloudflare Tunnel that serves the VPN (default the one that DNS records lead to)")
	flags.StringArrayVar(&f.storage, "storage", nil, "what it keeps: a size such as 10Gi, or nfs:SERVER:/PATH (one of each)")
	flags.StringArrayVar(&f.secrets, "secret", nil, "a field of its item in the vault that it reads (repeatable)")
	flags.BoolVar(&f.dryRun, "dry-run", false, "print what would be written, and write nothing")
	return cmd
}

func (f appFlags) run(ctx context.Context, p Process, args []string) error {
	request, err := f.request(args[0])
	if err != nil {
		return err
	}
	path := "."
	if len(args) > 1 {
		path = args[1]
	}
	r, err := repo.Open(ctx, path, repo.Options{})
	if err != nil {
		return err
	}
	cluster, err := r.Cluster(f.cluster)
	if err != nil {
		return err
	}
	charts, err := checkFlags{}.charts(r)
	if err != nil {
		return err
	}
	state, err := desired.Build(ctx, r, cluster, desired.Options{Charts: charts})
	if err != nil {
		return err
	}
	plan, err := scaffold.New(state, graph.Build(state), request)
	if err != nil {
		return err
	}
	return f.finish(p, r, cluster, plan)
}

// request reads what the flags ask for.
func (f appFlags) request(app string) (scaffold.Request, error) {
	namespace, name, ok := strings.Cut(app, "/")
	if !ok {
		return scaffold.Request{}, fmt.Errorf("%q is no application: give it as NAMESPACE/NAME", app)
	}
	request := scaffold.Request{
		Namespace: namespace, Name: name, Port: f.port, Database: f.database,
		Expose: domain.Exposure(f.expose), Host: f.host, Tunnel: f.tunnel, Secrets: f.secrets,
	}
	var err error
	if f.image != "" {
		if request.Image, err = scaffold.ParseImage(f.image); err != nil {
			return request, err
		}
	}
	for _, text := range f.storage {
		s, err := scaffold.ParseStorage(text)
		if err != nil {
			return request, err
		}
		request.Storage = append(request.Storage, s)
	}
	return request, nil
}

// finish writes the plan, or prints it, and says what comes next.
func (f appFlags) finish(p Process, r *repo.Repository, cluster *repo.Cluster, plan *scaffold.Plan) error {
	for _, note := range plan.Notes {
		fmt.Fprintf(p.Stderr, "hearth: %s\n", note)
	}
	if f.dryRun {
		return plan.Print(p.Stdout)
	}
	if err := plan.Write(r.Root); err != nil {
		return failure{exitFailed, err}
	}
	for _, file := range plan.Created {
		fmt.Fprintf(p.Stdout, "wrote   %s\n", file.Path)
	}
	for _, file := range plan.Changed {
		fmt.Fprintf(p.Stdout, "changed %s\n", file.Path)
	}
	_, err := fmt.Fprintf(p.Stdout, "next    hearth check --cluster %s, then hearth rehearse --cluster %s\n", cluster.Name, cluster.Name)
	return err
}
