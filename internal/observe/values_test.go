package observe

import (
	"context"
	"testing"
	"time"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	"github.com/fluxcd/pkg/apis/meta"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"hearth/internal/domain"
)

// TestReleaseValues tells the values that a release applied: Hearth's event of
// it has those that others supplied, Flux's has not.
func TestReleaseValues(t *testing.T) {
	const digest = "sha256:1234"
	sealed := map[string]string{annotationToken: digest, annotationValues: `{"own":1,"theirs":"sha256:abcd"}`}
	ref := domain.Ref{Kind: "HelmRelease", Namespace: "media", Name: "immich"}
	want := domain.HelmReleaseReady{
		Release: ref, Name: "immich", Namespace: "media", ChartVersion: "4.0.0", ValuesDigest: digest,
		Values: map[string]any{"own": 1.0}, ValuesFrom: []domain.Ref{{Kind: "Secret", Namespace: "media", Name: "more"}},
	}
	whole := want
	whole.Values, whole.ValuesFrom = map[string]any{"own": 1.0, "theirs": "sha256:abcd"}, nil
	for _, test := range []struct {
		name        string
		recorded    bool // events are handed in
		early       bool // before the status
		annotations map[string]string
		want        domain.HelmReleaseReady
	}{
		{"the event comes late", true, false, sealed, whole},
		{"the event comes first", true, true, sealed, whole},
		{"as Flux tells it", true, false, map[string]string{annotationToken: digest}, want},
		{"of an earlier release, and then none", true, true, map[string]string{annotationToken: "sha256:0", annotationValues: `{"old":1}`}, want},
		{"nobody tells", false, false, nil, want},
		{"what is no JSON", true, true, map[string]string{annotationToken: digest, annotationValues: "{"}, want},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newInformed()
			w.values.recorded = test.recorded
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			got := make(chan domain.Event, 16)
			w.OnEvent(func(e domain.Event) { got <- e })
			go w.deliver(ctx)
			event := &corev1.Event{Reason: helmv2.UpgradeSucceededReason, InvolvedObject: corev1.ObjectReference{Kind: ref.Kind, Namespace: ref.Namespace, Name: ref.Name}}
			event.Annotations = test.annotations
			if test.early {
				w.released(event)
			}
			h := &helmv2.HelmRelease{ObjectMeta: metav1.ObjectMeta{Namespace: ref.Namespace, Name: ref.Name}}
			h.Spec.Values = &apiextensionsv1.JSON{Raw: []byte(`{"own":1}`)}
			h.Spec.ValuesFrom = []meta.ValuesReference{{Kind: "Secret", Name: "more"}}
			h.Status.History = helmv2.Snapshots{{Name: "immich", Namespace: "media", Version: 1, ChartVersion: "4.0.0", ConfigDigest: digest}}
			h.Status.Conditions = []metav1.Condition{is(metav1.ConditionTrue, "UpgradeSucceeded", "")}
			w.see(helmReleaseKind, h)
			if test.recorded && !test.early {
				w.released(event)
			}
			select {
			case e := <-got:
				ready := e.(domain.HelmReleaseReady)
				ready.Time = time.Time{}
				if diff := cmp.Diff(test.want, ready); diff != "" {
					t.Errorf("the event (-want +got):\n%s", diff)
				}
			case <-ctx.Done():
				t.Fatal("no event came")
			}
		})
	}
}
