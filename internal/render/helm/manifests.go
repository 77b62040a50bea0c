package helm

import (
	"cmp"
	rawjson "encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode"

	release "helm.sh/helm/v4/pkg/release/v1"
	releaseutil "helm.sh/helm/v4/pkg/release/v1/util"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/yaml"
	sigsyaml "sigs.k8s.io/yaml"
)

// document is one document that the templates made, decoded once: Helm's own
// SortManifests decodes it to sort it, and again to apply it.
type document struct {
	kind    string
	hook    bool
	weight  int
	objects []*unstructured.Unstructured
}

// manifests decodes what the templates made: hooks by their weight, and then
// the others, both in the order Helm installs them.
func manifests(objects []*unstructured.Unstructured, files map[string]string, post PostRender) ([]*unstructured.Unstructured, error) {
	docs, err := documents(files)
	if err == nil {
		docs, err = post.apply(docs)
	}
	if err != nil {
		return nil, err
	}
	hooks, rest := parted(docs)
	slices.SortStableFunc(hooks, func(a, b document) int {
		return cmp.Or(cmp.Compare(a.weight, b.weight), compareKinds(a.kind, b.kind))
	})
	slices.SortStableFunc(rest, func(a, b document) int { return compareKinds(a.kind, b.kind) })
	for _, doc := range slices.Concat(hooks, rest) {
		objects = append(objects, doc.objects...)
	}
	return objects, nil
}

// parted tells hooks from the others.
func parted(docs []document) (hooks, rest []document) {
	for _, doc := range docs {
		if doc.hook {
			hooks = append(hooks, doc)
		} else {
			rest = append(rest, doc)
		}
	}
	return hooks, rest
}

// documents decodes files in the order of their names.
func documents(files map[string]string) ([]document, error) {
	var docs []document
	var names []string
	size := 0
	for name, content := range files {
		if size += len(content); size > maxRendered {
			return nil, fmt.Errorf("the chart renders more than %d MiB", maxRendered>>20)
		}
		if !strings.HasSuffix(name, "NOTES.txt") && !strings.HasPrefix(path.Base(name), "_") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		for _, text := range split(files[name]) {
			doc, kept, err := read(name, text)
			if err != nil {
				return nil, err
			}
			if kept {
				docs = append(docs, doc)
			}
		}
	}
	return docs, nil
}

// split divides a stream where a line begins with dashes, as Helm does.
func split(stream string) []string {
	var docs []string
	for stream = "\n" + stream; stream != ""; {
		doc := stream
		if end := strings.Index(stream, "\n---"); end >= 0 {
			doc, stream = stream[:end+1], stream[end+len("\n---"):]
		} else {
			stream = ""
		}
		if doc = strings.TrimLeftFunc(doc, unicode.IsSpace); doc != "" {
			docs = append(docs, doc)
		}
	}
	return docs
}

// read reads one document; kept is false for one that holds nothing, and for a
// hook of a sort that Helm does not know, and skips.
func read(name, text string) (doc document, kept bool, err error) {
	decoded, err := decodeFields(text)
	var head releaseutil.SimpleHead
	if err != nil || len(decoded) != 1 || !readHead(decoded[0], &head) {
		// Helm reads the head on its own, and says what is wrong with it.
		if err := sigsyaml.Unmarshal([]byte(text), &head); err != nil {
			return doc, false, fmt.Errorf("YAML parse error on %s: %w", name, err)
		}
	}
	if err != nil {
		return doc, false, fmt.Errorf("%s: %w", name, err)
	}
	for _, fields := range decoded {
		if doc.objects, err = expand(doc.objects, name, fields); err != nil {
			return doc, false, err
		}
	}
	doc.kind, kept = head.Kind, true
	if head.Metadata != nil {
		kept = doc.annotated(head.Metadata.Annotations)
	}
	return doc, kept && len(doc.objects) > 0, nil
}

// annotated reads from annotations whether a document is a hook; kept is false
// for one of a sort that Helm does not know.
func (doc *document) annotated(annotations map[string]string) (kept bool) {
	var events string
	if events, doc.hook = annotations[release.HookAnnotation]; !doc.hook {
		return true
	}
	doc.weight, _ = strconv.Atoi(annotations[release.HookWeightAnnotation])
	return knownEvents(events)
}

// readHead fills the head in from what was decoded; false where that is of
// other types than a head has.
func readHead(fields map[string]any, head *releaseutil.SimpleHead) bool {
	kind, kindOK := fields["kind"].(string)
	_, versionOK := fields["apiVersion"].(string)
	metadata, metadataOK := fields["metadata"].(map[string]any)
	_, nameOK := metadata["name"].(string)
	annotations, annotationsOK := metadata["annotations"].(map[string]any)
	_, annotated := metadata["annotations"]
	if !kindOK || !versionOK || !metadataOK || !nameOK || annotated && !annotationsOK {
		return false
	}
	for _, value := range annotations {
		if _, ok := value.(string); !ok {
			return false
		}
	}
	head.Kind = kind
	_, hook := annotations[release.HookAnnotation]
	return !hook // hooks are few, and read in full
}

// events are the moments at which Helm runs hooks.
var events = []release.HookEvent{
	release.HookPreInstall, release.HookPostInstall, release.HookPreDelete, release.HookPostDelete, release.HookPreUpgrade,
	release.HookPostUpgrade, release.HookPreRollback, release.HookPostRollback, release.HookTest, "test-success",
}

func knownEvents(list string) bool {
	for event := range strings.SplitSeq(list, ",") {
		if !slices.Contains(events, release.HookEvent(strings.ToLower(strings.TrimSpace(event)))) {
			return false
		}
	}
	return true
}

// compareKinds puts kinds in the order Helm installs them; those it does not
// know come last, by their names.
func compareKinds(a, b string) int {
	if a == b {
		return 0
	}
	rankA, rankB := slices.Index(releaseutil.InstallOrder, a), slices.Index(releaseutil.InstallOrder, b)
	switch {
	case rankA < 0 && rankB < 0:
		return strings.Compare(a, b)
	case rankA < 0:
		return 1
	case rankB < 0:
		return -1
	}
	return cmp.Compare(rankA, rankB)
}

// decode appends the objects of a YAML stream; lists are taken apart.
func decode(objects []*unstructured.Unstructured, name, content string) ([]*unstructured.Unstructured, error) {
	decoded, err := decodeFields(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	for _, fields := range decoded {
		if objects, err = expand(objects, name, fields); err != nil {
			return nil, err
		}
	}
	return objects, nil
}

// decodeFields decodes the documents of a YAML stream that hold anything. One
// in JSON, as some charts print, needs no YAML parser.
func decodeFields(content string) ([]map[string]any, error) {
	if strings.HasPrefix(content, "{") {
		fields := map[string]any{}
		if err := json.Unmarshal([]byte(content), &fields); err == nil && len(fields) > 0 {
			return []map[string]any{fields}, nil
		}
	}
	var decoded []map[string]any
	decoder := yaml.NewYAMLOrJSONDecoder(strings.NewReader(content), 4096)
	for {
		var raw rawjson.RawMessage
		err := decoder.Decode(&raw)
		if errors.Is(err, io.EOF) {
			return decoded, nil
		}
		fields := map[string]any{}
		if err == nil && len(raw) > 0 {
			// Unlike the standard library's, it keeps whole numbers whole.
			err = json.Unmarshal(raw, &fields)
		}
		if err != nil {
			return nil, err
		}
		if len(fields) > 0 {
			decoded = append(decoded, fields)
		}
	}
}

// expand appends an object, or the items of a list.
func expand(objects []*unstructured.Unstructured, name string, fields map[string]any) ([]*unstructured.Unstructured, error) {
	obj := &unstructured.Unstructured{Object: fields}
	if obj.GetKind() == "" || obj.GetAPIVersion() == "" {
		return nil, fmt.Errorf("%s: an object without apiVersion or kind", name)
	}
	if !obj.IsList() {
		return append(objects, obj), nil
	}
	err := obj.EachListItem(func(item runtime.Object) error {
		objects = append(objects, item.(*unstructured.Unstructured))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return objects, nil
}
