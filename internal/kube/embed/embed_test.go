package embed

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"hearth/internal/kube"
)

// shared is the control plane of all tests that need no particular one.
var shared *cluster

// backends are the addresses of Services, by namespace/name, that shared's API
// server finds behind webhooks and aggregated APIs.
var backends sync.Map

func TestMain(m *testing.M) {
	code, err := runTests(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func runTests(m *testing.M) (int, error) {
	started, err := Starter{}.Start(context.Background(), kube.Options{OpenAPI: true, ResolveService: resolveBackend})
	if err != nil {
		return 0, err
	}
	shared = started.(*cluster)
	code := m.Run()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	return code, shared.Stop(ctx)
}

func resolveBackend(namespace, name string, _ int32) (*url.URL, error) {
	if u, ok := backends.Load(namespace + "/" + name); ok {
		return u.(*url.URL), nil
	}
	return nil, fmt.Errorf("service %s/%s has no running pods", namespace, name)
}

func clientOf(t testing.TB, c kube.Cluster) kubernetes.Interface {
	t.Helper()
	client, err := kubernetes.NewForConfig(c.Config())
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// newNamespace makes a namespace that goes when the test ends.
func newNamespace(t testing.TB, client kubernetes.Interface) string {
	t.Helper()
	ns, err := client.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		err := client.CoreV1().Namespaces().Delete(context.Background(), ns.Name, metav1.DeleteOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			t.Error(err)
		}
	})
	return ns.Name
}

// eventually waits for a condition that other goroutines bring about, and
// reports the last reason why it did not hold.
func eventually(t testing.TB, limit time.Duration, condition func() error) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for {
		err := condition()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("still not so after %s: %v", limit, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func stop(t testing.TB, c kube.Cluster) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := c.Stop(ctx); err != nil {
		t.Errorf("stopping: %v", err)
	}
}

var errNotYet = errors.New("not yet")
