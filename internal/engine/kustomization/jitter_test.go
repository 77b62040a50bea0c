package kustomization

import (
	"fmt"
	"testing"
	"time"

	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

func TestJitter(t *testing.T) {
	rest := func(name string, jitter float64) time.Duration {
		obj := &kustomizev1.Kustomization{Spec: kustomizev1.KustomizationSpec{Interval: metav1.Duration{Duration: time.Hour}}}
		w := &walk{reconciler: &reconciler{o: Options{Jitter: jitter}}, key: types.NamespacedName{Namespace: "flux-system", Name: name}, obj: obj}
		return w.interval()
	}
	if got := rest("apps", 0); got != time.Hour {
		t.Errorf("without jitter it rests %s", got)
	}
	shorter, longer, seen := 0, 0, map[time.Duration]bool{}
	for i := range 100 {
		name := fmt.Sprintf("app-%d", i)
		got := rest(name, 0.1)
		if got < 54*time.Minute || got > 66*time.Minute {
			t.Errorf("%s rests %s, more than a tenth off", name, got)
		}
		if got != rest(name, 0.1) {
			t.Errorf("%s rests another time when asked again", name)
		}
		if got < time.Hour {
			shorter++
		} else {
			longer++
		}
		seen[got] = true
	}
	if shorter < 20 || longer < 20 || len(seen) < 90 {
		t.Errorf("of 100, %d rest shorter, %d longer, %d differ", shorter, longer, len(seen))
	}
	if got := rest("apps", 7); got < 30*time.Minute || got > 90*time.Minute {
		t.Errorf("asked for too much it rests %s", got)
	}
}
