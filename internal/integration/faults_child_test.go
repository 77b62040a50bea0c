package integration_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"sync/atomic"
	"testing"

	"k8s.io/client-go/tools/clientcmd"
)

// childOrder in the environment turns the test's program into an engine.
const childOrder = "HEARTH_TEST_ENGINE"

// order is what an engine in a process of its own is to do.
type order struct {
	Kubeconfig, Namespace, Folder string
	// Die is at which request that changes something the process ends itself,
	// as by kill -9; 0 is never. Half of them are on their way by then.
	Die  int64
	Late bool
}

// init comes before the tests' own control plane is started.
func init() {
	text := os.Getenv(childOrder)
	if text == "" {
		return
	}
	var o order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	go func() { // does not outlive who started it
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	fmt.Fprintln(os.Stderr, o.run(context.Background()))
	os.Exit(1)
}

func (o order) run(ctx context.Context) error {
	config, err := clientcmd.BuildConfigFromFlags("", o.Kubeconfig)
	if err != nil {
		return err
	}
	config.QPS = -1
	if o.Die > 0 {
		config.Wrap(o.dying)
	}
	mgr, err := labEngine{Config: config, Namespace: o.Namespace, Folder: o.Folder}.prepare()
	if err != nil {
		return err
	}
	fmt.Println("started")
	return mgr.Start(ctx)
}

// dying ends the process at one request, before it is sent or once it is
// answered.
func (o order) dying(next http.RoundTripper) http.RoundTripper {
	return roundTrip(func(r *http.Request) (*http.Response, error) {
		last := r.Method != http.MethodGet && writes.Add(1) == o.Die
		if last && !o.Late {
			die()
		}
		response, err := next.RoundTrip(r)
		if last {
			die()
		}
		return response, err
	})
}

// writes counts requests over all clients of the process.
var writes atomic.Int64

func die() {
	if self, err := os.FindProcess(os.Getpid()); err == nil {
		_ = self.Kill()
	}
	select {}
}

// child is an engine in a process of its own.
type child struct {
	process *os.Process
	ended   chan struct{}
}

// startChild starts an engine and returns once it is about to reconcile.
func startChild(t *testing.T, o order) *child {
	t.Helper()
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), childOrder+"="+string(text))
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &child{process: cmd.Process, ended: make(chan struct{})}
	if line, err := bufio.NewReader(stdout).ReadString('\n'); err != nil {
		t.Errorf("an engine said %q and ended: %v", line, err)
	}
	go func() {
		_ = cmd.Wait() // it is killed
		stdin.Close()
		close(c.ended)
	}()
	t.Cleanup(c.kill)
	return c
}

// kill ends the engine without a warning.
func (c *child) kill() {
	_ = c.process.Kill()
	<-c.ended
}
