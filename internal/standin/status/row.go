package status

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/labels"

	"hearth/internal/domain"
	"hearth/internal/standin/operator"
)

// Row says how the objects of one kind are played.
type Row struct {
	// Group and Kind name the kind, in all its versions. A Kind of "*" stands
	// for all kinds of the group that have no row of their own. Rows of
	// batch/Job say what Jobs that run one of Images make once they have
	// succeeded; only Objects counts for them, and what is made is kept.
	Group string `yaml:"group"`
	Kind  string `yaml:"kind"`

	// Leave says that nothing is to be done: the kind is plain configuration,
	// or somebody else sees to it.
	Leave bool `yaml:"leave,omitempty"`

	// Operator is who is played, for the list of assumptions; "" is the group.
	Operator string `yaml:"operator,omitempty"`
	// Pods is a label selector of the operator's own pods, in any namespace.
	// Where there are none, Images finds them by the end of an image's name
	// without its tag, such as "rook/ceph". While no such pod is ready, the
	// operator does nothing; one with neither always works.
	Pods   string   `yaml:"pods,omitempty"`
	Images []string `yaml:"images,omitempty"`
	// Delay is the span of time the operator takes, at real pace.
	Delay Delay `yaml:"delay,omitempty"`

	// Conditions are set in status.conditions; others there are kept.
	Conditions []operator.Condition `yaml:"conditions,omitempty"`
	// Status is a CEL expression that yields a map, which is merged into the
	// object's status. Its variable self is the object.
	Status string `yaml:"status,omitempty"`
	// Objects is a CEL expression that yields a list of objects, which are made
	// where they are missing, in the object's namespace unless they name one.
	Objects string `yaml:"objects,omitempty"`
	// Keep says that the objects made outlive the object that they are made for.
	Keep bool `yaml:"keep,omitempty"`

	line int // where the row begins, from 1; 0 is unknown
}

// Delay is a span of time.
type Delay struct {
	Min Duration `yaml:"min"`
	Max Duration `yaml:"max"`
}

func (d Delay) span() domain.Range {
	return domain.Range{Min: time.Duration(d.Min), Max: time.Duration(d.Max)}
}

// Duration is written as Go does: "90s", "1m30s".
type Duration time.Duration

// UnmarshalYAML reads a duration.
func (d *Duration) UnmarshalYAML(node *yaml.Node) error {
	parsed, err := time.ParseDuration(node.Value)
	if err != nil || parsed < 0 || parsed > 24*time.Hour {
		return fmt.Errorf("line %d: %q is no duration between 0s and 24h", node.Line, node.Value)
	}
	*d = Duration(parsed)
	return nil
}

// maxTable bounds a table's size, in bytes.
const maxTable = 1 << 20

// Parse reads rows from YAML: a list, strictly. Errors name the line.
func Parse(content []byte) ([]Row, error) {
	if len(content) > maxTable {
		return nil, fmt.Errorf("a table of stand-ins may have %d bytes, this one has %d", maxTable, len(content))
	}
	var document yaml.Node
	if err := yaml.Unmarshal(content, &document); err != nil {
		return nil, fmt.Errorf("read the table of stand-ins: %w", err)
	}
	if len(document.Content) == 0 {
		return nil, nil
	}
	list := document.Content[0]
	if list.Kind != yaml.SequenceNode {
		return nil, fmt.Errorf("read the table of stand-ins: line %d: it is no list of rows", list.Line)
	}
	var rows []Row
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	decoder.KnownFields(true)
	if err := decoder.Decode(&rows); err != nil {
		return nil, fmt.Errorf("read the table of stand-ins: %w", err)
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.New("read the table of stand-ins: more than one document")
	}
	for i := range rows {
		rows[i].line = list.Content[i].Line
		if _, err := compile(rows[i]); err != nil {
			return nil, fmt.Errorf("read the table of stand-ins: line %d: %w", rows[i].line, err)
		}
	}
	return rows, nil
}

// check says what is wrong with a row, but for its expressions.
func (r Row) check() error {
	switch {
	case r.Group == "":
		return errors.New("a row has to name its group")
	case r.Kind == "":
		return fmt.Errorf("a row of %s has to name its kind", r.Group)
	case r.Group == jobKind.Group && r.Kind == jobKind.Kind && (len(r.Images) == 0 || r.Objects == "" && !r.Leave):
		return errors.New("a row of batch Jobs has to name the images that they run, and the objects that they make")
	case r.Delay.Max < r.Delay.Min:
		return fmt.Errorf("%s.%s: the longest delay is shorter than the shortest", r.Kind, r.Group)
	}
	if _, err := labels.Parse(r.Pods); err != nil {
		return fmt.Errorf("%s.%s: %q is no label selector: %w", r.Kind, r.Group, r.Pods, err)
	}
	for _, c := range r.Conditions {
		if c.Type == "" {
			return fmt.Errorf("%s.%s: a condition has to name its type", r.Kind, r.Group)
		}
		switch c.Status {
		case "", "True", "False", "Unknown":
		default:
			return fmt.Errorf("%s.%s: the status of condition %s is %q, which is none of True, False, Unknown", r.Kind, r.Group, c.Type, c.Status)
		}
	}
	return nil
}
