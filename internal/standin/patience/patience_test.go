package patience

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"hearth/internal/kube/work"
)

func TestHelpsOnlyOnceCalm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		gate := work.NewGate(1)
		var failed []string
		l := New(gate, func(key string, err error) { failed = append(failed, key+": "+err.Error()) })
		go func() { _ = l.Start(ctx) }()

		var helped []string
		help := func(key string, err error) func(context.Context) error {
			return func(context.Context) error {
				helped = append(helped, key)
				return err
			}
		}
		done := gate.Timer()
		l.Add("b", help("b", nil))
		l.Add("a", help("a", errors.New("no")))
		l.Add("c", help("c", nil))
		l.Remove("c")

		time.Sleep(time.Minute)
		synctest.Wait()
		if helped != nil {
			t.Fatalf("helped %v while something was under way", helped)
		}
		done()
		time.Sleep(Calm - time.Millisecond)
		synctest.Wait()
		if helped != nil {
			t.Fatalf("helped %v before it was calm for %s", helped, Calm)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if diff := cmp.Diff([]string{"a", "b"}, helped); diff != "" {
			t.Errorf("helped (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"a: no"}, failed); diff != "" {
			t.Errorf("failed (-want +got):\n%s", diff)
		}
	})
}
