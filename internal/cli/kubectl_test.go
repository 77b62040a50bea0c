package cli

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// kubectl runs the verb with arguments.
func kubectl(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, errOut bytes.Buffer
	c := newKubectlCommand()
	c.SilenceUsage, c.SilenceErrors = true, true
	c.SetOut(&out)
	c.SetErr(&errOut)
	c.SetArgs(args)
	err = c.ExecuteContext(t.Context())
	return out.String(), errOut.String(), err
}

func TestKubectlWithoutAnUp(t *testing.T) {
	atHome(t)
	_, _, err := kubectl(t, "get", "pods")
	var f failure
	if !errors.As(err, &f) || f.code != exitFailed || !strings.Contains(err.Error(), "no homelab is up") {
		t.Errorf("error %v", err)
	}
	stdout, _, err := kubectl(t, "version", "--client")
	if err != nil || !strings.Contains(stdout, "Client Version") {
		t.Errorf("version --client: %q, %v", stdout, err)
	}
}

func TestKubectlReturnsItsExitCode(t *testing.T) {
	atHome(t)
	for _, args := range [][]string{
		{"--kubeconfig", "/no/such/file", "get", "pods"},
		{"--kubeconfig", "/no/such/file", "no-such-verb"},
		{"--kubeconfig", "/no/such/file", "get", "--no-such-flag"},
	} {
		_, stderr, err := kubectl(t, args...)
		var f failure
		if !errors.As(err, &f) || f.code != 1 || f.Error() != "" || stderr == "" {
			t.Errorf("%v: error %v, stderr %q", args, err, stderr)
		}
	}
}

func TestKubectlIsPointedAtTheUp(t *testing.T) {
	atHome(t)
	t.Setenv("KUBECONFIG", "/the/users/own")
	info := anUp(t, "main", os.Getpid())
	register(t, info)
	restore, err := pointAtUp("")
	if err != nil {
		t.Fatal(err)
	}
	if got := os.Getenv("KUBECONFIG"); got != info.Kubeconfig {
		t.Errorf("KUBECONFIG is %s", got)
	}
	restore()
	if got := os.Getenv("KUBECONFIG"); got != "/the/users/own" {
		t.Errorf("KUBECONFIG stays %s", got)
	}
	if _, set := os.LookupEnv("KUBECACHEDIR"); set {
		t.Error("KUBECACHEDIR stays")
	}
}

func TestKubectlArguments(t *testing.T) {
	for _, test := range []struct {
		args      []string
		cluster   string
		rest      []string
		elsewhere bool
		needs     bool
	}{
		{[]string{"get", "pods", "-A"}, "", []string{"get", "pods", "-A"}, false, true},
		{[]string{"--cluster", "main", "get"}, "main", []string{"get"}, false, true},
		{[]string{"--cluster=main", "get"}, "main", []string{"get"}, false, true},
		{[]string{"get", "--context=home"}, "", []string{"get", "--context=home"}, true, true},
		{[]string{"exec", "pod", "--", "curl", "-s"}, "", []string{"exec", "pod", "--", "curl", "-s"}, false, true},
		{[]string{"get", "-h"}, "", []string{"get", "-h"}, false, false},
		{nil, "", nil, false, false},
		{[]string{"version"}, "", []string{"version"}, false, true},
	} {
		cluster, rest := leadingCluster(test.args)
		if diff := cmp.Diff(test.rest, rest); diff != "" || cluster != test.cluster {
			t.Errorf("%v: cluster %q, %s", test.args, cluster, diff)
		}
		if got := pointsElsewhere(rest); got != test.elsewhere {
			t.Errorf("%v points elsewhere: %v", test.args, got)
		}
		if got := needsCluster(rest); got != test.needs {
			t.Errorf("%v needs a cluster: %v", test.args, got)
		}
	}
}
