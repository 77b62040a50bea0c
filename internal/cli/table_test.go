package cli

import (
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
)

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"plain ümläut → ✓":             "plain ümläut → ✓",
		"\x1b[31mred\x1b[0m":           " [31mred [0m",
		"a\nb\tc\rd\x00e\x7f":          "a b c d e ",
		"c1 \u009b31m":                 "c1  31m",
		"turned \u202e txt.exe":        "turned   txt.exe",
		"not\xffutf8":                  "not utf8",
		"\x1b]0;title\x07":             " ]0;title ",
		"link \x1b]8;;http://x\x1b\\y": "link  ]8;;http://x \\y",
	} {
		if got := printable(in); got != want {
			t.Errorf("printable(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzPrintable(f *testing.F) {
	f.Add("\x1b[2J")
	f.Add("media/immich")
	f.Fuzz(func(t *testing.T, s string) {
		for _, r := range printable(s) {
			if unicode.IsControl(r) {
				t.Fatalf("printable(%q) holds %U", s, r)
			}
		}
	})
}

func TestCut(t *testing.T) {
	for _, test := range []struct {
		in    string
		width int
		want  string
	}{
		{"immich", 0, "immich"},
		{"immich", 6, "immich"},
		{"immich", 5, "immi…"},
		{"immich", 1, "…"},
		{"写真館", 6, "写真館"},
		{"写真館", 5, "写真…"},
		{"写真館", 4, "写…"},
	} {
		got := cut(test.in, test.width)
		if got != test.want {
			t.Errorf("cut(%q, %d) = %q, want %q", test.in, test.width, got, test.want)
		}
		if test.width > 0 && columns(got) > test.width {
			t.Errorf("cut(%q, %d) takes %d columns", test.in, test.width, columns(got))
		}
	}
}

func TestTable(t *testing.T) {
	draw := func(width int, p painter) string {
		tab := &table{header: []string{"NAME", "EMPTY", "STATE", "MESSAGE"}, width: width, painter: p}
		tab.add(cell{text: "immich"}, cell{}, cell{"Ready", green}, cell{})
		tab.add(cell{text: "a"}, cell{}, cell{"Failed", red}, cell{text: "it has no chart at all"})
		var b strings.Builder
		if err := tab.write(&b); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	want := "" +
		"NAME     STATE    MESSAGE\n" +
		"immich   Ready\n" +
		"a        Failed   it has no chart at all\n"
	if diff := cmp.Diff(want, draw(0, false)); diff != "" {
		t.Error(diff)
	}
	want = "" +
		"NAME     STATE    MESSAGE\n" +
		"immich   Ready\n" +
		"a        Failed   it has…\n"
	if diff := cmp.Diff(want, draw(25, false)); diff != "" {
		t.Error(diff)
	}
	if coloured := draw(0, true); !strings.Contains(coloured, "\x1b[31mFailed\x1b[0m   it has") {
		t.Errorf("no colour: %q", coloured)
	}
}
