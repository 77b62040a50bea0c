package cli

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"hearth/internal/diagnose"
	"hearth/internal/diagnose/causes"
	"hearth/internal/diagnose/report"
	"hearth/internal/repo"
)

// The bounds of what explain reads beside objects.
const (
	explainTimeout = 2 * time.Minute
	logLines       = 60
	logBytes       = 64 << 10
	maxLogs        = 20
	logTimeout     = 3 * time.Second
)

type explainFlags struct {
	clusterFlags
	repo   string
	output string
}

func newExplainCommand(p Process) *cobra.Command {
	var f explainFlags
	cmd := &cobra.Command{
		Use:   "explain [KIND/NAME|HOST|all]",
		Short: "Say why something is down: the cause, its line in Git, and the fix",
		Long: `Say why something in a cluster is down: an object, what answers at a host name,
or all there is. Each cause is told once, with all that it blocks, what it is
concluded from, its place in Git and the commit that brought it, what puts it
right, and the commands to see for oneself. Works on any cluster, whoever
reconciles it, and only reads: no value of a Secret is asked for.
The repository is that of the homelab that is up, or the one that --repo names;
without one, places in Git are left out.
Exit code 0: nothing is wrong; 1: something is; 2: misuse, no such object, or a
cluster that cannot be asked.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), p, args) },
	}
	flags := cmd.Flags()
	f.register(flags)
	flags.StringVar(&f.repo, "repo", "", "the homelab's repository, for places in Git")
	flags.StringVarP(&f.output, "output", "o", "text", "the form of the output: text, json or markdown")
	return cmd
}

func (f *explainFlags) run(ctx context.Context, p Process, args []string) error {
	if err := errors.Join(f.check(), checkForm(f.output, "text", "json", "markdown")); err != nil {
		return err
	}
	c, config, err := f.open()
	if err != nil {
		return failure{exitMisuse, err}
	}
	ctx, cancel := context.WithTimeout(ctx, explainTimeout)
	defer cancel()
	w, err := diagnose.Read(ctx, c)
	if err != nil {
		return unreachable(config, err)
	}
	w.Logs = logsOf(ctx, config)
	o := diagnose.Options{Namespace: f.namespace, Context: f.context}
	if len(args) == 1 {
		if o.Of, err = w.Target(args[0], f.namespace); err != nil {
			return err
		}
	}
	if err := f.places(ctx, p, w, &o); err != nil {
		return err
	}
	r := causes.Explain(ctx, w, o)
	if err := f.write(p.Stdout, r); err != nil {
		return fmt.Errorf("write what was found: %w", err)
	}
	if !r.Healthy() {
		return failed
	}
	return nil
}

func (f *explainFlags) write(w io.Writer, r *diagnose.Report) error {
	switch f.output {
	case "json":
		return report.JSON(w, r)
	case "markdown":
		return report.Markdown(w, r)
	}
	paint := painter(colours(w))
	return report.Text(w, r, report.Style{
		Heading: func(text string) string { return paint.paint(yellow, text) },
		Faint:   func(text string) string { return paint.paint(faint, text) },
	})
}

// places lets the repository tell where things stand. One that was named must
// be readable; that of the homelab that is up is used where it is.
func (f *explainFlags) places(ctx context.Context, p Process, w *diagnose.World, o *diagnose.Options) error {
	folder, cluster := f.repo, ""
	if f.kubeconfig == "" && f.context == "" {
		if info, err := findUp(f.cluster); err == nil {
			folder, cluster = cmp.Or(folder, info.Repository), info.Cluster
		}
	}
	if folder == "" {
		return nil
	}
	r, err := repo.Open(ctx, folder, repo.Options{})
	if err == nil {
		var of *repo.Cluster
		if of, err = clusterOf(r, w, cluster); err == nil {
			var places diagnose.Places
			if places, err = placesOf(ctx, r, of); err == nil {
				w.Places, o.History = places, diagnose.OpenHistory(r.Root)
				return nil
			}
		}
	}
	if f.repo != "" {
		return err
	}
	fmt.Fprintf(p.Stderr, "hearth: places in Git are left out: %v\n", err)
	return nil
}

func placesOf(ctx context.Context, r *repo.Repository, c *repo.Cluster) (diagnose.Places, error) {
	state, err := stateOf(ctx, r, c)
	if err != nil {
		return nil, err
	}
	return diagnose.NewTree(state), nil
}

// clusterOf finds the cluster of a repository that a world is: by the name of
// the homelab that is up, the only one there is, or the one whose entry is
// applied there.
func clusterOf(r *repo.Repository, w *diagnose.World, name string) (*repo.Cluster, error) {
	if name != "" || len(r.Clusters) == 1 {
		return r.Cluster(name)
	}
	for _, c := range r.Clusters {
		for _, k := range w.All(diagnose.Kustomization) {
			if path.Clean("/"+k.Text("spec", "path")) == path.Clean("/"+c.Entry.Path) {
				return c, nil
			}
		}
	}
	return r.Cluster(name)
}

// logsOf reads the end of the logs of containers that crash, a bounded number
// of them. Only whether they hold certain signs is told to anybody.
func logsOf(ctx context.Context, config *rest.Config) func(*diagnose.Object, string, []*regexp.Regexp) bool {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil
	}
	type container struct{ namespace, pod, name string }
	read := map[container][]byte{}
	return func(pod *diagnose.Object, name string, signs []*regexp.Regexp) bool {
		key := container{pod.Namespace, pod.Name, name}
		text, known := read[key]
		if !known && len(read) < maxLogs {
			text = endOfLog(ctx, client, key.namespace, key.pod, key.name)
			read[key] = text
		}
		lines := bufio.NewScanner(bytes.NewReader(text))
		for lines.Scan() {
			for _, sign := range signs {
				if sign.Match(lines.Bytes()) {
					return true
				}
			}
		}
		return false
	}
}

// endOfLog reads what a container last wrote: in the run before, if there was
// one. What cannot be read is empty.
func endOfLog(ctx context.Context, client kubernetes.Interface, namespace, pod, name string) []byte {
	ctx, cancel := context.WithTimeout(ctx, logTimeout)
	defer cancel()
	for _, previous := range []bool{true, false} {
		lines, most := int64(logLines), int64(logBytes)
		stream, err := client.CoreV1().Pods(namespace).GetLogs(pod, &corev1.PodLogOptions{
			Container: name, Previous: previous, TailLines: &lines, LimitBytes: &most,
		}).Stream(ctx)
		if err != nil {
			continue
		}
		text, _ := io.ReadAll(io.LimitReader(stream, logBytes)) // what there is will do
		_ = stream.Close()
		if len(text) > 0 {
			return text
		}
	}
	return nil
}
