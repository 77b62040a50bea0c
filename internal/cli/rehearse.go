package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"hearth/internal/rehearsal"
	"hearth/internal/timeline"
)

func newRehearseCommand(p Process) *cobra.Command {
	var (
		stage           stageFlags
		output          string
		timeout         time.Duration
		showAssumptions bool
		scenarios       []string
		long            longFlags
	)
	cmd := &cobra.Command{
		Use:   "rehearse [PATH]",
		Short: "Bring a homelab up in this process, and say whether it comes up, in which order, and what breaks",
		Long: `Bring the homelab of a repository up on a real Kubernetes API inside this
process: its sources, Kustomizations, Helm releases and secrets are reconciled
as in life, and stand-ins play the hardware. Without PATH it is the example
homelab. Exit code 0: everything converged; 1: it did not; 2: misuse, or a
repository that cannot be read.`,
		Args: atMostOnePath,
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := stage.options(p, args)
			if err != nil {
				return err
			}
			o.Timeout = timeout
			if len(scenarios) > 0 {
				return playScenarios(cmd.Context(), p, o, scenarios, output)
			}
			if long.asked() {
				pace := ""
				if cmd.Flags().Changed("pace") {
					pace = stage.pace
				}
				return long.run(cmd.Context(), p, o, pace, output)
			}
			print, err := reportPrinter(output, showAssumptions)
			if err != nil {
				return err
			}
			report, err := runRehearsal(cmd.Context(), p, o, output == "text")
			if err != nil {
				return err
			}
			if err := keepReport(report); err != nil {
				fmt.Fprintf(p.Stderr, "hearth: %v\n", err)
			}
			if err := print(p.Stdout, report); err != nil {
				return failure{exitFailed, fmt.Errorf("write the report: %w", err)}
			}
			if report.Verdict != rehearsal.Converged {
				return failed
			}
			return nil
		},
	}
	stage.register(cmd.Flags())
	long.register(cmd.Flags())
	cmd.Flags().StringArrayVar(&scenarios, "scenario", nil, "play the scenario of a file, or all of a folder: what goes wrong, and what is to be seen (repeatable)")
	cmd.Flags().StringVarP(&output, "output", "o", "text", "the form of the report: text, json, junit, or html, a page with the timeline")
	cmd.Flags().DurationVar(&timeout, "timeout", 10*time.Minute, "the last resort: end after so long even if things still move")
	cmd.Flags().BoolVar(&showAssumptions, "show-assumptions", false, "list everything that the rehearsal had to make up")
	return cmd
}

// runRehearsal opens the stage, lets it settle, and closes it again. The live
// view goes to the terminal, or to standard error where the report is data.
func runRehearsal(ctx context.Context, p Process, o rehearsal.Options, text bool) (*rehearsal.Report, error) {
	stage, err := rehearsal.Open(ctx, o)
	if err != nil {
		return nil, stageFailure(err)
	}
	defer func() {
		if err := stage.Close(); err != nil {
			fmt.Fprintf(p.Stderr, "hearth: %v\n", err)
		}
	}()

	if text {
		stop := showLive(p.Stdout, stage)
		defer stop()
		report := stage.Settle(ctx)
		stop()
		return report, nil
	}
	return stage.Settle(ctx), nil
}

// stageFailure gives a stage that did not open its exit code: 2 where the
// repository or the flags are at fault, 1 where Kubernetes did not start.
func stageFailure(err error) error {
	var misuse *rehearsal.MisuseError
	if errors.As(err, &misuse) {
		return failure{exitMisuse, err}
	}
	return failure{exitFailed, err}
}

// reportPrinter returns how to print a report in the form asked for.
func reportPrinter(output string, showAssumptions bool) (func(io.Writer, *rehearsal.Report) error, error) {
	switch output {
	case "text":
		return func(w io.Writer, r *rehearsal.Report) error {
			return r.WriteText(w, rehearsal.TextOptions{Colour: colours(w), Assumptions: showAssumptions})
		}, nil
	case "json":
		return func(w io.Writer, r *rehearsal.Report) error {
			return printJSON(w, r)
		}, nil
	case "junit":
		return func(w io.Writer, r *rehearsal.Report) error { return r.WriteJUnit(w) }, nil
	case "html":
		return func(w io.Writer, r *rehearsal.Report) error { return timeline.WriteHTML(w, r.Timeline) }, nil
	}
	return nil, fmt.Errorf("-o %q is none of text, json, junit, html", output)
}
