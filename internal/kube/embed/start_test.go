package embed

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"hearth/internal/kube"
)

func TestVersionIsThatOfTheModule(t *testing.T) {
	info, err := clientOf(t, shared).Discovery().ServerVersion()
	if err != nil {
		t.Fatal(err)
	}
	if info.GitVersion != Version || info.Major != "1" || info.Minor != "37" {
		t.Errorf("server version %+v, want %s", info, Version)
	}
	if got := shared.Version(); got != Version {
		t.Errorf("Version() = %s, want %s", got, Version)
	}
}

// TestVersionMatchesGoMod keeps the version in code from falling behind the
// module that is linked.
func TestVersionMatchesGoMod(t *testing.T) {
	mod, err := os.ReadFile("../../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if want := "k8s.io/kubernetes " + Version; !strings.Contains(string(mod), want+"\n") {
		t.Errorf("go.mod does not require %q: set Version to what it requires", want)
	}
}

func TestKubeconfigIsPrivateAndSufficient(t *testing.T) {
	info, err := os.Stat(shared.KubeconfigPath())
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode != 0o600 {
		t.Errorf("kubeconfig has mode %o, want 600", mode)
	}
	cfg, err := kube.Connect(shared.KubeconfigPath(), "")
	if err != nil {
		t.Fatal(err)
	}
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.CoreV1().Secrets("").List(t.Context(), metav1.ListOptions{}); err != nil {
		t.Errorf("the kubeconfig's user may not list Secrets: %v", err)
	}
}

func TestListensOnLoopbackOnly(t *testing.T) {
	host, _, err := net.SplitHostPort(shared.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if ip := net.ParseIP(host); !ip.IsLoopback() {
		t.Errorf("the API server listens on %s", host)
	}
	info, err := os.Stat(shared.state.runtime)
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode != 0o700 {
		t.Errorf("the folder of etcd's socket has mode %o, want 700", mode)
	}
}

func TestConfigIsACopy(t *testing.T) {
	shared.Config().Host = "https://elsewhere.invalid"
	if shared.Config().Host == "https://elsewhere.invalid" {
		t.Error("changing the configuration changed the cluster's")
	}
}

func TestStopLeavesNothingBehind(t *testing.T) {
	cycle(t) // what Kubernetes starts once per process stays
	before := runtime.NumGoroutine()
	c := cycle(t)

	if _, err := os.Stat(c.state.runtime); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the runtime folder is still there: %v", err)
	}
	if conn, err := net.DialTimeout("tcp", c.listener.Addr().String(), time.Second); err == nil {
		conn.Close()
		t.Error("something still listens on the API server's port")
	}
	const tolerated = 10
	eventually(t, 10*time.Second, func() error {
		if now := runtime.NumGoroutine(); now > before+tolerated {
			return errors.New("goroutines grew from one start to the next")
		}
		return nil
	})
	t.Logf("goroutines: %d before, %d after", before, runtime.NumGoroutine())
}

// cycle starts and stops a cluster, twice over for the stopping.
func cycle(t *testing.T) *cluster {
	t.Helper()
	c, err := Starter{}.Start(t.Context(), kube.Options{})
	if err != nil {
		t.Fatal(err)
	}
	stop(t, c)
	stop(t, c)
	if err := c.Err(); err != nil {
		t.Errorf("Err() after Stop = %v", err)
	}
	return c.(*cluster)
}

func TestCancelledContextStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c, err := Starter{}.Start(ctx, kube.Options{})
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	began := time.Now()
	cancel()
	select {
	case <-c.Done():
	case <-time.After(15 * time.Second):
		t.Fatal("still running 15 s after its context was cancelled")
	}
	t.Logf("stopped in %s", time.Since(began))
	if err := c.Err(); err != nil {
		t.Errorf("Err() = %v, want nil after a cancelled context", err)
	}
}

func TestStartGivesUpWithItsContext(t *testing.T) {
	for _, after := range []time.Duration{0, 20 * time.Millisecond, 200 * time.Millisecond, 400 * time.Millisecond} {
		t.Run(after.String(), func(t *testing.T) {
			folder := filepath.Join(t.TempDir(), "state")
			ctx, cancel := context.WithTimeout(t.Context(), after)
			defer cancel()
			c, err := Starter{}.Start(ctx, kube.Options{StateDir: folder})
			if err == nil {
				stop(t, c)
				t.Skip("it was ready before it could be cancelled")
			}
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error %v, want the context's", err)
			}
			if _, err := os.Stat(folder); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the state folder was left behind: %v", err)
			}
		})
	}
}

func TestAddressThatCannotWork(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, test := range []struct {
		name, want string
		options    kube.Options
	}{
		{"port in use", "cannot listen on " + taken.Addr().String(), kube.Options{Address: taken.Addr().String()}},
		{"not loopback", "not a loopback address", kube.Options{Address: "0.0.0.0:6443"}},
		{"no port", "no host:port", kube.Options{Address: "127.0.0.1"}},
		{"service range", "no CIDR", kube.Options{ServiceCIDR: "10.0.0.0"}},
		{"pod range", "no CIDR", kube.Options{PodCIDR: "everywhere"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, err := Starter{}.Start(t.Context(), test.options)
			if err == nil {
				stop(t, c)
				t.Fatal("started")
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %q does not say %q", err, test.want)
			}
		})
	}
}

func TestEtcdFailureStopsTheCluster(t *testing.T) {
	c, err := Starter{}.Start(t.Context(), kube.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c.(*cluster).fail(errors.New("no space left on device"))
	select {
	case <-c.Done():
	case <-time.After(15 * time.Second):
		t.Fatal("still running")
	}
	if err := c.Err(); err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("Err() = %v, want the failure", err)
	}
}
