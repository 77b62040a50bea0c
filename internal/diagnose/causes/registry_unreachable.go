package causes

import (
	"regexp"
	"strings"

	"hearth/internal/diagnose"
)

var registryUnreachable = &diagnose.Cause{
	Name:     "registry-unreachable",
	Title:    "The registry cannot be reached",
	Symptom:  "Pods of one registry are PullingImages, or Failed in ImagePullBackOff.",
	Evidence: "The nodes' pulls end in timeouts, refused connections, unresolved names or the registry's own errors.",
	Why:      "No image can be pulled that no node has: the registry is down, or the nodes' DNS or way out is.",
	Fix:      "Wait for the registry, or repair the nodes' DNS and way out; a mirror such as Spegel helps what a node already has.",
	Yields:   true,
	Find:     func(s *diagnose.Search) { findPulls(s, "unreachable") },
}

// verdicts tell what a failed pull means, the first that fits.
var verdicts = []struct {
	name    string
	pattern *regexp.Regexp
}{
	{"limited", regexp.MustCompile(`(?i)429|too ?many ?requests|rate limit|pull rate`)},
	// containerd ends this sentence with "not found", too.
	{"platform", regexp.MustCompile(`(?i)no (?:match for platform|matching manifest)|does not match the specified platform`)},
	// Docker Hub, and containerd of it: the same sentence names both reasons.
	{"refused", regexp.MustCompile(`(?i)pull access denied|may require authorization`)},
	{"missing", regexp.MustCompile(`(?i)not found|manifest unknown|name unknown|repository does not exist|invalid reference format|couldn't parse image|InvalidImageName`)},
	{"refused", regexp.MustCompile(`(?i)unauthorized|denied|forbidden|authentication required|\b40[13]\b|FailedToRetrieveImagePullSecret`)},
	{"unreachable", regexp.MustCompile(`(?i)timeout|timed out|refused|no such host|no route|unreachable|i/o|EOF|reset by peer|x509|\b5\d\d\b|deadline|server misbehaving|temporary failure`)},
}

// findPulls reports the images that cannot be pulled for one reason.
func findPulls(s *diagnose.Search, verdict string) {
	for _, w := range waits(s) {
		if !w.pulling() {
			continue
		}
		text, says := pullMessage(s, w)
		if verdictOf(w, text) != verdict {
			continue
		}
		git := subject(s, w.pod)
		f := diagnose.Finding{
			Explains: []diagnose.Key{w.pod.Key}, Evidence: []diagnose.Evidence{says},
			Commands: diagnose.Show(w.pod.Key),
		}
		switch verdict {
		case "missing", "refused", "platform":
			f.Subject = diagnose.Key{Kind: "Image", Name: w.image}
			f.At = diagnose.Locus{Key: git.Key, Text: tagOf(w.image)}
			f.Sentence = "The image " + w.image + " of " + git.Ref().String() + " cannot be pulled: the registry does not know it."
			if verdict == "platform" {
				f.Sentence = "The image " + w.image + " of " + git.Ref().String() + " is not made for the node" + platformOf(s, w.pod) + "."
			}
			if verdict == "refused" {
				f.Sentence = "The image " + w.image + " of " + git.Ref().String() + " cannot be pulled: the registry refuses it."
				f.Confidence = diagnose.Medium
			}
		default:
			registry := registryOf(w.image)
			f.Subject = diagnose.Key{Kind: "Registry", Name: registry}
			f.At = diagnose.Locus{Key: git.Key, Text: repositoryOf(w.image)}
			f.Sentence = "The registry " + registry + " cannot be reached."
			if verdict == "limited" {
				f.Sentence = "The registry " + registry + " limits pulls at the moment."
			}
		}
		s.Report(f)
	}
}

// platformOf names the node of a pod, and what it is.
func platformOf(s *diagnose.Search, pod *diagnose.Object) string {
	name := pod.Text("spec", "nodeName")
	node := s.Get(diagnose.Node.Key("", name))
	if name == "" || node == nil {
		return ""
	}
	info := node.In("status", "nodeInfo")
	if info.Text("architecture") == "" {
		return " " + name
	}
	return " " + name + ", which is " + info.Text("operatingSystem") + "/" + info.Text("architecture")
}

func verdictOf(w waiting, text string) string {
	if w.reason == "InvalidImageName" {
		return "missing"
	}
	for _, v := range verdicts {
		if v.pattern.MatchString(strings.ReplaceAll(text, w.image, "")) {
			return v.name
		}
	}
	return ""
}

// registryOf returns the registry of an image's name.
func registryOf(image string) string {
	host, _, ok := strings.Cut(image, "/")
	if !ok || !strings.ContainsAny(host, ".:") && host != "localhost" {
		return "docker.io"
	}
	return host
}

// tagOf returns what is most telling of an image's name in a file: its tag,
// else its repository.
func tagOf(image string) string {
	name, _, _ := strings.Cut(image, "@")
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
		return name[i+1:]
	}
	return repositoryOf(image)
}

// repositoryOf returns an image's name without tag and digest.
func repositoryOf(image string) string {
	name, _, _ := strings.Cut(image, "@")
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
		name = name[:i]
	}
	return strings.TrimPrefix(strings.TrimPrefix(name, "docker.io/"), "library/")
}
