package compose

import (
	"strings"
	"testing"

	generator "github.com/fluxcd/source-watcher/api/v2/v1beta1"
	"github.com/google/go-cmp/cmp"
)

func spec(pattern, name, from, to string) *generator.ArtifactGeneratorSpec {
	return &generator.ArtifactGeneratorSpec{PathPattern: pattern, OutputArtifacts: []generator.OutputArtifact{
		{Name: name, Copy: []generator.CopyOperation{{From: from, To: to, Exclude: []string{"*.md"}, Strategy: "Merge"}}},
	}}
}

func TestExpand(t *testing.T) {
	sources := map[string]string{"repo": write(t, map[string]string{
		"apps/Web/envs/prod/a": "", "apps/Web/envs/dev/a": "", "apps/db/envs/prod/a": "", "apps/db/prod/a": "", "apps/readme.md": "", "x-one/a": "", "x-two.d/a": "",
	})}
	for name, test := range map[string]struct {
		spec   *generator.ArtifactGeneratorSpec
		names  []string
		from   string
		labels map[string]string
	}{
		"no pattern": {spec("", "x", "@repo/{a}", "@artifact/"), []string{"x"}, "@repo/{a}", nil},
		"two captures": {spec("@repo/apps/{app}/envs/{env}", "{app}-{env}", "@repo/apps/{app}/envs/{env}/**", "@artifact/"),
			[]string{"web-dev", "web-prod", "db-prod"}, "@repo/apps/Web/envs/dev/**", map[string]string{"app": "web", "env": "dev"}},
		"part of a name":    {spec("@repo/x-{name}", "n-{name}", "@repo/x-{name}/a", "@artifact/"), []string{"n-one", "n-two.d"}, "@repo/x-one/a", map[string]string{"name": "one"}},
		"nothing that fits": {spec("@repo/none/{a}", "{a}", "@repo/{a}", "@artifact/"), nil, "", nil},
		"not an expression": {spec("@repo/x.{a}", "{a}", "@repo/{a}", "@artifact/"), nil, "", nil},
	} {
		outputs, err := Expand(test.spec, sources)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var names []string
		for _, output := range outputs {
			names = append(names, output.Name)
		}
		if diff := cmp.Diff(test.names, names); diff != "" {
			t.Errorf("%s: %s", name, diff)
		} else if len(outputs) > 0 {
			want := spec("", outputs[0].Name, test.from, "@artifact/").OutputArtifacts[0]
			if diff := cmp.Diff(Output{want, test.labels}, outputs[0]); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
	}
}

func TestExpandRefuses(t *testing.T) {
	sources := map[string]string{"repo": write(t, map[string]string{"apps/Web/a": "", "apps/web/a": "", "odd/-x/a": "", "long/" + strings.Repeat("x", 64) + "/a": ""})}
	for name, test := range map[string]struct {
		spec *generator.ArtifactGeneratorSpec
		err  string
	}{
		"no such source":   {spec("@none/{a}", "{a}", "@repo/x", "@artifact/"), "source alias 'none' not found"},
		"no source":        {spec("{a}", "{a}", "@repo/x", "@artifact/"), "must have the form"},
		"twice":            {spec("@repo/{a}/{a}", "{a}", "@repo/x", "@artifact/"), `captures "a" twice`},
		"no name":          {spec("@repo/{}", "x", "@repo/x", "@artifact/"), "no name of a capture"},
		"no good name":     {spec("@repo/{a-b}", "x", "@repo/x", "@artifact/"), "no name of a capture"},
		"no good label":    {spec("@repo/{_a}", "x", "@repo/x", "@artifact/"), "cannot be the key of a label"},
		"half open":        {spec("@repo/{a", "x", "@repo/x", "@artifact/"), "only one of its braces"},
		"half closed":      {spec("@repo/a}", "x", "@repo/x", "@artifact/"), "only one of its braces"},
		"turned round":     {spec("@repo/}{a", "x", "@repo/x", "@artifact/"), "only one of its braces"},
		"unknown":          {spec("@repo/apps/{a}", "{b}", "@repo/x", "@artifact/"), `nothing captures "b"`},
		"unknown in paths": {spec("@repo/odd/{a}", "x", "@repo/{b}", "@artifact/"), "label"},
		"the same name":    {spec("@repo/apps/{a}", "{a}", "@repo/x", "@artifact/"), `directories "apps/Web" and "apps/web" both resolve to artifact name "web"`},
		"no object's name": {spec("@repo/{a}", "-{a}", "@repo/x", "@artifact/"), "cannot be the name of an object"},
		"too long":         {spec("@repo/long/{a}", "x", "@repo/x", "@artifact/"), "cannot be the value of a label"},
	} {
		if _, err := Expand(test.spec, sources); err == nil || !strings.Contains(err.Error(), test.err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzExpand(f *testing.F) {
	f.Add("@s/{a}/{b}", "{a}-{b}")
	f.Add("@s/(?P<x>.*){a}", "}{")
	f.Fuzz(func(t *testing.T, pattern, name string) {
		outputs, err := Expand(spec(pattern, name, "@s/"+name, "@artifact/"), map[string]string{"s": write(t, map[string]string{"one/two/c": ""})})
		if err != nil && outputs != nil {
			t.Error("artifacts beside an error")
		}
	})
}
