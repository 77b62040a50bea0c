package draw

import (
	"encoding/json"
	"io"

	"hearth/internal/graph"
)

// The JSON of a graph. Names are part of the interface.
type (
	jsonGraph struct {
		Cluster string     `json:"cluster"`
		Nodes   []jsonNode `json:"nodes"`
		Edges   []jsonEdge `json:"edges"`
	}
	jsonNode struct {
		ID            string      `json:"id"`
		Class         graph.Class `json:"class"`
		Group         string      `json:"group,omitempty"`
		Kind          string      `json:"kind"`
		Namespace     string      `json:"namespace,omitempty"`
		Name          string      `json:"name"`
		File          string      `json:"file,omitempty"`
		Line          int         `json:"line,omitempty"`
		Kustomization string      `json:"kustomization,omitempty"` // NAMESPACE/NAME
		Missing       bool        `json:"missing,omitempty"`
		Doubt         string      `json:"doubt,omitempty"`
	}
	jsonEdge struct {
		From string         `json:"from"`
		To   string         `json:"to"`
		Kind graph.EdgeKind `json:"kind"`
		Hard bool           `json:"hard"`
		Why  string         `json:"why"`
		File string         `json:"file,omitempty"`
		Line int            `json:"line,omitempty"`
	}
	jsonImpact struct {
		Cluster string    `json:"cluster"`
		Object  jsonNode  `json:"object"`
		Hits    []jsonHit `json:"hits"`
	}
	jsonHit struct {
		jsonNode
		Effect graph.Effect `json:"effect"`
		Why    string       `json:"why"`
		Path   []jsonEdge   `json:"path"`
	}
)

// JSON writes a network of a cluster.
func JSON(w io.Writer, cluster string, n *graph.Network) error {
	g := jsonGraph{Cluster: cluster, Nodes: []jsonNode{}, Edges: []jsonEdge{}}
	for _, node := range n.Nodes {
		g.Nodes = append(g.Nodes, nodeJSON(node))
	}
	for _, e := range n.Edges {
		g.Edges = append(g.Edges, edgeJSON(e))
	}
	return encode(w, g)
}

// ImpactJSON writes what the failure of an object does.
func ImpactJSON(w io.Writer, cluster string, failed *graph.Node, hits []graph.Hit) error {
	impact := jsonImpact{Cluster: cluster, Object: nodeJSON(failed), Hits: []jsonHit{}}
	for _, h := range hits {
		hit := jsonHit{jsonNode: nodeJSON(h.Node), Effect: h.Effect, Why: h.Sentence(), Path: []jsonEdge{}}
		for _, e := range h.Path {
			hit.Path = append(hit.Path, edgeJSON(e))
		}
		impact.Hits = append(impact.Hits, hit)
	}
	return encode(w, impact)
}

func nodeJSON(n *graph.Node) jsonNode {
	place := n.Place()
	j := jsonNode{
		ID: n.ID, Class: n.Class, Group: n.Group, Kind: n.Ref.Kind, Namespace: n.Ref.Namespace, Name: n.Ref.Name,
		File: place.File, Line: place.Line, Missing: n.Missing, Doubt: n.Doubt,
	}
	if k := n.Kustomization; k != nil {
		j.Kustomization = k.Namespace + "/" + k.Name
	}
	return j
}

func edgeJSON(e *graph.Edge) jsonEdge {
	place := e.Place()
	return jsonEdge{From: e.From.ID, To: e.To.ID, Kind: e.Kind, Hard: e.Hard, Why: e.Why, File: place.File, Line: place.Line}
}

func encode(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(v)
}
