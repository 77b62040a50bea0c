package edit_test

import (
	"fmt"

	"hearth/internal/manifest/edit"
)

func ExampleApply() {
	text := `apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: web
spec:
  interval: "1hour" # too long a word
  dependsOn:
  - name: db
  values: &values {replicas: 1}
`
	edits := []edit.Edit{
		edit.Set("web.yaml", 1, []string{"spec", "interval"}, "1h"),
		edit.Set("web.yaml", 1, []string{"spec", "values", "replicas"}, 2),
		edit.Set("web.yaml", 1, []string{"metadata", "annotations", "reloader.stakater.com/auto"}, "true"),
		edit.Insert("web.yaml", 1, []string{"spec", "dependsOn"}, "- name: store\n  namespace: secrets"),
		edit.CommentAbove("web.yaml", 9, "hearth:ignore values-schema the chart has none"),
	}
	for _, e := range edits {
		fmt.Println(e)
	}
	changed, err := edit.Apply([]byte(text), edits...)
	if err != nil {
		fmt.Println(err)
	}
	fmt.Printf("\n%s", changed)
	// Output:
	// set spec.interval to 1h
	// set spec.values.replicas to 2
	// set metadata.annotations["reloader.stakater.com/auto"] to "true"
	// add {name: store, namespace: secrets} to spec.dependsOn
	// put the comment "# hearth:ignore values-schema the chart has none" above line 9
	//
	// apiVersion: helm.toolkit.fluxcd.io/v2
	// kind: HelmRelease
	// metadata:
	//   name: web
	//   annotations:
	//     reloader.stakater.com/auto: "true"
	// spec:
	//   interval: "1h" # too long a word
	//   dependsOn:
	//   - name: db
	//   - name: store
	//     namespace: secrets
	//   # hearth:ignore values-schema the chart has none
	//   values: &values {replicas: 2}
}

func ExampleRefusal() {
	text := "first: &wait 5m\nsecond: *wait\n"
	_, err := edit.Apply([]byte(text), edit.Set("web.yaml", 1, []string{"first"}, "1m"))
	fmt.Println(err)
	// Output: web.yaml:1: cannot set first to 1m: its anchor (&wait) is used elsewhere, and would change there, too
}
