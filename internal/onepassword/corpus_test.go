package onepassword_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	sigsyaml "sigs.k8s.io/yaml"

	"hearth/internal/api/externalsecrets/keys"
	"hearth/internal/api/externalsecrets/template"
	v1 "hearth/internal/api/externalsecrets/v1"
	"hearth/internal/onepassword"
)

// TestAssumedValuesServeARealHomelab makes up what the ExternalSecrets of a
// real repository need, and runs their templates over it.
func TestAssumedValuesServeARealHomelab(t *testing.T) {
	root := filepath.FromSlash("../../../shared/corpora")
	if _, err := os.Stat(root); err != nil {
		t.Skip("there is no ../shared/corpora beside the module")
	}
	n := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".yaml" {
			return err
		}
		for _, es := range externalSecretsIn(t, path) {
			n++
			t.Run(path+"/"+es.Name, func(t *testing.T) { runAssumed(t, es) })
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d ExternalSecrets", n)
	if n == 0 {
		t.Error("no ExternalSecret was found")
	}
}

func externalSecretsIn(t *testing.T, path string) []*v1.ExternalSecret {
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(data, []byte("kind: ExternalSecret")) {
		return nil
	}
	var all []*v1.ExternalSecret
	for documents := yaml.NewDecoder(bytes.NewReader(data)); ; {
		var document map[string]any
		if err := documents.Decode(&document); err != nil {
			if !errors.Is(err, io.EOF) {
				t.Logf("%s: %v", path, err)
			}
			return all
		}
		text, err := sigsyaml.Marshal(document)
		if err != nil {
			t.Fatal(err)
		}
		es := &v1.ExternalSecret{}
		if document["kind"] == "ExternalSecret" && sigsyaml.Unmarshal(text, es) == nil {
			all = append(all, es)
		}
	}
}

func runAssumed(t *testing.T, es *v1.ExternalSecret) {
	assumer := &onepassword.Assumer{}
	assumer.Want(onepassword.Needs(t.Context(), es, onepassword.NeedsOptions{})...)
	fields := map[string]string{}
	for _, from := range es.Spec.DataFrom {
		if from.Extract == nil {
			continue
		}
		values := map[string][]byte{}
		for _, f := range assumer.Fields("", from.Extract.Key) {
			values[f.Label] = []byte(f.Value.Reveal())
		}
		if len(values) == 0 {
			t.Errorf("the item %s was not made up", from.Extract.Key)
		}
		values, err := keys.Rewrite(t.Context(), from.Rewrite, values)
		if err != nil {
			t.Fatal(err)
		}
		for key, value := range values {
			fields[key] = string(value)
		}
	}
	for _, d := range es.Spec.Data {
		fields[d.SecretKey] = "x"
	}
	if es.Spec.Target.Template == nil {
		return
	}
	for key, text := range es.Spec.Target.Template.Data {
		// A placeholder of the repository's own substitution is no template.
		text = strings.ReplaceAll(text, "$${", "${")
		if _, err := template.Execute(t.Context(), template.Source{Name: key, Text: text}, fields); err != nil {
			t.Error(err)
		}
	}
}
