package cli

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"hearth/internal/domain"
	"hearth/internal/rehearsal"
)

// stageFlags are the flags that rehearse and up share.
type stageFlags struct {
	cluster string
	pace    string
	offline bool
	images  bool
	sources []string
	vault   string
	assume  bool
	seed    uint64
	faults  []string
}

func (f *stageFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.cluster, "cluster", "", "the cluster to rehearse, where the repository has several")
	flags.StringVar(&f.pace, "pace", "instant", "how fast simulated pulls and starts play: instant, real, or a factor such as 60x")
	flags.BoolVar(&f.offline, "offline", false, "stay off the network: play charts that cannot be had by stand-ins")
	flags.BoolVar(&f.images, "verify-images", false, "look the pods' images up at their registries: that tag and digest exist, and suit the nodes")
	flags.StringArrayVar(&f.sources, "source", nil, "take the chart at a URL from a folder: oci://registry/chart=DIR (repeatable)")
	flags.StringVar(&f.vault, "vault", "", "the vault file that stands in for 1Password")
	flags.BoolVar(&f.assume, "assume-secrets", false, "make up what the vault file lacks")
	flags.StringArrayVar(&f.faults, "fault", nil, "let something go wrong: WHAT[=WHICH][@AFTER][..UNTIL], such as connect-down@settled..30s (repeatable; see hearth model faults)")
	flags.Uint64Var(&f.seed, "seed", 0, "what simulated durations and made-up values are drawn from (default that of .hearth.yaml, else 1)")
}

// options turns the flags and the verb's arguments into options.
func (f *stageFlags) options(p Process, args []string) (rehearsal.Options, error) {
	limitMemory()
	pace, err := domain.ParsePace(f.pace)
	if err != nil {
		return rehearsal.Options{}, err
	}
	sources, err := parseSources(f.sources)
	if err != nil {
		return rehearsal.Options{}, err
	}
	faults, err := parseFaults(f.faults)
	if err != nil {
		return rehearsal.Options{}, err
	}
	o := rehearsal.Options{
		Cluster:      f.cluster,
		Pace:         pace,
		Offline:      f.offline,
		VerifyImages: f.images,
		Sources:      sources,
		Vault:        f.vault,
		Seed:         f.seed,
		Faults:       faults,
		Kubernetes:   p.Kubernetes,

		AssumeSecrets: f.assume,
	}
	if len(args) > 0 {
		o.Path = args[0]
	}
	return o, nil
}

func parseSources(list []string) (map[string]string, error) {
	sources := map[string]string{}
	for _, s := range list {
		url, dir, ok := strings.Cut(s, "=")
		if !ok || url == "" || dir == "" {
			return nil, fmt.Errorf("--source %q is not of the form URL=DIR", s)
		}
		sources[url] = dir
	}
	return sources, nil
}

// parseFaults reads what is to go wrong; folders are relative to where the
// user stands.
func parseFaults(list []string) ([]domain.Fault, error) {
	var faults []domain.Fault
	for _, text := range list {
		fault, err := domain.ParseFault(text)
		if err != nil {
			return nil, fmt.Errorf("--fault: %w", err)
		}
		if fault.Kind == domain.FaultOverlay {
			if fault.Which, err = filepath.Abs(fault.Which); err != nil {
				return nil, err
			}
		}
		faults = append(faults, fault)
	}
	return faults, nil
}

// atMostOnePath is the argument check of verbs that take a repository.
func atMostOnePath(_ *cobra.Command, args []string) error {
	if len(args) > 1 {
		return fmt.Errorf("one repository path at most, not %d: %s", len(args), strings.Join(args, " "))
	}
	return nil
}
