package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"hearth/internal/domain"
	"hearth/internal/rehearsal"
)

// longFlags are those of rehearsals that do not end once all has settled.
type longFlags struct {
	soak   time.Duration
	faults int
	chaos  []string
}

func (f *longFlags) register(flags *pflag.FlagSet) {
	flags.DurationVar(&f.soak, "soak", 0, "keep the homelab up for so long in model time, at a pace of 3600x unless --pace says otherwise, and report what was ever not ready")
	flags.IntVar(&f.faults, "soak-faults", 6, "how many faults the seed brings in a soak")
	flags.StringArrayVar(&f.chaos, "chaos", nil, "let the random faults of a seed happen one after another, or of seeds such as 1-20, and see whether the homelab comes back (repeatable)")
}

// asked reports whether any of them was given.
func (f *longFlags) asked() bool { return f.soak != 0 || len(f.chaos) > 0 }

// maxSoak bounds how long a soak may last, in model time.
const maxSoak = 366 * 24 * time.Hour

// run soaks the homelab, or brings chaos to it.
func (f *longFlags) run(ctx context.Context, p Process, o rehearsal.Options, pace string, output string) error {
	switch {
	case output != "text" && output != "json":
		return fmt.Errorf("-o %q: soak and chaos are told as text or json", output)
	case f.soak != 0 && len(f.chaos) > 0:
		return errors.New("--soak and --chaos exclude each other")
	case f.soak < 0 || f.soak > maxSoak:
		return fmt.Errorf("--soak %s is not between 0 and %s", f.soak, maxSoak)
	case f.faults < 0 || f.faults > 1000:
		return fmt.Errorf("--soak-faults %d is not between 0 and 1000", f.faults)
	}
	if len(f.chaos) > 0 {
		return runChaos(ctx, p, o, f.chaos, output)
	}
	if pace == "" {
		o.Pace = soakPace
	}
	o.Soak = &rehearsal.SoakOptions{Length: f.soak, Faults: f.faults}
	return runSoak(ctx, p, o, output)
}

// soakPace is how fast a soak is where nobody says: an hour in a second.
const soakPace domain.Pace = 3600

func runSoak(ctx context.Context, p Process, o rehearsal.Options, output string) error {
	stage, err := rehearsal.Open(ctx, o)
	if err != nil {
		return stageFailure(err)
	}
	defer func() {
		if err := stage.Close(); err != nil {
			fmt.Fprintf(p.Stderr, "hearth: %v\n", err)
		}
	}()
	report := stage.Soak(ctx)
	if output == "json" {
		err = printJSON(p.Stdout, report)
	} else {
		err = printSoak(p.Stdout, report)
	}
	if err != nil {
		return failure{exitFailed, fmt.Errorf("write the report: %w", err)}
	}
	if len(report.Broken) > 0 || report.Incomplete != "" {
		return failed
	}
	return nil
}

func printSoak(w io.Writer, r *rehearsal.SoakReport) error {
	var b strings.Builder
	for _, f := range r.Faults {
		fmt.Fprintf(&b, "! %s to %s  %s\n", modelTime(f.From), modelTime(f.To), printable(f.Fault))
	}
	if len(r.Outages) > 0 {
		b.WriteString("\nnot ready\n")
	}
	for _, o := range r.Outages {
		fmt.Fprintf(&b, "  %-10s %3d×  %s, longest %s\n", modelTime(o.Seconds), o.Times, printable(o.Ref.String()), o.Worst)
	}
	for _, d := range r.Broken {
		fmt.Fprintf(&b, "✗ %s is %s: %s\n", printable(d.Ref.String()), d.State, printable(d.Message))
	}
	if r.Incomplete != "" {
		fmt.Fprintf(&b, "! %s\n", printable(r.Incomplete))
	}
	var fired []string
	for _, what := range slices.Sorted(maps.Keys(r.Fired)) {
		fired = append(fired, fmt.Sprintf("%d× %s", r.Fired[what], what))
	}
	fmt.Fprintf(&b, "\nSoaked  %s of model time in %.1fs: %s\n", modelTime(r.ModelSeconds), r.WallSeconds, strings.Join(fired, ", "))
	_, err := io.WriteString(w, b.String())
	return err
}

// modelTime writes seconds of model time as hours and minutes.
func modelTime(seconds float64) string {
	d := time.Duration(seconds) * time.Second
	return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
}

// maxSeeds bounds how many seeds are tried in one run.
const maxSeeds = 10_000

// parseSeeds reads seeds, and ranges of them such as 1-20.
func parseSeeds(list []string) ([]uint64, error) {
	var seeds []uint64
	for _, text := range list {
		first, last, ranged := strings.Cut(text, "-")
		if !ranged {
			last = first
		}
		from, errFrom := strconv.ParseUint(first, 10, 64)
		to, errTo := strconv.ParseUint(last, 10, 64)
		if errFrom != nil || errTo != nil || to < from || to-from >= maxSeeds {
			return nil, fmt.Errorf("--chaos %q is neither a seed nor a range of up to %d such as 1-20", text, maxSeeds)
		}
		for seed := from; ; seed++ {
			seeds = append(seeds, seed)
			if seed == to {
				break
			}
		}
	}
	return seeds, nil
}

func runChaos(ctx context.Context, p Process, o rehearsal.Options, list []string, output string) error {
	seeds, err := parseSeeds(list)
	if err != nil {
		return err
	}
	rounds := []rehearsal.ChaosRound{}
	survived := true
	err = rehearsal.Chaos(ctx, o, seeds, func(r rehearsal.ChaosRound) {
		rounds = append(rounds, r)
		survived = survived && r.Survived()
		if output == "text" {
			printRound(p.Stdout, r)
		}
	})
	if err != nil {
		return stageFailure(err)
	}
	if output == "json" {
		err = printJSON(p.Stdout, rounds)
	} else {
		_, err = fmt.Fprintf(p.Stdout, "\n%d faults of %d seeds\n", len(rounds), len(seeds))
	}
	if err != nil {
		return failure{exitFailed, fmt.Errorf("write the report: %w", err)}
	}
	if !survived {
		return failed
	}
	return nil
}

func printRound(w io.Writer, r rehearsal.ChaosRound) {
	mark, colour := "✓", green
	if !r.Survived() {
		mark, colour = "✗", red
	}
	fmt.Fprintf(w, "%s %3d  %s: %d down, back after %.1fs\n", painter(colours(w)).paint(colour, mark), r.Seed, printable(r.Fault), len(r.Down), r.BackSeconds)
	for _, ref := range r.Person {
		fmt.Fprintf(w, "       %s needed a person: it was out of retries\n", printable(ref.String()))
	}
	for _, d := range r.Broken {
		fmt.Fprintf(w, "       %s is %s: %s\n", printable(d.Ref.String()), d.State, printable(d.Message))
	}
}
