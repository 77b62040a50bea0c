package helm

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hearth/internal/render/helm/gotemplate"
)

// endless are templates that would take all time or memory, or the process with it.
var endless = map[string]string{
	"a template that includes itself":      `{{ define "a" }}{{ include "a" . }}{{ end }}{{ include "a" . }}`,
	"two that include each other":          `{{ define "a" }}{{ include "b" . }}{{ end }}{{ define "b" }}{{ include "a" . }}{{ end }}{{ include "a" . }}`,
	"a template that calls itself":         `{{ define "a" }}{{ template "a" . }}{{ end }}{{ template "a" . }}`,
	"a text that runs itself":              `{{ $d := dict "text" "{{ tpl .text . }}" }}{{ tpl $d.text $d }}`,
	"a text without end":                   `{{ repeat 99999999999 "x" }}`,
	"a text that doubles":                  `{{ $s := "xxxxxxxxxxxxxxxx" }}{{ range until 60 }}{{ $s = print $s $s }}{{ end }}{{ $s }}`,
	"a text of replacements":               `{{ $s := repeat 100000 "x" }}{{ replace "x" $s $s }}`,
	"a text of matches":                    `{{ $s := repeat 100000 "x" }}{{ regexReplaceAll "x" $s $s }}`,
	"a text of separators":                 `{{ until 100000 | join (repeat 100000 "x") }}`,
	"a text of blanks":                     `{{ indent 1000000 (repeat 100000 "\n") }}`,
	"a text of a huge width":               `{{ printf (repeat 1000 "%999999d") 1 }}`,
	"a list that doubles":                  `{{ $l := list 1 2 3 4 }}{{ range until 60 }}{{ $l = concat $l $l }}{{ end }}{{ len $l }}`,
	"a list of too many":                   `{{ range until 99999999999 }}x{{ end }}`,
	"output without end":                   `{{ $s := repeat 1000000 "x" }}{{ range until 100000 }}{{ $s }}{{ end }}`,
	"a value that holds itself, printed":   `{{ $d := dict }}{{ $_ := set $d "a" $d }}{{ $d }}`,
	"a value that holds itself, as text":   `{{ $d := dict }}{{ $_ := set $d "a" $d }}{{ toString $d }}`,
	"a value that holds itself, formatted": `{{ $d := dict }}{{ $_ := set $d "a" $d }}{{ printf "%v" $d }}`,
	"a value that holds itself, as YAML":   `{{ $d := dict }}{{ $_ := set $d "a" $d }}{{ toYaml $d }}`,
	"a value that holds itself, as TOML":   `{{ $d := dict }}{{ $_ := set $d "a" $d }}{{ toToml $d }}`,
	"a value that holds itself, copied":    `{{ $d := dict }}{{ $_ := set $d "a" $d }}{{ len (deepCopy $d) }}`,
	"a value of values, as YAML":           `{{ $d := dict "a" 1 }}{{ range until 60 }}{{ $d = dict "a" $d "b" $d }}{{ end }}{{ toYaml $d }}`,
	"a value of values, as JSON":           `{{ $d := dict "a" 1 }}{{ range until 60 }}{{ $d = dict "a" $d "b" $d }}{{ end }}{{ toJson $d }}`,
	"a value of values, merged":            `{{ $d := dict "a" 1 }}{{ range until 60 }}{{ $d = dict "a" $d "b" $d }}{{ end }}{{ merge (dict) $d | len }}`,
	"texts kept":                           `{{ $s := repeat 1000000 "x" }}{{ $l := list }}{{ range $i := until 100000 }}{{ $l = append $l (printf "%s%d" $s $i) }}{{ end }}{{ len $l }}`,
}

func TestEndlessTemplatesAreRefused(t *testing.T) {
	for name, template := range endless {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := loadChart(t, map[string]string{"templates/a.yaml": template})
			var presses Presses
			_, err := Render(t.Context(), Request{Chart: c, Name: "r", Namespace: "ns", Presses: &presses})
			if !errors.Is(err, gotemplate.ErrRefused) {
				t.Errorf("it is not refused: %.300v", err)
			}
		})
	}
}

// TestTimeEndsTemplates ends templates that call nothing, and write nothing.
func TestTimeEndsTemplates(t *testing.T) {
	for name, template := range map[string]string{
		"nested loops":    `{{ $l := until 1000000 }}{{ range $l }}{{ range $l }}{{ range $l }}{{ end }}{{ end }}{{ end }}`,
		"a whole number":  `{{ range 9999999999 }}{{ range 9999999999 }}{{ end }}{{ end }}`,
		"calls of others": `{{ define "a" }}{{ range until 1000 }}{{ include "b" . }}{{ end }}{{ end }}{{ define "b" }}{{ range until 1000 }}{{ include "c" . }}{{ end }}{{ end }}{{ define "c" }}{{ range until 1000 }}{{ upper "x" | len | empty }}{{ end }}{{ end }}{{ range until 1000 }}{{ $_ := include "a" . }}{{ end }}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := loadChart(t, map[string]string{"templates/a.yaml": template})
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			_, err := Render(ctx, Request{Chart: c, Name: "r", Namespace: "ns"})
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("it ended with %v", err)
			}
		})
	}
}

// TestTemplatesEndWithTheirTime looks for what is left of a rendering that ran
// out of time: nothing.
func TestTemplatesEndWithTheirTime(t *testing.T) {
	set := gotemplate.NewSet(library(), varying)
	if err := set.Parse("a", `{{ range 9999999999 }}{{ range 9999999999 }}{{ end }}{{ end }}`); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		_, err := set.Start(ctx, nil).Execute("a", nil)
		ended <- err
	}()
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("it ended with %v", err)
	}
}

// TestChartsSeeTheirOwnFilesOnly asks for files outside of a chart, and links
// to one.
func TestChartsSeeTheirOwnFilesOnly(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "outside.txt")
	if err := os.WriteFile(outside, []byte("seen"), 0o600); err != nil {
		t.Fatal(err)
	}
	files := func() map[string]string {
		return map[string]string{"files/own.txt": "own", "templates/a.yaml": `apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data: {own: {{ .Files.Get "files/own.txt" | quote }}, link: {{ .Files.Get "files/link.txt" | quote }}, others: "{{ .Files.Get "` + outside + `" }}{{ .Files.Get "../outside.txt" }}{{ .Files.Get "/etc/hostname" }}{{ range $n, $_ := .Files.Glob "/**" }}{{ $n }}{{ end }}"}
`}
	}
	for target, fine := range map[string]bool{"own.txt": true, outside: false, "../../../outside.txt": false, "/dev/zero": false, "..": false} {
		dir := writeChart(t, files())
		if err := os.Symlink(target, filepath.Join(dir, "files", "link.txt")); err != nil {
			t.Fatal(err)
		}
		c, err := new(Charts).Load(t.Context(), dir, dir)
		if (err == nil) != fine {
			t.Errorf("a link to %s: %v", target, err)
		}
		if err != nil {
			continue
		}
		objects, err := Render(t.Context(), Request{Chart: c, Name: "r", Namespace: "ns"})
		if err != nil {
			t.Fatal(err)
		}
		if data := objects[0].Object["data"].(map[string]any); data["own"] != "own" || data["link"] != "own" || data["others"] != "" {
			t.Errorf("it sees %v", data)
		}
	}
}

// TestLookupSeesTheWorldItIsGiven renders with a lookup, and without.
func TestLookupSeesTheWorldItIsGiven(t *testing.T) {
	c := loadChart(t, map[string]string{"templates/a.yaml": `apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data: {found: "{{ (lookup "v1" "Secret" .Release.Namespace "s").data }}", none: "{{ lookup "v1" "Secret" "" "other" | len }}"}
`})
	lookup := func(apiVersion, kind, namespace, name string) (map[string]any, error) {
		if apiVersion+kind+namespace+name == "v1Secretnss" {
			return map[string]any{"data": "it"}, nil
		}
		return map[string]any{}, nil
	}
	for want, lookup := range map[string]Lookup{"it": lookup, "": nil} {
		objects, err := Render(t.Context(), Request{Chart: c, Name: "r", Namespace: "ns", Lookup: lookup})
		if err != nil {
			t.Fatal(err)
		}
		if data := objects[0].Object["data"].(map[string]any); data["found"] != want || data["none"] != "0" {
			t.Errorf("found %v, want %q", data, want)
		}
	}
	failing := func(string, string, string, string) (map[string]any, error) { return nil, errors.New("no such world") }
	if _, err := Render(t.Context(), Request{Chart: c, Name: "r", Lookup: failing}); err == nil || !strings.Contains(err.Error(), "no such world") {
		t.Errorf("got %v", err)
	}
}
