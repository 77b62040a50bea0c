// Package cli holds Hearth's verbs, one file each. A verb reads its flags,
// calls one room, and prints what it says; it has no logic of its own.
//
// Exit codes: 0 fine, 1 a failed verdict or findings, 2 misuse or input that
// cannot be read.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"hearth/internal/kube"
)

// The exit codes of all verbs.
const (
	exitFine   = 0
	exitFailed = 1
	exitMisuse = 2
)

// Process is what the operating system gives a run of the program.
type Process struct {
	Args           []string
	Stdout, Stderr io.Writer
	// Kubernetes starts the cluster of a rehearsal.
	Kubernetes kube.Starter
}

// failure is an error that ends the program with a code of its own.
type failure struct {
	code int
	err  error
}

func (f failure) Error() string {
	if f.err == nil {
		return ""
	}
	return f.err.Error()
}

func (f failure) Unwrap() error { return f.err }

// failed ends the program with exit code 1 after its output said why.
var failed = failure{code: exitFailed}

// Main runs the program until it is done or the context ends, and returns its
// exit code. Errors go to Stderr as one sentence.
func Main(ctx context.Context, p Process) int {
	root := newRootCommand(p)
	root.SetArgs(p.Args)
	root.SetOut(p.Stdout)
	root.SetErr(p.Stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitFine
	}
	if text := err.Error(); text != "" {
		fmt.Fprintf(p.Stderr, "hearth: %s\n", strings.TrimSpace(text))
	}
	var f failure
	if errors.As(err, &f) {
		return f.code
	}
	return exitMisuse
}

func newRootCommand(p Process) *cobra.Command {
	// Kubernetes' packages add flags to the process, which cobra would take over.
	pflag.CommandLine = pflag.NewFlagSet("hearth", pflag.ContinueOnError)
	root := &cobra.Command{
		Use:           "hearth",
		Short:         "Run a Kubernetes homelab from Git, and rehearse every change before it is pushed",
		SilenceUsage:  true,
		SilenceErrors: true,
		Version:       version(),
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetVersionTemplate("hearth {{.Version}}\n")
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(
		newCheckCommand(p),
		newRulesCommand(p),
		newGraphCommand(p),
		newBuildCommand(p),
		newDiffCommand(p),
		newImagesCommand(p),
		newNewCommand(p),
		newSecretsCommand(p),
		newRehearseCommand(p),
		newTimelineCommand(p),
		newUpCommand(p),
		newGetCommand(),
		newDriftCommand(p),
		newReconcileCommand(),
		newSuspendCommand(),
		newResumeCommand(),
		newTreeCommand(),
		newEventsCommand(),
		newExplainCommand(p),
		newWaitCommand(),
		newTraceCommand(),
		newStatsCommand(),
		newKubectlCommand(),
		newVaultCommand(p),
		newModelCommand(),
		newConfigCommand(p),
	)
	return root
}

// isTerminal reports whether w is a terminal that understands ANSI codes.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// colours reports whether to paint what is written to w.
func colours(w io.Writer) bool {
	return isTerminal(w) && os.Getenv("NO_COLOR") == ""
}
