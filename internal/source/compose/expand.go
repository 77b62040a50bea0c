package compose

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"

	generator "github.com/fluxcd/source-watcher/api/v2/v1beta1"
	"k8s.io/apimachinery/pkg/api/validation"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
)

// maxOutputs is how many artifacts one generator may make.
const maxOutputs = 1000

// Output is an artifact to make, and the labels that a pattern gives it.
type Output struct {
	generator.OutputArtifact
	Labels map[string]string
}

// Expand returns the artifacts that a generator asks for: those of its spec, or
// where it has a pattern, those for each folder of the source that fits, in the
// order of their paths. Any error lies in the spec, or in the names of folders,
// so that trying again does not mend it.
func Expand(spec *generator.ArtifactGeneratorSpec, sources map[string]string) ([]Output, error) {
	var outputs []Output
	if spec.PathPattern == "" {
		for _, artifact := range spec.OutputArtifacts {
			outputs = append(outputs, Output{OutputArtifact: artifact})
		}
		return outputs, nil
	}
	folders, err := fitting(spec.PathPattern, sources)
	if err != nil {
		return nil, fmt.Errorf("pathPattern %q: %w", spec.PathPattern, err)
	}
	made := map[string]string{}
	for _, folder := range folders {
		for _, artifact := range spec.OutputArtifacts {
			output, err := folder.output(artifact)
			if err != nil {
				return nil, fmt.Errorf("pathPattern %q: artifact %s for %s: %w", spec.PathPattern, artifact.Name, folder.path, err)
			}
			if other, ok := made[output.Name]; ok {
				return nil, fmt.Errorf("pathPattern %q: directories %q and %q both resolve to artifact name %q", spec.PathPattern, other, folder.path, output.Name)
			}
			if made[output.Name] = folder.path; len(made) > maxOutputs {
				return nil, fmt.Errorf("pathPattern %q: it asks for more than %d artifacts", spec.PathPattern, maxOutputs)
			}
			outputs = append(outputs, output)
		}
	}
	return outputs, nil
}

// folder is one that a pattern fits.
type folder struct {
	path     string
	captured map[string]string // as in the path
}

// fitting returns the folders that a pattern fits.
func fitting(pattern string, sources map[string]string) ([]folder, error) {
	alias, text, err := Split(pattern)
	if err != nil {
		return nil, err
	}
	dir, ok := sources[alias]
	if !ok {
		return nil, fmt.Errorf("source alias '%s' not found", alias)
	}
	parts, err := parse(text)
	if err != nil {
		return nil, err
	}
	fits, err := compile(parts)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	var found []folder
	err = fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() || name == "." {
			return err
		}
		if match := fits.FindStringSubmatch(name); match != nil {
			captured := map[string]string{}
			for i, name := range fits.SubexpNames()[1:] {
				captured[name] = match[i+1]
			}
			found = append(found, folder{name, captured})
		}
		return nil
	})
	return found, err
}

// part is a text, or a capture such as {app}.
type part struct {
	text    string
	capture bool
}

var captureName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// parse takes a template apart.
func parse(template string) ([]part, error) {
	var parts []part
	for template != "" {
		at := strings.IndexAny(template, "{}")
		if at < 0 {
			return append(parts, part{text: template}), nil
		}
		end := strings.IndexByte(template, '}')
		if template[at] == '}' || end < 0 {
			return nil, errors.New("a capture has only one of its braces")
		}
		name := template[at+1 : end]
		if !captureName.MatchString(name) {
			return nil, fmt.Errorf("%q is no name of a capture: letters, digits and underscores are", name)
		}
		parts = append(parts, part{text: template[:at]}, part{name, true})
		template = template[end+1:]
	}
	return parts, nil
}

// compile makes an expression of a pattern. A capture stands for a name, or a
// part of one.
func compile(parts []part) (*regexp.Regexp, error) {
	var text strings.Builder
	seen := map[string]bool{}
	for _, part := range parts {
		if !part.capture {
			text.WriteString(regexp.QuoteMeta(part.text))
			continue
		}
		if seen[part.text] {
			return nil, fmt.Errorf("it captures %q twice", part.text)
		}
		if problems := utilvalidation.IsQualifiedName(part.text); len(problems) > 0 {
			return nil, fmt.Errorf("%q cannot be the key of a label: %s", part.text, strings.Join(problems, "; "))
		}
		seen[part.text] = true
		fmt.Fprintf(&text, "(?P<%s>[^/]+)", part.text)
	}
	return regexp.Compile("^" + text.String() + "$")
}

// output fills the captures into an artifact: as they are in paths, in small
// letters in its name and labels.
func (f folder) output(artifact generator.OutputArtifact) (Output, error) {
	labels := map[string]string{}
	for name, value := range f.captured {
		labels[name] = strings.ToLower(value)
		if problems := utilvalidation.IsValidLabelValue(labels[name]); len(problems) > 0 {
			return Output{}, fmt.Errorf("%q cannot be the value of a label: %s", labels[name], strings.Join(problems, "; "))
		}
	}
	name, err := fill(artifact.Name, labels)
	if err != nil {
		return Output{}, err
	}
	if problems := validation.NameIsDNSSubdomain(name, false); len(problems) > 0 {
		return Output{}, fmt.Errorf("%q cannot be the name of an object: %s", name, strings.Join(problems, "; "))
	}
	output := Output{OutputArtifact: *artifact.DeepCopy(), Labels: labels}
	output.Name = name
	for i := range output.Copy {
		from, errFrom := fill(output.Copy[i].From, f.captured)
		to, errTo := fill(output.Copy[i].To, f.captured)
		if err := errors.Join(errFrom, errTo); err != nil {
			return Output{}, err
		}
		output.Copy[i].From, output.Copy[i].To = from, to
	}
	return output, nil
}

func fill(template string, captured map[string]string) (string, error) {
	parts, err := parse(template)
	if err != nil {
		return "", fmt.Errorf("%q: %w", template, err)
	}
	var text strings.Builder
	for _, part := range parts {
		value := part.text
		if part.capture {
			var ok bool
			if value, ok = captured[part.text]; !ok {
				return "", fmt.Errorf("%q: nothing captures %q", template, part.text)
			}
		}
		text.WriteString(value)
	}
	return text.String(), nil
}
