package helm

import (
	"bytes"
	"fmt"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"hearth/internal/render/helm/yamltext"
)

// PostRender changes what a chart's templates made, before it is put in order.
// The zero value changes nothing. What stands in the chart's crds folder does
// not pass it.
type PostRender struct {
	// Run returns the objects as they shall be; it may change those it gets.
	Run func([]*unstructured.Unstructured) ([]*unstructured.Unstructured, error)
	// Strategy says what Run gets of hooks: Helm's "combined", which is the
	// default, "separate" or "nohooks".
	Strategy helmv2.PostRenderStrategy
}

func (p PostRender) apply(docs []document) ([]document, error) {
	if p.Run == nil {
		return docs, nil
	}
	switch p.Strategy {
	case helmv2.PostRenderStrategyCombined, "":
		return p.changed(docs)
	case helmv2.PostRenderStrategySeparate, helmv2.PostRenderStrategyNoHooks:
	default:
		return nil, fmt.Errorf("unknown post-render strategy: '%s'", p.Strategy)
	}
	hooks, rest := parted(docs)
	var err error
	if p.Strategy == helmv2.PostRenderStrategySeparate {
		if hooks, err = p.changed(hooks); err != nil {
			return nil, err
		}
	}
	if rest, err = p.changed(rest); err != nil {
		return nil, err
	}
	return append(hooks, rest...), nil
}

func (p PostRender) changed(docs []document) ([]document, error) {
	var objects []*unstructured.Unstructured
	for _, doc := range docs {
		objects = append(objects, doc.objects...)
	}
	objects, err := p.Run(objects)
	if err != nil {
		return nil, err
	}
	docs = nil
	for _, o := range objects {
		doc := document{kind: o.GetKind(), objects: []*unstructured.Unstructured{o}}
		if doc.annotated(o.GetAnnotations()) {
			docs = append(docs, doc)
		}
	}
	return docs, nil
}

// Stream writes objects as one YAML stream.
func Stream(objects []*unstructured.Unstructured) ([]byte, error) {
	var stream bytes.Buffer
	for _, o := range objects {
		text, err := yamltext.Must(o.Object)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", o.GetKind(), o.GetName(), err)
		}
		fmt.Fprintf(&stream, "---\n%s\n", text)
	}
	return stream.Bytes(), nil
}

// Objects reads the objects of a YAML stream; name is what errors call it.
func Objects(name string, stream []byte) ([]*unstructured.Unstructured, error) {
	return decode(nil, name, string(stream))
}
