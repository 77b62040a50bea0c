package cli

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"hearth/internal/secrets"
)

func newSecretsVerifyCommand(p Process) *cobra.Command {
	var (
		f      vaultFlags
		output string
		noLock bool
	)
	cmd := &cobra.Command{
		Use:   "verify [PATH]",
		Short: "Say which items and fields that a homelab needs are missing, misspelt, in the wrong vault, or unused",
		Long: `Hold what a homelab needs of 1Password against a Connect server or a vault file:
what is missing, misspelt, there twice or in a vault that the store does not
search, and what nothing uses. Only names are compared and shown. The names of
what the homelab needs are written into ` + secrets.LockFile + `, from which
check and rehearsals without a vault know them. Exit code 0: all is there; 1:
something is missing; 2: misuse, or vaults that cannot be read.`,
		Args: atMostOnePath,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkForm(output, "text", "json"); err != nil {
				return err
			}
			given := folderArg(args)
			surveys, done, err := onHomelab(p, given, "verifying", func(path string) ([]*secrets.Survey, error) {
				noLock = noLock || given == "" && path != "." // the example is thrown away
				return f.looked(cmd.Context(), path)
			})
			defer done()
			if err != nil {
				return err
			}
			err = verify(p.Stdout, output, surveys)
			if noLock {
				return err
			}
			return cmp.Or(relock(p.Stderr, surveys, false), err)
		},
	}
	f.register(cmd.Flags())
	cmd.Flags().StringVarP(&output, "output", "o", "text", "the form of the report: text or json")
	cmd.Flags().BoolVar(&noLock, "no-lock", false, "leave "+secrets.LockFile+" as it is")
	return cmd
}

// relock writes the lock, and says so where it changed or that is always wanted.
func relock(w io.Writer, surveys []*secrets.Survey, always bool) error {
	if len(surveys) == 0 {
		return nil
	}
	changed, err := secrets.Relock(surveys[0].State.Repository.Root, surveys)
	switch {
	case err != nil:
		return failure{exitFailed, err}
	case changed:
		fmt.Fprintf(w, "hearth: wrote %s\n", secrets.LockFile)
	case always:
		fmt.Fprintf(w, "hearth: %s is up to date\n", secrets.LockFile)
	}
	return nil
}

func verify(w io.Writer, output string, surveys []*secrets.Survey) error {
	problems := 0
	for _, s := range surveys {
		problems += len(s.Problems())
	}
	write := verifyText
	if output == "json" {
		write = verifyJSON
	}
	if err := write(w, surveys); err != nil {
		return failure{exitFailed, fmt.Errorf("write the report: %w", err)}
	}
	if problems > 0 {
		return failed
	}
	return nil
}

func verifyText(w io.Writer, surveys []*secrets.Survey) error {
	paint := painter(colours(w))
	var b strings.Builder
	for i, s := range surveys {
		if i > 0 {
			b.WriteByte('\n')
		}
		problems, unused := s.Problems(), s.Unused()
		for _, problem := range problems {
			fmt.Fprintf(&b, "%s\n  %s %s\n", problem.Place, paint.paint(red, "✗"), printable(problem.Sentence()))
		}
		for _, u := range unused {
			fmt.Fprintf(&b, "%s %s\n", paint.paint(faint, "unused"), printable(u.String()))
		}
		verdict := "all there"
		if len(problems) > 0 {
			verdict = fmt.Sprintf("%d missing", len(problems))
		}
		fmt.Fprintf(&b, "Cluster %s: %s of %s in %s; %d unused\n", s.State.Cluster.Name, verdict, counted(len(s.Needs), "need"), printable(s.Source.String()), len(unused))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// verified is a cluster in the JSON form.
type verified struct {
	Cluster  string        `json:"cluster"`
	Source   string        `json:"source"`
	Needs    int           `json:"needs"`
	Problems []jsonProblem `json:"problems"`
	Unused   []jsonUnused  `json:"unused"`
}

type jsonProblem struct {
	Fault   secrets.Fault `json:"fault"`
	Object  string        `json:"object,omitempty"`
	Item    string        `json:"item,omitempty"`
	Field   string        `json:"field,omitempty"`
	Near    string        `json:"near,omitempty"`
	Message string        `json:"message"`
	jsonPlace
}

type jsonUnused struct {
	Vault string `json:"vault"`
	Item  string `json:"item"`
	Field string `json:"field,omitempty"`
}

func verifyJSON(w io.Writer, surveys []*secrets.Survey) error {
	list := []verified{}
	for _, s := range surveys {
		v := verified{
			Cluster: s.State.Cluster.Name, Source: s.Source.String(), Needs: len(s.Needs),
			Problems: []jsonProblem{}, Unused: []jsonUnused{},
		}
		for _, p := range s.Problems() {
			v.Problems = append(v.Problems, jsonProblem{p.Fault, p.Who(), p.Item, p.Field, p.Near, p.Message, placeJSON(p.Place)})
		}
		for _, u := range s.Unused() {
			v.Unused = append(v.Unused, jsonUnused(u))
		}
		list = append(list, v)
	}
	return printJSON(w, list)
}
