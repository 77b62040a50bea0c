package integration_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"hearth/internal/kube"
	"hearth/internal/kube/crds"
	"hearth/internal/kube/embed"
)

// shared is the control plane every test of this package works against.
var shared kube.Cluster

// cluster returns the shared control plane. It has all of Hearth's custom
// resource definitions, OpenAPI, and no nodes unless a test brings them.
// cluster(t).Config() is the client configuration.
func cluster(t testing.TB) kube.Cluster {
	t.Helper()
	return shared
}

// namespace creates a fresh namespace, deletes it when the test ends, and
// returns its name.
func namespace(t testing.TB) string {
	t.Helper()
	client, err := kubernetes.NewForConfig(cluster(t).Config())
	if err != nil {
		t.Fatal(err)
	}
	ns, err := client.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatalf("creating a namespace for the test: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := client.CoreV1().Namespaces().Delete(ctx, ns.Name, metav1.DeleteOptions{}); err != nil {
			t.Errorf("deleting the test's namespace %s: %v", ns.Name, err)
		}
	})
	return ns.Name
}

// waiting is how many parallel tests are under way at once: they wait most of
// the time, for time-outs and for the cluster.
const waiting = "4"

func TestMain(m *testing.M) {
	flag.Parse()
	if alone := flag.Lookup("test.parallel"); alone.Value.String() == alone.DefValue {
		if err := alone.Value.Set(waiting); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// run starts the shared control plane, runs the tests, and stops it.
func run(m *testing.M) (code int, err error) {
	ctx := context.Background()
	shared, err = embed.Starter{}.Start(ctx, kube.Options{OpenAPI: true})
	if err != nil {
		return 0, fmt.Errorf("starting the control plane for the tests: %w", err)
	}
	defer func() {
		stopping, cancel := context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
		if stopErr := shared.Stop(stopping); stopErr != nil && err == nil {
			err = fmt.Errorf("stopping the control plane of the tests: %w", stopErr)
		}
	}()
	if err := crds.Install(ctx, shared.Config()); err != nil {
		return 0, err
	}
	return m.Run(), nil
}
