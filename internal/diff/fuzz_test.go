package diff

import (
	"encoding/json"
	"io"
	"testing"
)

// FuzzFields holds that objects, whatever they hold, are compared: each is what
// it is itself, and every form can be written.
func FuzzFields(f *testing.F) {
	f.Add(`{"a":[{"name":"x"},{"name":"y"}]}`, `{"a":[{"name":"y","v":1}]}`)
	f.Add(`{"args":["a","b","c"]}`, `{"args":["b","c","d"],"metadata":{"labels":{"helm.sh/chart":"x"}}}`)
	f.Add(`{"ports":[{"port":1},{"port":1,"protocol":"UDP"}]}`, `{"ports":[{"port":1,"protocol":"TCP"}]}`)
	f.Fuzz(func(t *testing.T, before, after string) {
		var a, b map[string]any
		if json.Unmarshal([]byte(before), &a) != nil || json.Unmarshal([]byte(after), &b) != nil || a == nil || b == nil {
			return
		}
		if fields := fieldsOf(a, a); len(fields) > 0 {
			t.Errorf("an object differs from itself: %+v", fields)
		}
		fields := fieldsOf(a, b)
		o := &Object{Kind: Changed, Fields: fields, Before: a, After: b}
		r := &Report{Applications: []*Application{{Objects: []*Object{o}}}}
		for form, write := range forms {
			if err := write(io.Discard, r); err != nil {
				t.Errorf("%s: %v", form, err)
			}
		}
	})
}
