package draw

import "hearth/internal/graph"

// missing is the class that nodes are painted in which nothing makes.
const missing = "missing"

// colour is how a class is painted.
type colour struct{ fill, stroke string }

var colours = map[string]colour{
	string(graph.ClassKustomization):  {"#ddf4ff", "#0969da"},
	string(graph.ClassRelease):        {"#dafbe1", "#1a7f37"},
	string(graph.ClassWorkload):       {"#dafbe1", "#2da44e"},
	string(graph.ClassSource):         {"#f6f8fa", "#57606a"},
	string(graph.ClassChart):          {"#f6f8fa", "#8c959f"},
	string(graph.ClassImage):          {"#f6f8fa", "#8c959f"},
	string(graph.ClassExternalSecret): {"#fff8c5", "#9a6700"},
	string(graph.ClassStore):          {"#fff8c5", "#7d4e00"},
	string(graph.ClassItem):           {"#fff8c5", "#bf8700"},
	string(graph.ClassSecret):         {"#fff8c5", "#bf8700"},
	string(graph.ClassCertificate):    {"#fff8c5", "#9a6700"},
	string(graph.ClassDatabase):       {"#fbefff", "#8250df"},
	string(graph.ClassRoute):          {"#ffeff7", "#bf3989"},
	string(graph.ClassGateway):        {"#ffeff7", "#99286e"},
	string(graph.ClassStorage):        {"#fff1e5", "#bc4c00"},
	missing:                           {"#ffebe9", "#cf222e"},
}

func colourOf(class string) colour {
	if c, ok := colours[class]; ok {
		return c
	}
	return colour{"#ffffff", "#8c959f"}
}
