package integration_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	esv1 "hearth/internal/api/externalsecrets/v1"
	"hearth/internal/domain"
	"hearth/internal/engine/externalsecret"
	"hearth/internal/engine/reloader"
	"hearth/internal/kube/objects"
	"hearth/internal/kube/scheme"
	"hearth/internal/observe"
	"hearth/internal/onepassword"
	"hearth/internal/standin"
)

// transitions collects what a watcher tells of one object kind.
type transitions struct {
	mu   sync.Mutex
	list []observe.Transition
}

func (s *transitions) add(t observe.Transition) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, t)
}

// of returns the states that an object went through, in their order.
func (s *transitions) of(kind, name string) []domain.State {
	s.mu.Lock()
	defer s.mu.Unlock()
	var states []domain.State
	for _, t := range s.list {
		if t.Kind == kind && t.Name == name {
			states = append(states, t.To)
		}
	}
	return states
}

// TestSecretRotation changes one field in the vault and follows the change all
// the way: the Secret, the workloads that use it, their pods.
func TestSecretRotation(t *testing.T) {
	t.Parallel()
	s := openStage(t, standin.Options{})
	ns := s.namespace(t)
	file := filepath.Join(t.TempDir(), "vault.yaml")
	write := func(content string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(secretsVault)
	connect, err := onepassword.NewServer(onepassword.ServerOptions{File: file, Token: "c4n4ry-connect-token"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	url, served, err := connect.Listen(ctx, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	mgr, err := manager.New(s.Config(), manager.Options{
		Scheme: scheme.New(), Metrics: metricsserver.Options{BindAddress: "0"},
		Cache: cache.Options{DefaultTransform: cache.TransformStripManagedFields()},
	})
	if err != nil {
		t.Fatal(err)
	}
	trigger := &externalsecret.Trigger{}
	seen := &transitions{}
	watcher := observe.New(objects.New(mgr.GetCache(), mgr.GetScheme()), nil)
	watcher.Subscribe(func(tr observe.Transition) {
		if tr.Namespace == ns {
			seen.add(tr)
		}
	})
	for _, err := range []error{
		externalsecret.Setup(mgr, externalsecret.Options{Gate: s.gate, Seed: 1, Trigger: trigger, Connect: func(string) (string, string, bool) { return url, "", true }}),
		reloader.Setup(mgr, reloader.Options{Gate: s.gate}),
		mgr.Add(manager.RunnableFunc(watcher.Start)),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the manager: %v", err)
		}
		<-served
	})

	user := deploymentReading(ns, "user", "app")
	user.Annotations = map[string]string{"reloader.stakater.com/auto": "true"}
	bystander := deploymentReading(ns, "bystander", "other")
	bystander.Annotations = user.Annotations
	s.make(t, user, bystander,
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "connect-token"}, StringData: map[string]string{"token": connect.Token()}},
		&esv1.SecretStore{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "connect"}, Spec: esv1.SecretStoreSpec{Provider: &esv1.SecretStoreProvider{OnePassword: &esv1.OnePasswordProvider{
			ConnectHost: "http://connect.elsewhere.svc:8080", Vaults: map[string]int{"Homelab": 1},
			Auth: &esv1.OnePasswordAuth{SecretRef: &esv1.OnePasswordAuthSecretRef{ConnectToken: esv1.SecretKeySelector{Name: "connect-token", Key: "token"}}},
		}}}},
	)
	for name, item := range map[string]string{"app": "immich", "other": "plex"} {
		s.make(t, &esv1.ExternalSecret{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: name}, Spec: esv1.ExternalSecretSpec{
			SecretStoreRef: esv1.SecretStoreRef{Name: "connect"}, RefreshInterval: &metav1.Duration{Duration: 12 * time.Hour},
			DataFrom: []esv1.ExternalSecretDataFrom{{Extract: &esv1.RemoteRef{Key: item}, Rewrite: []esv1.Rewrite{{Regexp: &esv1.RewriteRegexp{Source: "[^A-Za-z_]", Target: "_"}}}}},
		}})
	}
	available := func(d *appsv1.Deployment) bool {
		return d.Status.ObservedGeneration == d.Generation && d.Status.UpdatedReplicas == 1 && d.Status.AvailableReplicas == 1 && d.Status.Replicas == 1
	}
	for _, d := range []*appsv1.Deployment{user, bystander} {
		*d = *await(t, s, d, &appsv1.DeploymentList{}, "available", available)
	}

	// Statuses tell times to the second: the rotation is to be of a later one.
	es := &esv1.ExternalSecret{}
	if err := s.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: "app"}, es); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Until(es.Status.RefreshTime.Add(time.Second)))
	write(strings.ReplaceAll(secretsVault, "c4n4ry-pass", "c4n4ry-rotated"))
	if err := connect.Reload(); err != nil {
		t.Fatal(err)
	}
	trigger.Refresh()
	secret := await(t, s, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "app"}}, &corev1.SecretList{}, "rotated", func(c *corev1.Secret) bool {
		return string(c.Data["DB_PASSWORD"]) == "c4n4ry-rotated"
	})
	after := await(t, s, user, &appsv1.DeploymentList{}, "restarted", func(d *appsv1.Deployment) bool {
		return strings.Contains(d.Spec.Template.Annotations[reloadedFrom], secret.ResourceVersion) && available(d)
	})
	if after.Generation != user.Generation+1 {
		t.Errorf("%d changes for one rotation", after.Generation-user.Generation)
	}
	var pods corev1.PodList
	if err := s.List(t.Context(), &pods, client.InNamespace(ns), client.MatchingLabels{"app": "user"}); err != nil {
		t.Fatal(err)
	}
	pods.Items = slices.DeleteFunc(pods.Items, func(p corev1.Pod) bool { return p.DeletionTimestamp != nil })
	if len(pods.Items) != 1 || pods.Items[0].Status.Phase != corev1.PodRunning || pods.Items[0].Annotations[reloadedFrom] == "" {
		t.Errorf("%d pods, not one that runs since the rotation", len(pods.Items))
	}
	untouched := &appsv1.Deployment{}
	if err := s.Get(t.Context(), client.ObjectKeyFromObject(bystander), untouched); err != nil {
		t.Fatal(err)
	}
	if untouched.Generation != bystander.Generation {
		t.Error("a workload that does not use the Secret is restarted")
	}
	awaitStates(t, seen)
	for _, tr := range watcher.OffModel() {
		if tr.Namespace == ns {
			t.Errorf("off the model: %+v", tr)
		}
	}
}

// awaitStates waits until the watcher has told the rotation, and holds all that
// it told to the machine.
func awaitStates(t *testing.T, seen *transitions) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	want := []domain.State{domain.SecretUpdated, domain.SecretReady}
	for {
		states := seen.of("ExternalSecret", "app")
		if len(states) >= 2 && cmp.Equal(states[len(states)-2:], want) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the states of the ExternalSecret: %v, want them to end with %v", states, want)
		}
		time.Sleep(50 * time.Millisecond)
	}
	seen.mu.Lock()
	defer seen.mu.Unlock()
	for _, tr := range seen.list {
		if strings.Contains(tr.Message, secretCanary) {
			t.Errorf("a transition tells a value: %v", tr)
		}
	}
}
