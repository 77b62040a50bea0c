package repo

import (
	"cmp"
	"path"
	"regexp"
	"strconv"
	"strings"

	"hearth/internal/domain"
	"hearth/internal/manifest"
)

// Release is a Helm release that is installed before Flux runs.
type Release struct {
	Name      string
	Namespace string
	// Chart is the chart as a source of charts names it: oci://…, the URL of
	// a repository followed by the chart's name, or a folder of this repository.
	Chart   string
	Version string // as it is written; "" is the newest, or one that a template computes
	// Needs are the releases that come first, as "namespace/name".
	Needs []string
	// CRDsOnly says that only the chart's CRDs are applied.
	CRDsOnly bool
	// Values are those that stand in the helmfile itself.
	Values []map[string]any
	// ValueFiles are the files that values come from, below the repository's
	// root. Go templates among them (.gotmpl) are not rendered: mostly they
	// read the values of the HelmRelease of the same name.
	ValueFiles []string
	// Condition is the value that switches the release on; "" without one.
	Condition string
	Place     domain.Place
}

// ID returns the release as Needs name it.
func (r Release) ID() string { return r.Namespace + "/" + r.Name }

// helmfile is the part of a helmfile that matters here.
type helmfile struct {
	HelmDefaults struct {
		PostRenderer     string   `json:"postRenderer"`
		PostRendererArgs []string `json:"postRendererArgs"`
	} `json:"helmDefaults"`
	Repositories []struct {
		Name string `json:"name"`
		URL  string `json:"url"`
		OCI  bool   `json:"oci"`
	} `json:"repositories"`
	Releases []struct {
		Name             string   `json:"name"`
		Namespace        string   `json:"namespace"`
		Chart            string   `json:"chart"`
		Installed        any      `json:"installed"`
		Condition        string   `json:"condition"`
		Needs            []string `json:"needs"`
		Values           []any    `json:"values"`
		PostRenderer     string   `json:"postRenderer"`
		PostRendererArgs []string `json:"postRendererArgs"`
		Hooks            []hook   `json:"hooks"`
	} `json:"releases"`
}

type hook struct {
	Command string   `json:"command"`
	Args    []string `json:"args"`
}

// isHelmfile reports whether helmfile reads a file by its name.
func isHelmfile(name string) bool {
	plain := strings.TrimSuffix(name, ".gotmpl")
	if !isYAML(plain) {
		return false
	}
	base := strings.TrimSuffix(strings.TrimSuffix(path.Base(plain), ".yaml"), ".yml")
	return base == "helmfile" || path.Base(path.Dir(name)) == "helmfile.d"
}

// helmfile records the releases of one file, and what their hooks apply.
func (b *bootstrapReader) helmfile(name string) {
	data, err := manifest.Read(b.root, name)
	if err != nil {
		b.problem(err)
		return
	}
	b.helmfileText(name, data)
}

func (b *bootstrapReader) helmfileText(name string, data []byte) {
	docs, err := manifest.Parse(name, withoutActions(data))
	if err != nil {
		b.problem(err)
	}
	for _, d := range docs {
		var h helmfile
		if err := d.Decode(&h); err != nil {
			b.problem(err)
			continue
		}
		for i := range h.Releases {
			b.release(d, h, i)
		}
	}
}

func (b *bootstrapReader) release(d *manifest.Document, h helmfile, i int) {
	spec, item := h.Releases[i], []string{"releases", strconv.Itoa(i)}
	if installed := spec.Installed; installed == false || spec.Name == "" {
		return
	}
	at := d.Place(item...)
	r := Release{
		Name: spec.Name, Namespace: cmp.Or(spec.Namespace, "default"), Condition: spec.Condition, Place: at,
		CRDsOnly: onlyCRDs(d.File, append(h.HelmDefaults.PostRendererArgs, h.HelmDefaults.PostRenderer)) ||
			onlyCRDs("", append(spec.PostRendererArgs, spec.PostRenderer)),
	}
	if version := d.Text(append(item, "version")...); !strings.Contains(version, "{{") {
		r.Version = version
	}
	var err error
	if r.Chart, err = chartOf(h, spec.Chart, d.Place(append(item, "chart")...)); err != nil {
		b.problem(err)
	}
	for _, need := range spec.Needs {
		r.Needs = append(r.Needs, needID(need, r.Namespace))
	}
	for _, v := range spec.Values {
		switch v := v.(type) {
		case map[string]any:
			r.Values = append(r.Values, v)
		case string:
			file, err := relative(at, path.Dir(d.File), v)
			if err != nil {
				b.problem(err)
				continue
			}
			r.ValueFiles = append(r.ValueFiles, file)
		}
	}
	b.result.Releases = append(b.result.Releases, r)
	for _, h := range spec.Hooks {
		b.hook(r, h, at)
	}
}

// onlyCRDs reports whether a helmfile is for CRDs: it says so in its name, or
// its post-renderer keeps nothing else.
func onlyCRDs(file string, postRenderer []string) bool {
	base := strings.ToLower(path.Base(file))
	return strings.Contains(strings.Join(postRenderer, " "), "CustomResourceDefinition") ||
		strings.Contains(base, "crds") || strings.Contains(base, "crd.")
}

// chartOf returns where a chart is, the names of repositories resolved.
func chartOf(h helmfile, chart string, at domain.Place) (string, error) {
	if strings.Contains(chart, "://") {
		return chart, nil
	}
	if strings.HasPrefix(chart, ".") {
		return relative(at, path.Dir(at.File), chart)
	}
	prefix, name, _ := strings.Cut(chart, "/")
	for _, repository := range h.Repositories {
		if repository.Name != prefix {
			continue
		}
		url := strings.TrimSuffix(repository.URL, "/") + "/" + name
		if repository.OCI && !strings.Contains(url, "://") {
			url = "oci://" + url
		}
		return url, nil
	}
	return chart, nil
}

// needID completes a need, which may leave out the namespace and may begin
// with the name of a kube context.
func needID(need, namespace string) string {
	segments := strings.Split(need, "/")
	if len(segments) == 1 {
		return namespace + "/" + need
	}
	return strings.Join(segments[len(segments)-2:], "/")
}

// hook records the folder or file that a hook applies with kubectl.
func (b *bootstrapReader) hook(r Release, h hook, at domain.Place) {
	if path.Base(h.Command) != "kubectl" || !contains(h.Args, "apply") {
		return
	}
	folder := path.Dir(at.File)
	namespace := argument(h.Args, "--namespace", "-n")
	if target := argument(h.Args, "--kustomize", "-k"); target != "" {
		p, err := relative(at, folder, target)
		if err == nil && !b.tree.has(p) {
			err = &Problem{Place: at, Message: "the hook of release " + r.ID() + " applies the folder " + p + ", which does not exist"}
		}
		if err != nil {
			b.problem(err)
			return
		}
		b.result.Kustomizations = append(b.result.Kustomizations, Kustomization{Path: p, Namespace: namespace, After: r.ID(), Place: at})
	}
	if target := argument(h.Args, "--filename", "-f"); isYAML(target) && !strings.Contains(target, "://") {
		p, err := relative(at, folder, target)
		if err != nil {
			b.problem(err)
			return
		}
		b.manifests(p)
	}
}

func contains(args []string, word string) bool {
	for _, a := range args {
		if a == word {
			return true
		}
	}
	return false
}

// argument returns the value of a flag in any of the forms that kubectl takes.
func argument(args []string, long, short string) string {
	for i, a := range args {
		if (a == long || a == short) && i+1 < len(args) {
			return args[i+1]
		}
		if v, ok := strings.CutPrefix(a, long+"="); ok {
			return v
		}
		if v, ok := strings.CutPrefix(a, short); ok && !strings.HasPrefix(a, "--") && v != "" {
			return strings.TrimPrefix(v, "=")
		}
	}
	return ""
}

var (
	actionLine = regexp.MustCompile(`(?m)^[ \t]*\{\{[^\n]*\}\}[ \t]*$`)
	bareAction = regexp.MustCompile(`(?m)^([ \t-]*[\w.-]+:[ \t]+)(\{\{[^\n]*\}\}[^\n"']*)$`)
)

// withoutActions makes a helmfile readable that is a Go template, too: lines
// that are nothing but an action are emptied, and values that are one become
// text. Lines keep their numbers.
func withoutActions(data []byte) []byte {
	data = actionLine.ReplaceAll(data, nil)
	return bareAction.ReplaceAllFunc(data, func(line []byte) []byte {
		m := bareAction.FindSubmatch(line)
		quoted := "'" + strings.ReplaceAll(string(m[2]), "'", "''") + "'"
		return append(append([]byte(nil), m[1]...), quoted...)
	})
}
