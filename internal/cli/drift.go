package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hearth/internal/domain"
	"hearth/internal/drift"
	"hearth/internal/repo"
)

// driftTimeout bounds how long a comparison may take.
const driftTimeout = 5 * time.Minute

type driftFlags struct {
	clusterFlags
	output string
}

func newDriftCommand(p Process) *cobra.Command {
	var f driftFlags
	cmd := &cobra.Command{
		Use:   "drift [PATH] [KIND/NAME...]",
		Short: "Show where a cluster differs from what Git asks for, and who changed it",
		Long: `Compare what the Kustomizations of a cluster would apply from the repository at
PATH with what the cluster has, field by field, by dry runs that write nothing.
Each field is told with both values, who changed it and when, and its line in
Git. Without PATH it is the repository of the homelab that is up, or the current
folder. KIND/NAME chooses objects; ks/NAME all that a Kustomization applies.
Exit code 0: no drift; 1: drift; 2: misuse, or a cluster that cannot be asked.`,
		RunE: func(cmd *cobra.Command, args []string) error { return runDrift(cmd.Context(), p, f, args) },
	}
	flags := cmd.Flags()
	f.register(flags)
	flags.StringVarP(&f.output, "output", "o", "text", "the form of the output: text or json")
	return cmd
}

func runDrift(ctx context.Context, p Process, f driftFlags, args []string) error {
	if err := errors.Join(f.check(), checkForm(f.output, "text", "json")); err != nil {
		return err
	}
	path, names, err := driftArguments(args)
	if err != nil {
		return err
	}
	if path == "" {
		path = f.repository()
	}
	r, err := repo.Open(ctx, path, repo.Options{})
	if err != nil {
		return err
	}
	config, err := f.connect()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, driftTimeout)
	defer cancel()
	report, err := drift.Find(ctx, config, drift.Request{Root: r.Root, Sources: driftSources(r), Namespace: f.namespace, Names: names})
	var unknown *drift.UnknownNameError
	if errors.As(err, &unknown) {
		return err
	}
	if err != nil {
		return unreachable(config, err)
	}
	print := printDrift
	if f.output == "json" {
		print = printDriftJSON
	}
	if err := print(p.Stdout, report); err != nil {
		return fmt.Errorf("write what differs: %w", err)
	}
	if len(report.Objects) > 0 {
		return failed
	}
	return nil
}

// driftArguments tells the repository's path from the names of objects: a
// folder that exists is a path, and so is what has no form of a name.
func driftArguments(args []string) (path string, names []drift.Name, err error) {
	for i, arg := range args {
		if i == 0 {
			if info, err := os.Stat(arg); err == nil && info.IsDir() || strings.Count(arg, "/") != 1 {
				path = arg
				continue
			}
		}
		name, err := drift.ParseName(arg)
		if err != nil {
			return "", nil, err
		}
		names = append(names, name)
	}
	return path, names, nil
}

// repository is the one of the homelab that is up, else the current folder.
func (f *driftFlags) repository() string {
	if f.kubeconfig == "" && f.context == "" {
		if info, err := findUp(f.cluster); err == nil && info.Repository != "" {
			return info.Repository
		}
	}
	return "."
}

// driftSources are the sources that stand for a repository: those through
// which its clusters read it.
func driftSources(r *repo.Repository) []drift.Source {
	var sources []drift.Source
	for _, c := range r.Clusters {
		for _, obj := range c.Entry.Objects() {
			if obj.GetKind() == c.Entry.Kind {
				sources = append(sources, drift.Source{Kind: obj.GetKind(), Namespace: obj.GetNamespace(), Name: obj.GetName(), URL: c.Entry.URL})
			}
		}
	}
	return sources
}

// printDrift writes an object a paragraph, a field a line.
func printDrift(w io.Writer, r *drift.Report) error {
	paint := painter(colours(w))
	var b strings.Builder
	fields := 0
	for _, o := range r.Objects {
		what := ""
		if o.Missing {
			what = " is missing"
		}
		fmt.Fprintf(&b, "%s%s  %s\n", printable(o.Ref.String()), what, paint.paint(faint, printable(o.Kustomization+atPlace(o.Place))))
		for i, field := range o.Fields {
			fields++
			fmt.Fprintf(&b, "  %s\n", printable(fieldLine(field)+atPlace(o.Places[i])))
		}
	}
	if len(r.Objects) > 0 {
		b.WriteByte('\n')
	}
	for _, a := range r.Apart {
		fmt.Fprintf(&b, "not compared: Kustomization %s: %s\n", printable(a.Kustomization), printable(a.Why+atPlace(a.Place)))
	}
	fmt.Fprintf(&b, "%d of %d objects differ, in %d fields\n", len(r.Objects), r.Compared, fields)
	_, err := io.WriteString(w, b.String())
	return err
}

func atPlace(p domain.Place) string {
	if !p.Known() {
		return ""
	}
	return "  " + p.String()
}

// fieldLine tells a field: what Git asks for, what there is, and by whom.
func fieldLine(f drift.Field) string {
	line := f.Path + ": "
	switch {
	case f.Secret:
		line += "differs"
	case f.Live == nil:
		line += "missing, asked " + drift.Value(f.Asked)
	case f.Asked == nil:
		line += drift.Value(f.Live) + ", not asked"
	default:
		line += drift.Value(f.Live) + ", asked " + drift.Value(f.Asked)
	}
	if f.Manager == "" || f.Ours {
		return line
	}
	line += ", by " + f.Manager
	if !f.Time.IsZero() {
		line += " at " + f.Time.UTC().Format(time.RFC3339)
	}
	return line
}

// The form of -o json; fields are only ever added.
type (
	driftJSON struct {
		Compared int               `json:"compared"`
		Objects  []driftObjectJSON `json:"objects"`
		Apart    []driftApartJSON  `json:"notCompared,omitempty"`
	}
	driftObjectJSON struct {
		Kind          string           `json:"kind"`
		Namespace     string           `json:"namespace,omitempty"`
		Name          string           `json:"name"`
		Kustomization string           `json:"kustomization"`
		Missing       bool             `json:"missing,omitempty"`
		File          string           `json:"file,omitempty"`
		Line          int              `json:"line,omitempty"`
		Fields        []driftFieldJSON `json:"fields,omitempty"`
	}
	driftFieldJSON struct {
		Path    string     `json:"path"`
		Asked   any        `json:"asked,omitempty"`
		Live    any        `json:"live,omitempty"`
		Secret  bool       `json:"secret,omitempty"`
		Manager string     `json:"manager,omitempty"`
		Time    *time.Time `json:"time,omitempty"`
		File    string     `json:"file,omitempty"`
		Line    int        `json:"line,omitempty"`
	}
	driftApartJSON struct {
		Kustomization string `json:"kustomization"`
		Why           string `json:"why"`
		File          string `json:"file,omitempty"`
		Line          int    `json:"line,omitempty"`
	}
)

func printDriftJSON(w io.Writer, r *drift.Report) error {
	out := driftJSON{Compared: r.Compared, Objects: []driftObjectJSON{}}
	for _, o := range r.Objects {
		obj := driftObjectJSON{
			Kind: o.Ref.Kind, Namespace: o.Ref.Namespace, Name: o.Ref.Name, Kustomization: o.Kustomization,
			Missing: o.Missing, File: o.Place.File, Line: o.Place.Line,
		}
		for i, f := range o.Fields {
			field := driftFieldJSON{
				Path: f.Path, Asked: f.Asked, Live: f.Live, Secret: f.Secret, Manager: f.Manager,
				File: o.Places[i].File, Line: o.Places[i].Line,
			}
			if !f.Time.IsZero() {
				at := f.Time.UTC()
				field.Time = &at
			}
			obj.Fields = append(obj.Fields, field)
		}
		out.Objects = append(out.Objects, obj)
	}
	for _, a := range r.Apart {
		out.Apart = append(out.Apart, driftApartJSON{a.Kustomization, a.Why, a.Place.File, a.Place.Line})
	}
	return printJSON(w, out)
}
