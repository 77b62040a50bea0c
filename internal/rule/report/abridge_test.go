package report

import "testing"

func TestAbridged(t *testing.T) {
	for note, want := range map[string]string{
		"nothing to list, or so it seems":                                          "nothing to list, or so it seems",
		"8 charts are not at hand, so that x, y: a, b, c, d, e, f, g, h; get them": "8 charts are not at hand, so that x, y: a, b, c, d, e and 3 more; get them",
		"6 charts: a, b, c, d, e, f":                                               "6 charts: a, b, c, d, e, f",
		"kinds: x.org A, B; y.org C: 1, 2, 3, 4, 5, 6, 7":                          "kinds: x.org A, B; y.org C: 1, 2, 3, 4, 5 and 2 more",
	} {
		if got := abridged(note); got != want {
			t.Errorf("%q: %q, want %q", note, got, want)
		}
	}
}
