package schema

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"hearth/internal/spelling"
)

// scalar holds a text, number or boolean against a schema.
func (c *check) scalar(v any, n *node) {
	if text, ok := v.(string); ok {
		c.text(text, n)
	} else if f, ok := number(v); ok {
		c.number(f, n)
	}
}

func (c *check) text(text string, n *node) {
	// The API server counts characters, not bytes.
	length := utf8.RuneCountInString(text)
	if n.MinLength != nil && length < *n.MinLength {
		if length == 0 {
			c.report(c.here()+" must not be empty", "")
		} else {
			c.report(c.here()+" has "+counted(length, "character")+"; at least "+strconv.Itoa(*n.MinLength)+" must be given", "")
		}
	}
	if n.MaxLength != nil && length > *n.MaxLength {
		c.report(c.here()+" has "+counted(length, "character")+"; at most "+strconv.Itoa(*n.MaxLength)+" may be given", "")
	}
	if n.Pattern != "" && !n.matches(text) {
		const longest = 120
		message := c.here() + " does not have the form that is wanted"
		if len(n.Pattern) <= longest {
			message += ": " + n.Pattern
		}
		c.report(message, "")
	}
	if what := c.malformed(text, n); what != "" {
		c.report(c.here()+" is no "+what, "")
	}
}

func (c *check) number(f float64, n *node) {
	switch {
	case n.Minimum != nil && (f < *n.Minimum || n.ExclusiveMinimum && f == *n.Minimum):
		word := "at least"
		if n.ExclusiveMinimum {
			word = "more than"
		}
		c.report(fmt.Sprintf("%s is too small: %s %s is wanted", c.here(), word, plainNumber(*n.Minimum)), "")
	case n.Maximum != nil && (f > *n.Maximum || n.ExclusiveMaximum && f == *n.Maximum):
		word := "at most"
		if n.ExclusiveMaximum {
			word = "less than"
		}
		c.report(fmt.Sprintf("%s is too large: %s %s is wanted", c.here(), word, plainNumber(*n.Maximum)), "")
	case n.Format == "int32" && (f < math.MinInt32 || f > math.MaxInt32):
		c.report(c.here()+" does not fit in 32 bits", "")
	}
	if n.MultipleOf != nil && *n.MultipleOf > 0 {
		if times := f / *n.MultipleOf; times != math.Trunc(times) {
			c.report(c.here()+" is no multiple of "+plainNumber(*n.MultipleOf), "")
		}
	}
}

func plainNumber(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// enum says that a value is none of those that are allowed. Kubernetes takes
// an empty text for nothing.
func (c *check) enum(v any, n *node) {
	if len(n.Enum) == 0 || c.builtIn && v == "" {
		return
	}
	var names []string
	for _, allowed := range n.Enum {
		if same(v, allowed) {
			return
		}
		if name := fmt.Sprint(allowed); name != "" && allowed != nil {
			names = append(names, name)
		}
	}
	subject, fix := c.here(), ""
	if text, ok := v.(string); ok && c.citable(text) {
		subject += " is `" + text + "`, which"
		if meant := spelling.Guess(text, names); meant != "" {
			fix = "write `" + meant + "`"
		}
	}
	before := len(c.problems)
	switch len(names) {
	case 0:
		c.report(subject+" is not allowed", fix)
	case 1:
		c.report(subject+" is not `"+names[0]+"`, the one allowed value", fix)
	default:
		c.report(subject+" is none of "+quoted(names, "and"), fix)
	}
	text, ok := v.(string)
	c.novel(before, ok && !slices.ContainsFunc(names, func(name string) bool { return strings.EqualFold(name, text) }))
}

// same compares two values as JSON does: 1 is 1.0.
func same(a, b any) bool {
	x, ok := number(a)
	y, too := number(b)
	if ok && too {
		return x == y
	}
	return reflect.DeepEqual(a, b)
}
