package cli

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"hearth/internal/rehearsal"
	"hearth/internal/timeline"
)

// newTimelineCommand shows the course of a rehearsal.
func newTimelineCommand(p Process) *cobra.Command {
	var (
		output string
		pods   bool
	)
	cmd := &cobra.Command{
		Use:   "timeline [REPORT]",
		Short: "Show when each object of a rehearsal was in which state, and what took longest",
		Long: `Show the course of a rehearsal: one row an object, its states over time, the
critical path, and the faults. REPORT is what hearth rehearse -o json wrote;
without it, it is the last rehearsal of this user.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			file := ""
			if len(args) == 1 {
				file = args[0]
			}
			course, err := readTimeline(file)
			if err != nil {
				return err
			}
			return printTimeline(p.Stdout, course, output, pods)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "text", "text, html or json")
	cmd.Flags().BoolVar(&pods, "pods", false, "show pods, too")
	return cmd
}

func printTimeline(w io.Writer, t *timeline.Timeline, output string, pods bool) error {
	switch output {
	case "text":
		width, _ := terminalSize(w)
		return timeline.WriteText(w, t, timeline.TextOptions{Width: cmp.Or(width, pipeWidth), Colour: colours(w), Pods: pods})
	case "html":
		return timeline.WriteHTML(w, t)
	case "json":
		return printJSON(w, t)
	}
	return fmt.Errorf("-o %q is none of text, html, json", output)
}

// pipeWidth is how many columns a timeline takes that no terminal shows.
const pipeWidth = 120

// maxReport bounds the size of a report that is read, in bytes.
const maxReport = 256 << 20

// readTimeline reads the timeline of a report; "" is that of the last rehearsal.
func readTimeline(file string) (*timeline.Timeline, error) {
	if file == "" {
		var err error
		if file, err = lastReport(); err != nil {
			return nil, err
		}
	}
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the report of a rehearsal: %w: run hearth rehearse first", err)
	}
	if err != nil {
		return nil, fmt.Errorf("read the report of a rehearsal: %w", err)
	}
	defer f.Close()
	var report struct {
		Timeline *timeline.Timeline `json:"timeline"`
	}
	if err := json.NewDecoder(io.LimitReader(f, maxReport)).Decode(&report); err != nil {
		return nil, fmt.Errorf("read the report of a rehearsal %s: %w", file, err)
	}
	if report.Timeline == nil {
		return nil, fmt.Errorf("read the report of a rehearsal %s: it has no timeline: write one with hearth rehearse -o json", file)
	}
	return report.Timeline, nil
}

// lastReport is where the last rehearsal's report is kept.
func lastReport() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the folder of the last rehearsal's report: %w", err)
	}
	return filepath.Join(dir, "hearth", "last-rehearsal.json"), nil
}

// keepReport keeps a report for hearth timeline. It is replaced as a whole, so
// that a reader never sees half of it.
func keepReport(r *rehearsal.Report) error {
	file, err := lastReport()
	if err != nil {
		return err
	}
	text, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("keep the rehearsal's report: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return fmt.Errorf("keep the rehearsal's report: %w", err)
	}
	temporary, err := os.CreateTemp(filepath.Dir(file), "report-")
	if err != nil {
		return fmt.Errorf("keep the rehearsal's report: %w", err)
	}
	_, err = temporary.Write(text)
	if err = errors.Join(err, temporary.Close()); err == nil {
		err = os.Rename(temporary.Name(), file)
	}
	if err != nil {
		os.Remove(temporary.Name())
		return fmt.Errorf("keep the rehearsal's report: %w", err)
	}
	return nil
}
