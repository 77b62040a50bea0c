package cli

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	componentcli "k8s.io/component-base/cli"
	"k8s.io/kubectl/pkg/cmd"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"
)

func newKubectlCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "kubectl [--cluster NAME] ARGS...",
		Short: "Run the built-in kubectl against the homelab that is up",
		Long: `Run kubectl, which is built in, against the homelab that is up. All arguments
are kubectl's own. A leading --cluster NAME says which homelab where several
are up; --kubeconfig, --context or --server point it elsewhere. Exit codes are
kubectl's.`,
		DisableFlagParsing: true,
		RunE: func(c *cobra.Command, args []string) error {
			cluster, args := leadingCluster(args)
			streams := genericiooptions.IOStreams{In: os.Stdin, Out: c.OutOrStdout(), ErrOut: c.ErrOrStderr()}
			if !pointsElsewhere(args) && needsCluster(args) {
				restore, err := pointAtUp(cluster)
				if err != nil {
					return failure{exitFailed, err}
				}
				defer restore()
			}
			return runKubectl(c.Context(), args, streams)
		},
	}
}

// leadingCluster takes --cluster off the front: further behind it is kubectl's.
func leadingCluster(args []string) (cluster string, rest []string) {
	if len(args) >= 2 && args[0] == "--cluster" {
		return args[1], args[2:]
	}
	if len(args) > 0 {
		if name, ok := strings.CutPrefix(args[0], "--cluster="); ok {
			return name, args[1:]
		}
	}
	return "", args
}

// pointsElsewhere reports whether the arguments name a cluster themselves.
func pointsElsewhere(args []string) bool {
	for _, arg := range args {
		if arg == "--" {
			return false
		}
		name, _, _ := strings.Cut(arg, "=")
		switch name {
		case "--kubeconfig", "--context", "--server", "-s":
			return true
		}
	}
	return false
}

// needsCluster reports whether the arguments ask for more than kubectl can say
// by itself.
func needsCluster(args []string) bool {
	if len(args) == 0 || slices.Contains(args, "--help") || slices.Contains(args, "-h") {
		return false
	}
	switch args[0] {
	case "help", "completion", "kustomize", "options", cobra.ShellCompRequestCmd, cobra.ShellCompNoDescRequestCmd:
		return false
	case "version":
		return !slices.Contains(args, "--client") && !slices.Contains(args, "--client=true")
	}
	return true
}

// pointAtUp makes the environment name the kubeconfig of the up that runs, and
// a folder for what kubectl learns about its API.
func pointAtUp(cluster string) (restore func(), err error) {
	info, err := findUp(cluster)
	if err != nil {
		return nil, err
	}
	return setenv(map[string]string{
		"KUBECONFIG":   info.Kubeconfig,
		"KUBECACHEDIR": kubectlCache(info.path),
	})
}

// setenv sets environment variables, and returns how to undo that.
func setenv(values map[string]string) (restore func(), err error) {
	before := map[string]*string{}
	restore = func() {
		for name, value := range before {
			if value == nil {
				os.Unsetenv(name)
			} else {
				os.Setenv(name, *value)
			}
		}
	}
	for name, value := range values {
		before[name] = nil
		if old, set := os.LookupEnv(name); set {
			before[name] = &old
		}
		if err := os.Setenv(name, value); err != nil {
			restore()
			return nil, failure{exitFailed, fmt.Errorf("set %s: %w", name, err)}
		}
	}
	return restore, nil
}

// kubectlExit is how kubectl's commands end early with an exit code.
type kubectlExit struct {
	message string
	code    int
}

// runKubectl runs kubectl, which would end the process with its exit code, and
// returns that as an error instead.
func runKubectl(ctx context.Context, args []string, streams genericiooptions.IOStreams) (err error) {
	cmdutil.BehaviorOnFatal(func(message string, code int) { panic(kubectlExit{message, code}) })
	defer cmdutil.DefaultBehaviorOnFatal()
	defer func() {
		switch exit := recover().(type) {
		case nil:
		case kubectlExit:
			if exit.message != "" {
				fmt.Fprintln(streams.ErrOut, strings.TrimRight(exit.message, "\n"))
			}
			if exit.code != 0 {
				err = failure{code: exit.code}
			}
		default:
			panic(exit)
		}
	}()
	kubectl := cmd.NewDefaultKubectlCommandWithArgs(cmd.KubectlOptions{
		Arguments: append([]string{"kubectl"}, args...),
		IOStreams: streams,
	})
	kubectl.SetArgs(args)
	kubectl.SetIn(streams.In)
	kubectl.SetOut(streams.Out)
	kubectl.SetErr(streams.ErrOut)
	kubectl.SetContext(ctx)
	if err := componentcli.RunNoErrOutput(kubectl); err != nil {
		cmdutil.CheckErr(err)
	}
	return nil
}
