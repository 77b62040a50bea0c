package rehearsal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"hearth/internal/domain"
)

// Scenario is a game day: what goes wrong, what is to be seen of it, and
// whether the homelab comes back once it is over.
type Scenario struct {
	// Name says in a sentence what happens; empty is the file's name.
	Name string `yaml:"name"`
	// Cluster is the cluster that it happens to, where there are several.
	Cluster string `yaml:"cluster"`
	// Faults are what goes wrong, as --fault has it. Folders are relative to
	// the scenario's file.
	Faults []string `yaml:"faults"`
	// Expect is what is to be seen, all of it at one moment.
	Expect []Expectation `yaml:"expect"`
	// MoreCauses allows causes that are not expected.
	MoreCauses bool `yaml:"moreCauses"`
	// Stays are objects that a person has to put right after the faults are
	// lifted: KIND/NAMESPACE/NAME. Everything else has to come back by itself.
	Stays []string `yaml:"stays"`

	// File is where it was read from.
	File string `yaml:"-"`

	faults []domain.Fault
}

// Expectation is one thing to be seen. What is empty is not looked at.
type Expectation struct {
	// Object is who shows it: KIND/NAMESPACE/NAME, or a pattern of that: the
	// names of pods end in "*".
	Object string `yaml:"object"`
	// State is the state of the object.
	State string `yaml:"state"`
	// Message is part of what the object says.
	Message string `yaml:"message"`
	// Within is how long it may take to be seen; by default 1m.
	Within Within `yaml:"within"`
	// Cause is the name of the diagnosis that explains it.
	Cause string `yaml:"cause"`
	// At is the place in Git that the diagnosis names: FILE or FILE:LINE.
	At string `yaml:"at"`
}

// Within is a duration such as "90s".
type Within time.Duration

// maxWithin bounds how long a scenario may wait.
const maxWithin = time.Hour

// UnmarshalYAML reads a duration.
func (w *Within) UnmarshalYAML(node *yaml.Node) error {
	d, err := time.ParseDuration(node.Value)
	if err != nil || d <= 0 || d > maxWithin {
		return fmt.Errorf("line %d: within: %q is no duration of up to %s", node.Line, node.Value, maxWithin)
	}
	*w = Within(d)
	return nil
}

// maxScenario bounds the size of a scenario's file, in bytes.
const maxScenario = 1 << 20

// ParseScenario reads a scenario, strictly. Errors name file and line.
func ParseScenario(file string, text []byte) (*Scenario, error) {
	if len(text) > maxScenario {
		return nil, fmt.Errorf("%s: a scenario of %d bytes is longer than %d", file, len(text), maxScenario)
	}
	s := &Scenario{File: file}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(s); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: read the scenario: %w", file, err)
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: a scenario is one document, this file has more", file)
	}
	if s.Name == "" {
		s.Name = strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	}
	return s, s.check()
}

func (s *Scenario) check() error {
	switch {
	case len(s.Faults) == 0:
		return fmt.Errorf("%s: the scenario has no faults: say what goes wrong", s.File)
	case len(s.Expect) == 0:
		return fmt.Errorf("%s: the scenario expects nothing: say what is to be seen", s.File)
	}
	for i, text := range s.Faults {
		f, err := domain.ParseFault(text)
		if err != nil {
			return fmt.Errorf("%s: faults[%d]: %w", s.File, i, err)
		}
		if f.Kind == domain.FaultOverlay && !filepath.IsAbs(f.Which) {
			if f.Which, err = filepath.Abs(filepath.Join(filepath.Dir(s.File), f.Which)); err != nil {
				return err
			}
		}
		s.faults = append(s.faults, f)
	}
	s.faults = scheduled(s.faults)
	for i, e := range s.Expect {
		if err := e.check(); err != nil {
			return fmt.Errorf("%s: expect[%d]: %w", s.File, i, err)
		}
	}
	for _, name := range s.Stays {
		if strings.Count(name, "/") != 2 {
			return fmt.Errorf("%s: stays: %q is not of the form KIND/NAMESPACE/NAME", s.File, name)
		}
	}
	return nil
}

func (e Expectation) check() error {
	switch {
	case e.Object == "" && e.Cause == "":
		return errors.New("it names neither an object nor a cause")
	case e.Object != "" && strings.Count(e.Object, "/") != 2:
		return fmt.Errorf("object: %q is not of the form KIND/NAMESPACE/NAME", e.Object)
	case e.Object == "" && (e.State != "" || e.Message != ""):
		return errors.New("a state or a message needs an object that has it")
	case e.At != "" && e.Cause == "":
		return errors.New("a place in Git needs a cause that stands there")
	}
	if _, line, ok := strings.Cut(e.At, ":"); ok {
		if n, err := strconv.Atoi(line); err != nil || n < 1 {
			return fmt.Errorf("at: %q is not of the form FILE or FILE:LINE", e.At)
		}
	}
	return nil
}

// patience is how long a scenario waits for what it expects.
func (s *Scenario) patience() time.Duration {
	longest := time.Duration(0)
	for _, e := range s.Expect {
		within := time.Duration(e.Within)
		if within == 0 {
			within = time.Minute
		}
		longest = max(longest, within)
	}
	return longest
}

// fromHealthy reports whether all of its faults begin once all has settled, so
// that it may follow other scenarios on the same stage.
func (s *Scenario) fromHealthy() bool {
	for _, f := range s.faults {
		if !f.Settled {
			return false
		}
	}
	return true
}
