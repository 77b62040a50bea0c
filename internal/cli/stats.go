package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"hearth/internal/observe"
)

// statsFlags say what to sum up.
type statsFlags struct {
	clusterFlags
	output string
}

func newStatsCommand() *cobra.Command {
	var f statsFlags
	cmd := &cobra.Command{
		Use:   "stats",
		Short: "Sum up, kind by kind, how the objects fare that follow Git",
		Long: `Sum up the objects by which a cluster follows Git: how many there are of each
kind, how many are ready, failing or suspended, what the artifacts of sources
take up, and how long the last reconcile (of a release: the last Helm action)
took typically and at most. Kinds without objects are in the JSON only. Exit code 1: there is no such cluster; 2: misuse.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), cmd.OutOrStdout()) },
	}
	f.register(cmd.Flags())
	cmd.Flags().StringVarP(&f.output, "output", "o", "text", "the form of the output: text or json")
	return cmd
}

func (f *statsFlags) run(ctx context.Context, w io.Writer) error {
	if err := errors.Join(f.check(), checkForm(f.output, "text", "json")); err != nil {
		return err
	}
	c, config, err := f.open()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, getTimeout)
	defer cancel()
	stats, err := observe.Stats(ctx, c, f.namespace)
	if err != nil {
		return failure{exitFailed, unreachable(config, err)}
	}
	if f.output == "json" {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		err = enc.Encode(map[string]any{"kinds": stats})
	} else {
		err = statsText(w, stats)
	}
	if err != nil {
		return failure{exitFailed, fmt.Errorf("write the stats: %w", err)}
	}
	return nil
}

func statsText(w io.Writer, stats []observe.KindStats) error {
	width, _ := terminalSize(w)
	t := &table{header: []string{"KIND", "TOTAL", "READY", "FAILING", "SUSPENDED", "STORED", "TYPICAL", "LONGEST", "OF"}, width: width, painter: painter(colours(w))}
	for _, s := range stats {
		if s.Total == 0 {
			continue
		}
		colour := green
		if s.Failing > 0 {
			colour = red
		} else if s.Ready+s.Suspended < s.Total {
			colour = yellow
		}
		slowest := s.Slowest.Name
		if slowest != "" {
			slowest = s.Slowest.Namespace + "/" + slowest
		}
		t.add(cell{s.Kind, ""}, cell{strconv.Itoa(s.Total), ""}, cell{strconv.Itoa(s.Ready), colour}, cell{strconv.Itoa(s.Failing), ""},
			cell{strconv.Itoa(s.Suspended), ""}, cell{size(s.Stored), ""}, cell{took(s.Typical), ""}, cell{took(s.Longest), ""}, cell{printable(slowest), ""})
	}
	return t.write(w)
}

// took is a duration in a table; nothing where there is none.
func took(d time.Duration) string {
	switch {
	case d == 0:
		return ""
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	}
	return d.Round(100 * time.Millisecond).String()
}

// size is a number of bytes in the unit that suits it.
func size(bytes int64) string {
	switch {
	case bytes == 0:
		return ""
	case bytes < 1<<10:
		return fmt.Sprintf("%d B", bytes)
	case bytes < 1<<20:
		return fmt.Sprintf("%.1f KiB", float64(bytes)/(1<<10))
	case bytes < 1<<30:
		return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20))
	}
	return fmt.Sprintf("%.1f GiB", float64(bytes)/(1<<30))
}
