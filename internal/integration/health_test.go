package integration_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/fluxcd/pkg/apis/kustomize"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	apitypes "k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/kube/health"
	"hearth/internal/kube/objects"
	"hearth/internal/kube/scheme"
	"hearth/internal/kube/work"
)

func TestHealthAwait(t *testing.T) {
	ns := namespace(t)
	known := scheme.New()
	shared, err := cache.New(cluster(t).Config(), cache.Options{Scheme: known, DefaultNamespaces: map[string]cache.Config{ns: {}}})
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		if err := shared.Start(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	o := objects.New(shared, known)
	live, err := client.New(cluster(t).Config(), client.Options{Scheme: known})
	if err != nil {
		t.Fatal(err)
	}
	key := func(kind, name string) objects.Key {
		return objects.Key{GroupVersionKind: corev1.SchemeGroupVersion.WithKind(kind), NamespacedName: apitypes.NamespacedName{Namespace: ns, Name: name}}
	}
	exprs := []health.Expr{{APIVersion: "v1", Kind: "ConfigMap", HealthCheckExpressions: kustomize.HealthCheckExpressions{
		Current: "data.state == 'done'", Failed: "data.state == 'broken'",
	}}}
	keys := []objects.Key{key("ConfigMap", "a")}

	gate := work.NewGate(1)
	holding, leave, err := gate.Enter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(holding, 20*time.Second)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- health.Await(ctx, o, keys, exprs) }()
	// The only slot is free again while it waits.
	_, other, err := gate.Enter(ctx)
	if err != nil {
		t.Fatalf("whoever waits keeps the slot: %v", err)
	}
	other()
	cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "a"}, Data: map[string]string{"state": "working"}}
	if err := live.Create(ctx, cm); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		t.Fatalf("it ended before the object was current: %v", err)
	case <-time.After(300 * time.Millisecond):
	}
	cm.Data["state"] = "done"
	if err := live.Update(ctx, cm); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("it ended with %v", err)
	}
	leave()

	// From here on without a slot.
	ctx, cancel = context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var notReady *health.NotReadyError
	cm.Data["state"] = "broken"
	if err := live.Update(ctx, cm); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		// The cache learns of the change in its own time.
		if err = health.Await(ctx, o, keys, exprs); err != nil || time.Now().After(deadline) {
			break
		}
	}
	if !errors.As(err, &notReady) || notReady.Result.Status != status.FailedStatus || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a failed object gives %v", err)
	}

	short, cancelShort := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancelShort()
	err = health.Await(short, o, append(keys, key("ConfigMap", "missing")), exprs)
	if !errors.As(err, &notReady) || !errors.Is(err, context.DeadlineExceeded) || len(notReady.All) != 2 {
		t.Errorf("the deadline gives %v", err)
	}
	unknown := objects.Key{GroupVersionKind: corev1.SchemeGroupVersion.WithKind("Nonsense"), NamespacedName: apitypes.NamespacedName{Namespace: ns, Name: "x"}}
	report, err := health.Check(ctx, o, []objects.Key{unknown}, nil)
	if err != nil || report[0].Status != status.NotFoundStatus {
		t.Errorf("a kind that nobody knows gives %v, %v", report, err)
	}
}
