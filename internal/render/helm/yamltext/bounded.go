package yamltext

import "reflect"

// maxNodes is how many values a value may hold that is walked through.
const maxNodes = 1 << 20

// Bounded tells whether a value can be walked through without end in sight: one
// that holds itself cannot, nor can one that holds others many times over.
func Bounded(value any) bool {
	nodes := 0
	return bounded(value, 0, &nodes)
}

func bounded(value any, depth int, nodes *int) bool {
	if *nodes++; *nodes > maxNodes || depth > maxDepth {
		return false
	}
	switch v := value.(type) {
	case nil, bool, int, int64, float64:
		return true
	case string:
		*nodes += len(v) >> 4
		return true
	case map[string]any:
		for _, entry := range v {
			if !bounded(entry, depth+1, nodes) {
				return false
			}
		}
		return true
	case []any:
		for _, entry := range v {
			if !bounded(entry, depth+1, nodes) {
				return false
			}
		}
		return true
	}
	return boundedOther(reflect.ValueOf(value), depth, nodes)
}

func boundedOther(v reflect.Value, depth int, nodes *int) bool {
	switch v.Kind() {
	case reflect.Map:
		for entries := v.MapRange(); entries.Next(); {
			if e := entries.Value(); e.CanInterface() && !bounded(e.Interface(), depth+1, nodes) {
				return false
			}
		}
	case reflect.Slice, reflect.Array:
		if k := v.Type().Elem().Kind(); k != reflect.Interface && k != reflect.Map && k != reflect.Slice && k != reflect.String {
			*nodes += v.Len() >> 2
			return true
		}
		for i := range v.Len() {
			if e := v.Index(i); e.CanInterface() && !bounded(e.Interface(), depth+1, nodes) {
				return false
			}
		}
	}
	return true
}
