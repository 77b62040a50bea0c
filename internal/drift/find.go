package drift

import (
	"context"
	"fmt"
	"slices"
	"strings"

	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/domain"
	"hearth/internal/kube/scheme"
)

// atOnce is how many objects are asked about at a time.
const atOnce = 16

// Request says what to compare with what.
type Request struct {
	// Root is the working tree.
	Root string
	// Sources are what the tree stands for: a GitRepository by its URL, any
	// source by its name.
	Sources []Source
	// Namespace, where it is not empty, is the only one that is looked at.
	Namespace string
	// Names, where there are any, are the only objects that are looked at;
	// a Kustomization stands for all that it applies.
	Names []Name
}

// Source is a source whose artifacts are made of the tree.
type Source struct{ Kind, Namespace, Name, URL string }

// Object is an object that is not as Git asks for it.
type Object struct {
	Ref domain.Ref
	// Kustomization applies it, "namespace/name".
	Kustomization string
	// Place is where Git asks for it.
	Place domain.Place
	// Missing says that the cluster does not have it.
	Missing bool
	Fields  []Field
	// Places are where Git asks for each of Fields.
	Places []domain.Place
}

// Apart is a Kustomization, or an object of one, that could not be compared.
type Apart struct {
	Kustomization string
	Place         domain.Place
	Why           string
}

// Report is what differs, by Kustomization and object.
type Report struct {
	// Compared is how many objects were looked at.
	Compared int
	Objects  []Object
	Apart    []Apart
}

// Find compares what the Kustomizations of a cluster would apply from a tree
// with what the cluster has. It asks the cluster by dry runs and writes
// nothing. Its error says that the cluster cannot be asked, or that a name is
// none of its kinds; what cannot be compared is in the report.
func Find(ctx context.Context, config *rest.Config, r Request) (*Report, error) {
	config = rest.CopyConfig(config)
	config.QPS, config.Burst = -1, -1 // the server sets the pace
	kube, err := client.New(config, client.Options{Scheme: scheme.New()})
	if err != nil {
		return nil, err
	}
	names, err := parseNames(kube.RESTMapper(), r.Names)
	if err != nil {
		return nil, err
	}
	var all kustomizev1.KustomizationList
	if err := kube.List(ctx, &all); err != nil {
		return nil, fmt.Errorf("list the Kustomizations: %w", err)
	}
	var repositories sourcev1.GitRepositoryList
	if err := kube.List(ctx, &repositories); err != nil {
		return nil, fmt.Errorf("list the GitRepositories: %w", err)
	}
	report := &Report{}
	reads := sourcesOf(r, repositories.Items)
	for i := range all.Items {
		k := &all.Items[i]
		if !names.mayApply(client.ObjectKeyFromObject(k)) {
			continue
		}
		c := &compared{kube: kube, request: r, names: names, of: k, report: report}
		if err := c.run(ctx, reads); err != nil {
			return nil, err
		}
	}
	return report, names.unmet()
}

// sourcesOf returns the sources that the tree stands for, as
// "kind/namespace/name".
func sourcesOf(r Request, repositories []sourcev1.GitRepository) map[string]bool {
	reads := map[string]bool{}
	urls := map[string]bool{}
	for _, s := range r.Sources {
		if s.URL != "" {
			urls[repositoryOf(s.URL)] = true
		}
		if s.Name != "" {
			reads[s.Kind+"/"+s.Namespace+"/"+s.Name] = true
		}
	}
	for _, g := range repositories {
		if urls[repositoryOf(g.Spec.URL)] {
			reads[sourcev1.GitRepositoryKind+"/"+g.Namespace+"/"+g.Name] = true
		}
	}
	return reads
}

// repositoryOf returns what is the same in all ways to write the address of a
// repository: host and path.
func repositoryOf(url string) string {
	if _, rest, ok := strings.Cut(url, "://"); ok {
		url = rest
	} else if host, path, ok := strings.Cut(url, ":"); ok {
		url = host + "/" + path // git@host:path
	}
	if _, rest, ok := strings.Cut(url, "@"); ok {
		url = rest
	}
	return strings.ToLower(strings.TrimSuffix(strings.TrimRight(url, "/"), ".git"))
}

// compare looks at all objects of a Kustomization at the same time, and
// reports them in the order in which they were built.
func (c *compared) compare(ctx context.Context, asked []askedFor) error {
	found := make([]*Object, len(asked))
	apart := make([]string, len(asked))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for i, a := range asked {
		g.Go(func() (err error) {
			found[i], apart[i], err = c.object(ctx, a)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for i, a := range asked {
		if found[i] != nil {
			c.report.Objects = append(c.report.Objects, *found[i])
		}
		if apart[i] != "" {
			c.apart(a.place(), "%s", apart[i])
		}
	}
	c.report.Compared += len(asked) - len(slices.DeleteFunc(apart, func(s string) bool { return s == "" }))
	return nil
}
