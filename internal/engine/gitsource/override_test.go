package gitsource

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fluxcd/pkg/apis/meta"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
)

func TestSameRepository(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want bool
	}{
		{"https://github.com/owner/home", "ssh://git@github.com/owner/home.git", true},
		{"git@github.com:owner/home.git", "https://GitHub.com/owner/home/", true},
		{"https://user:secret@host/a", "https://host/a", true},
		{"https://github.com/owner/home", "https://github.com/owner/other", false},
		{"https://github.com/owner/home", "https://gitlab.com/owner/home", false},
	} {
		if got := sameRepository(test.a, test.b); got != test.want {
			t.Errorf("%s and %s: %t", test.a, test.b, got)
		}
	}
}

func FuzzRepository(f *testing.F) {
	f.Add("git@github.com:owner/home.git")
	f.Add("https://[::1")
	f.Fuzz(func(t *testing.T, raw string) {
		if !sameRepository(raw, raw) {
			t.Error("a URL is not its own")
		}
	})
}

func TestAnOverrideIsServedFromDisk(t *testing.T) {
	folder := t.TempDir()
	write := func(content string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(folder, "a.yaml"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("1")
	w := newWorld(t, Options{Offline: true, Overrides: []Override{{URL: "https://example.org/owner/home", Folder: folder}}})
	w.repository("home", func(obj *sourcev1.GitRepository) {
		obj.Spec.URL = "ssh://git@example.org/owner/home.git"
		obj.Spec.SecretRef = &meta.LocalObjectReference{Name: "none"}
		obj.Spec.Verification = &sourcev1.GitRepositoryVerification{Mode: "HEAD", SecretRef: meta.LocalObjectReference{Name: "none"}}
	})
	obj, _ := w.reconcile("home")
	expect(t, obj, ready, stored)
	if w.files(obj)["a.yaml"] != "1" || !strings.HasPrefix(obj.Status.Artifact.Revision, "worktree@sha256:") || w.writes != 1 {
		t.Errorf("%v after %d writes", obj.Status.Artifact, w.writes)
	}
	if w.reconcile("home"); w.writes != 1 {
		t.Error("an unchanged folder was written again")
	}
	write("2")
	obj, _ = w.reconcile("home")
	if w.files(obj)["a.yaml"] != "2" {
		t.Errorf("got %v", w.files(obj))
	}

	other := t.TempDir()
	if err := os.WriteFile(filepath.Join(other, "lib.yaml"), []byte("3"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.r.o.Overrides = append(w.r.o.Overrides, Override{Name: types.NamespacedName{Namespace: "ns", Name: "lib"}, Folder: other})
	w.repository("lib", nil)
	w.reconcile("lib")
	w.update("home", func(obj *sourcev1.GitRepository) {
		obj.Spec.Include = []sourcev1.GitRepositoryInclude{{GitRepositoryRef: meta.LocalObjectReference{Name: "lib"}}}
	})
	obj, _ = w.reconcile("home")
	expect(t, obj, ready, stored)
	if diff := cmp.Diff(map[string]string{"a.yaml": "2", "lib/lib.yaml": "3"}, w.files(obj)); diff != "" {
		t.Error(diff)
	}
	writes := w.writes
	if w.reconcile("home"); w.writes != writes {
		t.Error("an unchanged folder with what it includes was written again")
	}
}
