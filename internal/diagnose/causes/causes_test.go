package causes

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"

	"hearth/internal/diagnose"
	"hearth/internal/observe"
)

// now is the moment of all recorded worlds.
var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// story is a recorded world, and what is to be found in it.
type story struct {
	world *diagnose.World
	want  struct {
		Subject, Confidence string
		Blocked, Fields     []string
		Items               []string
	}
}

// tell reads a world from testdata: the first document says what is to be
// found, the others are objects and events as their controllers write them.
func tell(t testing.TB, name string) story {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	s := story{world: diagnose.NewWorld(now)}
	decoder := utilyaml.NewYAMLOrJSONDecoder(bytes.NewReader(data), 4096)
	if err := decoder.Decode(&s.want); err != nil {
		t.Fatal(err)
	}
	s.world.Items = s.want.Items
	for {
		var object map[string]any
		err := decoder.Decode(&object)
		if errors.Is(err, io.EOF) {
			return s
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		add(t, s.world, &unstructured.Unstructured{Object: object})
	}
}

func add(t testing.TB, w *diagnose.World, u *unstructured.Unstructured) {
	t.Helper()
	if u.GetKind() != "Event" {
		w.Add(u)
		return
	}
	var e corev1.Event
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &e); err != nil {
		t.Fatal(err)
	}
	w.AddEvent(observe.KubernetesHappening(&e))
}

// stories returns a story of every cause, and the variants of some: what else
// a cause may look like, in a file named CAUSE--VARIANT.
func stories(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, c := range All() {
		names = append(names, c.Name)
	}
	files, err := filepath.Glob("testdata/variants/*--*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no variants", err)
	}
	for _, file := range files {
		names = append(names, "variants/"+strings.TrimSuffix(filepath.Base(file), ".yaml"))
	}
	return names
}

// TestCauses holds each cause to a recorded world: it alone is found there, at
// the right object, with all that it blocks, and nothing is left unexplained.
func TestCauses(t *testing.T) {
	for _, name := range stories(t) {
		cause, _, _ := strings.Cut(filepath.Base(name), "--")
		t.Run(name, func(t *testing.T) {
			s := tell(t, name)
			r := Explain(t.Context(), s.world, diagnose.Options{})
			for _, u := range r.Unexplained {
				t.Errorf("unexplained: %s is %s: %s", u.Object, u.State, u.Message)
			}
			if len(r.Findings) != 1 || r.Findings[0].Cause != cause {
				for _, f := range r.Findings {
					t.Errorf("found %s: %s", f.Cause, f.Sentence)
				}
				t.Fatalf("want %s alone", cause)
			}
			f := r.Findings[0]
			if got := diagnose.RefOf(f.Subject).String(); got != s.want.Subject {
				t.Errorf("the subject is %s, want %s", got, s.want.Subject)
			}
			var blocked []string
			for _, b := range f.Blocked {
				blocked = append(blocked, b.Object.String())
			}
			if diff := cmp.Diff(s.want.Blocked, blocked); diff != "" {
				t.Errorf("blocked (-want +got):\n%s", diff)
			}
			if s.want.Confidence != "" && string(f.Confidence) != s.want.Confidence {
				t.Errorf("the confidence is %s, want %s", f.Confidence, s.want.Confidence)
			}
			if len(f.Evidence) == 0 || f.Evidence[0].Field == "" || f.Fix == "" || len(f.Commands) == 0 || f.Sentence == "" {
				t.Errorf("the finding is not complete: %+v", f)
			}
		})
	}
}

// TestStoriesHaveCauses keeps testdata free of what nothing reads.
func TestStoriesHaveCauses(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no stories", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		if name != "healthy" && !slices.ContainsFunc(All(), func(c *diagnose.Cause) bool { return c.Name == name }) {
			t.Errorf("%s belongs to no cause", file)
		}
	}
}

// TestHealthy finds nothing in a homelab that is well.
func TestHealthy(t *testing.T) {
	r := Explain(t.Context(), tell(t, "healthy").world, diagnose.Options{})
	for _, f := range r.Findings {
		t.Errorf("found %s: %s", f.Cause, f.Sentence)
	}
	for _, u := range r.Unexplained {
		t.Errorf("unexplained: %s is %s: %s", u.Object, u.State, u.Message)
	}
}
