package keys_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hearth/internal/api/externalsecrets/keys"
	v1 "hearth/internal/api/externalsecrets/v1"
)

func TestConvert(t *testing.T) {
	tests := []struct {
		strategy   v1.ConversionStrategy
		name, want string
	}{
		{v1.ConversionDefault, "API key", "API_key"},
		{v1.ConversionUnicode, "a/b", "a_U002f_b"},
		{"", "fine-1.x_Y", "fine-1.x_Y"},
		{v1.ConversionDefault, "grün", "gr_n"},
	}
	for _, tt := range tests {
		if got := keys.Convert(tt.strategy, tt.name); got != tt.want || !keys.Valid(got) {
			t.Errorf("Convert(%q) = %q, want %q", tt.name, got, tt.want)
		}
	}
	if _, err := keys.ConvertAll(v1.ConversionDefault, map[string]int{"a b": 1, "a/b": 2}); err == nil {
		t.Error("two names became one key without an error")
	}
	for _, bad := range []string{"", ".", "..", "a b", strings.Repeat("x", 254)} {
		if keys.Valid(bad) {
			t.Errorf("%q is held valid", bad)
		}
	}
}

func regexpStep(source, target string) v1.Rewrite {
	return v1.Rewrite{Regexp: &v1.RewriteRegexp{Source: source, Target: target}}
}

func TestRewrite(t *testing.T) {
	in := map[string][]byte{"USER": []byte("u"), "PASS": []byte("p")}
	tests := []struct {
		name  string
		steps []v1.Rewrite
		want  map[string][]byte
	}{
		{"nothing", nil, in},
		{"prefix", []v1.Rewrite{regexpStep("(.+)", "db_$1")}, map[string][]byte{"db_USER": []byte("u"), "db_PASS": []byte("p")}},
		{"two steps", []v1.Rewrite{regexpStep("^(.*)$", "db_$1"), regexpStep("_PA", "-ma")}, map[string][]byte{"db_USER": []byte("u"), "db-maSS": []byte("p")}},
		{"transform", []v1.Rewrite{{Transform: &v1.RewriteTransform{Template: "x_{{ .value | lower }}"}}}, map[string][]byte{"x_user": []byte("u"), "x_pass": []byte("p")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := keys.Rewrite(t.Context(), tt.steps, in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	for _, bad := range []v1.Rewrite{regexpStep("(", ""), {Transform: &v1.RewriteTransform{Template: "{{ .nope }}"}}} {
		if _, err := keys.Rewrite(t.Context(), []v1.Rewrite{bad}, in); err == nil {
			t.Errorf("%v: no error", bad)
		}
	}
}

func TestRewriteMerge(t *testing.T) {
	in := map[string][]byte{"a": []byte(`{"x":"1","y":2}`), "b": []byte(`{"x":"3"}`)}
	rewrite := func(m v1.RewriteMerge) (map[string][]byte, error) {
		return keys.Rewrite(t.Context(), []v1.Rewrite{{Merge: &m}}, in)
	}
	if _, err := rewrite(v1.RewriteMerge{}); err == nil || strings.Contains(err.Error(), "3") {
		t.Errorf("conflict: %v", err)
	}
	got, err := rewrite(v1.RewriteMerge{Priority: []string{"a"}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string][]byte{"x": []byte("1"), "y": []byte("2")}, got); diff != "" {
		t.Error(diff)
	}
	got, err = rewrite(v1.RewriteMerge{Strategy: "JSON", Into: "all", ConflictPolicy: "Ignore"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(`{"x":"3","y":2}`, string(got["all"])); diff != "" {
		t.Error(diff)
	}
}

func TestOriginal(t *testing.T) {
	transform := func(text string) v1.Rewrite { return v1.Rewrite{Transform: &v1.RewriteTransform{Template: text}} }
	tests := []struct {
		name   string
		steps  []v1.Rewrite
		wanted string
		want   string // empty: there is none
	}{
		{"no steps", nil, "A", "A"},
		{"prefix added", []v1.Rewrite{regexpStep("(.*)", "unifi_$1")}, "unifi_USER", "USER"},
		{"another prefix", []v1.Rewrite{regexpStep("(.+)", "unifi_$1")}, "cloud_USER", ""},
		{"braces", []v1.Rewrite{regexpStep("^(?P<n>.*)$", "${n}_DB")}, "PASS_DB", "PASS"},
		{"prefix taken", []v1.Rewrite{regexpStep("^DB_", "")}, "PASS", "DB_PASS"},
		{"part replaced", []v1.Rewrite{regexpStep("-", "_")}, "API_KEY", "API-KEY"},
		{"two steps", []v1.Rewrite{regexpStep("(.*)", "a_$1"), regexpStep("(.*)", "b_$1")}, "b_a_X", "X"},
		{"upper", []v1.Rewrite{transform("{{ .value | upper }}")}, "KEY", "KEY"},
		{"prefix by template", []v1.Rewrite{transform("db_{{ .value }}")}, "db_KEY", "KEY"},
		{"lower", []v1.Rewrite{transform("{{ .value | lower }}")}, "key", "KEY"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := keys.Original(t.Context(), tt.steps, tt.wanted)
			if ok != (tt.want != "") || got != tt.want {
				t.Errorf("Original(%q) = %q, %v, want %q", tt.wanted, got, ok, tt.want)
			}
		})
	}
}

func FuzzOriginal(f *testing.F) {
	f.Add("(.*)", "x_$1", "x_A")
	f.Add("^a|b+", "${1}", "")
	f.Fuzz(func(t *testing.T, source, target, wanted string) {
		steps := []v1.Rewrite{regexpStep(source, target)}
		name, ok := keys.Original(t.Context(), steps, wanted)
		if !ok {
			return
		}
		if forward, err := keys.Rename(t.Context(), steps, name); err != nil || forward != wanted {
			t.Errorf("%q becomes %q, not %q (%v)", name, forward, wanted, err)
		}
	})
}
