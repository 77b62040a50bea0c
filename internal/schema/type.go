package schema

import (
	"math"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
)

// quantity is how the embedded schemas mark amounts such as 500m and 10Gi.
const quantity = "quantity"

// typed reports whether a value is of the type that the schema wants, and says
// so where it is not.
func (c *check) typed(v any, n *node) bool {
	switch {
	case n.Format == quantity && c.builtIn:
		return c.quantity(v)
	case n.IntOrString:
		_, text := v.(string)
		if !text && !isWhole(v) {
			c.mismatch(v, n)
			return false
		}
		return true
	}
	ok := true
	switch n.Type {
	case "object":
		_, ok = v.(map[string]any)
	case "array":
		_, ok = v.([]any)
	case "string":
		_, ok = v.(string)
	case "boolean":
		_, ok = v.(bool)
	case "integer":
		ok = isWhole(v)
	case "number":
		_, ok = number(v)
	}
	if !ok {
		c.mismatch(v, n)
	}
	return ok
}

// mismatch says that a value is of the wrong type. It never tells the value.
func (c *check) mismatch(v any, n *node) {
	fix := ""
	switch v := v.(type) {
	case string:
		switch n.Type {
		case "integer", "number":
			if _, err := strconv.ParseFloat(v, 64); err == nil {
				fix = "write the number without quotes"
			}
		case "boolean":
			if b, ok := truth[strings.ToLower(v)]; ok {
				fix = "write " + strconv.FormatBool(b) + ", without quotes"
			}
		}
	case bool, int64, float64, int:
		if n.Type == "string" {
			fix = "put the value in quotes"
		}
	case map[string]any:
		if n.Type == "array" {
			fix = "begin each item with a dash"
		}
	case []any:
		if n.Type == "object" {
			fix = "leave out the dash"
		}
	}
	c.report(c.here()+" is "+shape(v)+"; "+wanted(n)+" is wanted", fix)
}

// truth are the words that older YAML takes for a boolean.
var truth = map[string]bool{"true": true, "yes": true, "on": true, "y": true, "false": false, "no": false, "off": false, "n": false}

func (c *check) quantity(v any) bool {
	text, ok := v.(string)
	if !ok {
		if _, ok := number(v); ok {
			return true
		}
		c.report(c.here()+" is "+shape(v)+"; a quantity is wanted, such as 500m or 10Gi", "")
		return false
	}
	if _, err := resource.ParseQuantity(text); err != nil {
		cited := ""
		if c.citable(text) {
			cited = " `" + text + "`"
		}
		c.report(c.here()+" is no quantity"+cited+": a number and one of the units m, k, M, G, T, P, E, Ki, Mi, Gi, Ti, Pi, Ei is wanted", "")
		return false
	}
	return true
}

// shape names what a value is.
func shape(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case map[string]any:
		return "a mapping"
	case []any:
		return "a list"
	case string:
		return "a text"
	case bool:
		return "a boolean"
	default:
		if f, ok := number(v); ok && f == math.Trunc(f) {
			return "a whole number"
		}
		return "a number"
	}
}

// wanted names what a schema wants.
func wanted(n *node) string {
	if n.IntOrString {
		return "a whole number or a text"
	}
	switch n.Type {
	case "object":
		return "a mapping"
	case "array":
		return "a list"
	case "string":
		return "a text"
	case "boolean":
		return "true or false"
	case "integer":
		return "a whole number"
	}
	return "a number"
}

// number returns a value that is one.
func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	case int:
		return float64(v), true
	}
	return 0, false
}

func isWhole(v any) bool {
	f, ok := number(v)
	return ok && f == math.Trunc(f) && !math.IsInf(f, 0)
}
