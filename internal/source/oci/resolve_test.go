package oci

import (
	"errors"
	"strings"
	"testing"

	"hearth/internal/source/ocitest"
)

// open opens a repository of a test's registry.
func open(t *testing.T, r *ocitest.Registry, repository string) *Repository {
	t.Helper()
	opened, err := Open(Remote{URL: r.URL(repository), Insecure: true})
	if err != nil {
		t.Fatal(err)
	}
	return opened
}

func push(t *testing.T, r *ocitest.Registry, tag, content string) string {
	t.Helper()
	layer := ocitest.Layer{MediaType: ocitest.FluxLayer, Content: ocitest.TarGz(t, map[string]string{"a.yaml": content})}
	return r.Push("home", tag, nil, layer).String()
}

func TestResolve(t *testing.T) {
	r := ocitest.New(t)
	digests := map[string]string{}
	for _, tag := range []string{"latest", "1.2.3", "1.10.0", "v2.0.0-rc.1", "2.1.0_build", "main"} {
		digests[tag] = push(t, r, tag, tag)
	}
	home := open(t, r, "home")
	for name, test := range map[string]struct {
		ref  Ref
		tag  string
		at   string // a tag with the digest that is wanted
		step Step
		says string
	}{
		"nothing":              {ref: Ref{}, tag: "latest", at: "latest"},
		"a tag":                {ref: Ref{Tag: "main"}, tag: "main", at: "main"},
		"a range":              {ref: Ref{SemVer: "1.x"}, tag: "1.10.0", at: "1.10.0"},
		"a range before a tag": {ref: Ref{SemVer: "~1.2", Tag: "main"}, tag: "1.2.3", at: "1.2.3"},
		"pre-releases":         {ref: Ref{SemVer: ">=2.0.0-0 <2.1"}, tag: "v2.0.0-rc.1", at: "v2.0.0-rc.1"},
		"a filter":             {ref: Ref{SemVer: ">=0", SemVerFilter: `^1\.2\.`}, tag: "1.2.3", at: "1.2.3"},
		"a digest first":       {ref: Ref{Digest: digests["main"], SemVer: "1.x", Tag: "latest"}, at: "main"},
		"a chart's range":      {ref: Ref{SemVer: "2.1.x", Chart: true}, tag: "2.1.0_build", at: "2.1.0_build"},
		"a chart's version":    {ref: Ref{Tag: "2.1.0+build", Chart: true}, tag: "2.1.0_build", at: "2.1.0_build"},
		"no such range":        {ref: Ref{SemVer: "7.x"}, step: StepTag, says: "no match found for semver: 7.x"},
		"what is no range":     {ref: Ref{SemVer: "seven"}, step: StepTag, says: "semver 'seven' parse error"},
		"what is no filter":    {ref: Ref{SemVer: "1.x", SemVerFilter: "("}, step: StepTag, says: "failed to compile regex '('"},
		"no such tag":          {ref: Ref{Tag: "none"}, step: StepDigest, says: "MANIFEST_UNKNOWN"},
		"no such digest":       {ref: Ref{Digest: "sha256:" + strings.Repeat("0", 64)}, step: StepDigest, says: "MANIFEST_UNKNOWN"},
		"what is no digest":    {ref: Ref{Digest: "sha256:abc"}, step: StepDigest, says: "is no digest"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := home.Resolve(t.Context(), test.ref)
			if test.step != "" {
				var failed *StepError
				if !errors.As(err, &failed) || failed.Step != test.step || !strings.Contains(err.Error(), test.says) {
					t.Errorf("got %v", err)
				}
				return
			}
			want := digests[test.at]
			if test.tag != "" {
				want = test.tag + "@" + want
			}
			if err != nil || got.Revision() != want {
				t.Errorf("got %v, %v; want %s", got, err, want)
			}
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, url := range []string{"ghcr.io/a/b", "https://ghcr.io/a", "oci://", "oci://ghcr.io/a/b:tag", "oci://ghcr.io/a@sha256:abc", "oci://GHCR.io/A", "oci://h/" + strings.Repeat("a", 4096)} {
		if _, err := Open(Remote{URL: url}); !errors.Is(err, ErrURL) {
			t.Errorf("%.40s: %v", url, err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	f.Add("oci://ghcr.io/a/b")
	f.Add("oci://127.0.0.1:5000/a")
	f.Fuzz(func(t *testing.T, url string) {
		if _, err := Open(Remote{URL: url}); err != nil && !errors.Is(err, ErrURL) {
			t.Errorf("%q: %v", url, err)
		}
	})
}
