package repo

import (
	"strings"
	"testing"
	"time"
)

func TestMatch(t *testing.T) {
	for _, test := range []struct {
		pattern, name string
		want          bool
	}{
		{"a", "a", true},
		{"a", "a/b", false},
		{"*", "a/b", false},
		{"*/b", "a/b", true},
		{"**", "a", true},
		{"**", "a/b/c", true},
		{"**/c", "c", true},
		{"**/c", "a/b/c", true},
		{"a/**", "a", true},
		{"a/**", "a/b/c", true},
		{"a/**", "ab/c", false},
		{"a/**/d", "a/d", true},
		{"a/**/d", "a/b/c/d", true},
		{"a/**/d", "a/b/c", false},
		{"a/**/b/**/c", "a/b/x/b/y/c", true},
		{"**/b/*.yaml", "a/b/c/b/x.yaml", true},
		{"kube-?", "kube-a", true},
		{"kube-[ab]", "kube-c", false},
		{"[", "[", false},
	} {
		if got := Match(test.pattern, test.name); got != test.want {
			t.Errorf("Match(%q, %q) = %v", test.pattern, test.name, got)
		}
	}
}

// TestMatchIsQuick gives it what makes a matcher that tries all ways explode.
func TestMatchIsQuick(t *testing.T) {
	pattern := strings.Repeat("**/a/", 30) + "b"
	name := strings.Repeat("a/", 200) + "c"
	done := make(chan bool)
	go func() { done <- Match(pattern, name) }()
	select {
	case got := <-done:
		if got {
			t.Error("it matches")
		}
	case <-time.After(10 * time.Second):
		t.Fatal("still matching")
	}
}
