package routing

import (
	"net"
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
)

// meet tells whether two hostnames have a name in common. A wildcard stands for
// one label or more, as in the Gateway API. Where a part is not known from the
// tree, only what surely differs differs.
func (n *network) meet(a, b string) (ok, known bool) {
	if hostsMeet(a, b) {
		return true, true
	}
	if !n.State.Unknown(a) && !n.State.Unknown(b) {
		return false, true
	}
	ends, endsOf := knownEnd(a), knownEnd(b)
	return false, !strings.HasSuffix(ends, endsOf) && !strings.HasSuffix(endsOf, ends)
}

func hostsMeet(a, b string) bool {
	suffix, wild := strings.CutPrefix(a, "*")
	other, otherWild := strings.CutPrefix(b, "*")
	switch {
	case wild && otherWild:
		return strings.HasSuffix(suffix, other) || strings.HasSuffix(other, suffix)
	case wild:
		return strings.HasSuffix(b, suffix)
	case otherWild:
		return strings.HasSuffix(a, other)
	}
	return a == b
}

// placeholder is what stands in a text for a value that is not known.
var placeholder = regexp.MustCompile(`unknown-[a-z0-9-]*\.invalid`)

// knownEnd returns what surely stands at the end of a hostname.
func knownEnd(host string) string {
	if at := placeholder.FindAllStringIndex(host, -1); len(at) > 0 {
		return host[at[len(at)-1][1]:]
	}
	return strings.TrimPrefix(host, "*")
}

// nameFault says why a text is no hostname of the Gateway API; "" where it is
// one, where it may be one, and where a template is left in it, which is
// another rule's to say.
func (n *network) nameFault(host string) string {
	if strings.Contains(host, "${") || strings.Contains(host, "{{") {
		return ""
	}
	switch {
	case host == "":
		return "it is empty"
	case isAddress(host):
		return "" // told apart, since the API server takes it
	case strings.Contains(host, "://"):
		return "leave the scheme out"
	case strings.ContainsAny(host, "/"):
		return "leave the path out"
	case strings.ContainsAny(host, ":"):
		return "leave the port out"
	case strings.ContainsAny(host, " \t"):
		return "it holds a space"
	case strings.ToLower(host) != host:
		return "write it in lower case"
	case strings.ContainsAny(host, "_"):
		return "it holds an underscore"
	case n.State.Unknown(host):
		return ""
	}
	return shapeFault(host)
}

// shapeFault judges a hostname that is known in full.
func shapeFault(host string) string {
	name := strings.TrimPrefix(host, "*.")
	switch {
	case strings.Contains(name, "*"):
		return `a wildcard can only be its first label, as in "*.example.com"`
	case strings.HasSuffix(name, "."):
		return "leave the dot at its end out"
	case len(validation.IsDNS1123Subdomain(name)) > 0:
		return "its labels are letters, digits and hyphens between dots, 253 characters at most"
	}
	return ""
}

// isAddress reports whether a hostname is an IP address.
func isAddress(host string) bool { return net.ParseIP(host) != nil }
