package settings

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// The bounds of what is read.
const (
	maxArguments = 1024
	maxArgument  = 8192
)

// environmentPrefix is what the names of environment variables begin with that
// stand for flags; several values stand on lines of their own.
const environmentPrefix = "EXTERNAL_DNS_"

// Parse reads arguments, and the environment for flags that they leave out.
// $(NAME) in an argument is replaced as the kubelet does.
func Parse(args []string, env map[string]string) (Settings, error) {
	s := Default()
	given, err := gather(args, env)
	if err != nil {
		return s, err
	}
	for key, value := range env {
		if name, ok := strings.CutPrefix(key, environmentPrefix); ok && len(value) <= maxArgument {
			name = strings.ToLower(strings.ReplaceAll(name, "_", "-"))
			if _, set := given[name]; !set && readerOf(name) != nil {
				given[name] = strings.Split(value, "\n")
			}
		}
	}
	var errs []error
	for _, name := range order(given) {
		if slices.Contains(unplayed, name) {
			s.Unplayed = append(s.Unplayed, "--"+name)
		}
		read := readerOf(name)
		if read == nil {
			continue
		}
		if err := read(&s, given[name]); err != nil {
			errs = append(errs, fmt.Errorf("--%s: %w", name, err))
		}
	}
	if s.Affix.Prefix != "" && s.Affix.Suffix != "" {
		errs = append(errs, errors.New("--txt-prefix and --txt-suffix exclude each other"))
	}
	if s.Registry == "txt" && s.OwnerID == "" {
		errs = append(errs, errors.New("--txt-owner-id is empty"))
	}
	return s, errors.Join(errs...)
}

// lastFlag takes away from what another flag names.
const lastFlag = "exclude-record-types"

// order returns the flags' names, in the order in which they are read.
func order(given map[string][]string) []string {
	names := slices.Sorted(maps.Keys(given))
	if i := slices.Index(names, lastFlag); i >= 0 {
		names = append(slices.Delete(names, i, i+1), lastFlag)
	}
	return names
}

// gather collects the values of each flag.
func gather(args []string, env map[string]string) (map[string][]string, error) {
	if len(args) > maxArguments {
		return nil, fmt.Errorf("%d arguments are more than %d", len(args), maxArguments)
	}
	given := map[string][]string{}
	for i := 0; i < len(args); i++ {
		arg := expand(args[i], env)
		if len(arg) > maxArgument {
			return nil, fmt.Errorf("an argument of %d bytes is longer than %d", len(arg), maxArgument)
		}
		flag, ok := strings.CutPrefix(arg, "--")
		if !ok || flag == "" {
			continue // the program itself, or what it does not know
		}
		name, value, assigned := strings.Cut(flag, "=")
		positive, negated := strings.CutPrefix(name, "no-")
		switch {
		case assigned:
		case negated && !takesValue(positive):
			name, value = positive, "false"
		case !takesValue(name):
			value = "true"
		case i+1 < len(args) && !strings.HasPrefix(args[i+1], "--"):
			i++
			value = expand(args[i], env)
		}
		given[name] = append(given[name], value)
	}
	return given, nil
}

// expand replaces $(NAME) by the environment's values; $$ is a dollar sign, and
// names that are not set stay as they are.
func expand(text string, env map[string]string) string {
	if !strings.Contains(text, "$") {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text) && b.Len() <= maxArgument; i++ {
		if text[i] != '$' || i+1 == len(text) {
			b.WriteByte(text[i])
			continue
		}
		if text[i+1] == '$' {
			b.WriteByte('$')
			i++
			continue
		}
		end := strings.IndexByte(text[i:], ')')
		if text[i+1] != '(' || end < 0 {
			b.WriteByte('$')
			continue
		}
		whole := text[i : i+end+1]
		if value, ok := env[whole[2:len(whole)-1]]; ok {
			b.WriteString(value)
		} else {
			b.WriteString(whole)
		}
		i += end
	}
	return b.String()
}
