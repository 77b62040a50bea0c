package causes

import (
	"cmp"
	"regexp"
	"strings"

	"hearth/internal/diagnose"
	"hearth/internal/observe"
)

// condition is a condition of an object as evidence.
func condition(o *diagnose.Object, kind string) diagnose.Evidence {
	c := o.Condition(kind)
	return diagnose.Evidence{Object: o.Ref(), Field: "condition " + kind + "=" + c.Status, Text: joined(c.Reason, c.Message), Time: c.Since}
}

func joined(reason, message string) string {
	if reason == "" || message == "" {
		return reason + message
	}
	return reason + ": " + message
}

// event is an event as evidence.
func event(h observe.Happening) diagnose.Evidence {
	return diagnose.Evidence{Object: h.Object, Field: "event " + h.Reason, Text: h.Message, Time: h.Time}
}

// field is a field of an object as evidence.
func field(o *diagnose.Object, path, text string) diagnose.Evidence {
	return diagnose.Evidence{Object: o.Ref(), Field: path, Text: text}
}

// absent is evidence that an object does not exist.
func absent(k diagnose.Key) diagnose.Evidence {
	return diagnose.Evidence{Object: diagnose.RefOf(k), Field: "metadata", Text: "does not exist"}
}

// trouble is what an object says of its state.
func trouble(s *diagnose.Search, o *diagnose.Object) diagnose.Evidence {
	t := s.Trouble(o)
	if t == nil {
		return field(o, "status", "")
	}
	return diagnose.Evidence{Object: o.Ref(), Field: "state " + string(t.State), Text: t.Message, Time: t.Since}
}

// complaint is something that a controller says is wrong with an object.
type complaint struct {
	object *diagnose.Object
	text   string
	diagnose.Evidence
}

// complaints returns what the Flux objects in trouble complain of.
func complaints(s *diagnose.Search, kinds ...diagnose.Kind) []complaint {
	var list []complaint
	for _, o := range s.All(kinds...) {
		if s.Trouble(o) == nil {
			continue
		}
		c := o.Condition("Ready")
		if c.True() || c.Type == "" {
			continue
		}
		list = append(list, complaint{o, c.Message, condition(o, "Ready")})
		// What Helm said is in a condition of its own once the Ready one only
		// tells that retries are used up.
		if r := o.Condition("Released"); r.False() && r.Message != c.Message {
			list = append(list, complaint{o, r.Message, condition(o, "Released")})
		}
	}
	return list
}

// matching calls report for what complains in the words of a pattern.
func matching(s *diagnose.Search, pattern *regexp.Regexp, kinds []diagnose.Kind, report func(c complaint, groups []string)) {
	for _, c := range complaints(s, kinds...) {
		if groups := pattern.FindStringSubmatch(c.text); groups != nil {
			report(c, groups)
		}
	}
}

// appliers are the kinds that apply objects.
var appliers = []diagnose.Kind{diagnose.Kustomization, diagnose.HelmRelease}

// waiting is what a container waits for.
type waiting struct {
	pod                  *diagnose.Object
	container            string
	image                string
	reason, message      string
	index                int
	restarts, exit       int64
	lastReason, lastText string
}

// waits returns the containers of pods in trouble that wait, or have ended.
func waits(s *diagnose.Search) []waiting {
	var list []waiting
	for _, p := range s.All(diagnose.Pod) {
		if s.Trouble(p) == nil {
			continue
		}
		for i, c := range diagnose.Statuses(p) {
			w := waiting{pod: p, container: c.Text("name"), image: c.Text("image"), index: i, restarts: c.Number("restartCount")}
			w.reason, w.message = c.Text("state", "waiting", "reason"), c.Text("state", "waiting", "message")
			last := c.In("lastState", "terminated")
			if c.Has("state", "running") && silent(s, p) {
				last = nil // it ran well when its node was last heard of
			}
			if c.Has("state", "terminated") {
				last = c.In("state", "terminated")
			}
			w.exit, w.lastReason, w.lastText = last.Number("exitCode"), last.Text("reason"), last.Text("message")
			if spec := containerSpec(p, w.container); spec != nil {
				w.image = cmp.Or(spec.Text("image"), w.image)
			}
			list = append(list, w)
		}
	}
	return list
}

// silent reports whether nobody hears of a pod's node any more.
func silent(s *diagnose.Search, pod *diagnose.Object) bool {
	node := s.Get(diagnose.Node.Key("", pod.Text("spec", "nodeName")))
	return node != nil && node.Condition("Ready").Status == "Unknown"
}

func containerSpec(p *diagnose.Object, name string) diagnose.Fields {
	for _, c := range diagnose.Containers(p) {
		if c.Text("name") == name {
			return c
		}
	}
	return nil
}

// says is what a container waits for as evidence.
func (w waiting) says() diagnose.Evidence {
	return field(w.pod, "container "+w.container, joined(w.reason, w.message))
}

// crashing reports whether the container ends again and again.
func (w waiting) crashing() bool {
	return w.reason == "CrashLoopBackOff" || w.reason == "" && w.lastReason != "" && w.lastReason != "Completed" && w.exit != 0
}

// pulling reports whether the container's image cannot be had.
func (w waiting) pulling() bool {
	return w.reason == "ErrImagePull" || w.reason == "ImagePullBackOff" || w.reason == "RegistryUnavailable" || w.reason == "InvalidImageName"
}

// pullMessage is what the registry said: a container in back-off tells less
// than its pod's events.
func pullMessage(s *diagnose.Search, w waiting) (text string, from diagnose.Evidence) {
	if w.reason == "ErrImagePull" || strings.Contains(w.message, "rpc error") || strings.Contains(w.message, ": ErrImagePull") {
		return w.message, w.says()
	}
	for _, h := range s.Events(w.pod.Key) {
		if h.Reason == "Failed" && strings.Contains(h.Message, w.image) {
			return h.Message, event(h)
		}
	}
	return w.message, w.says()
}

// subject returns what stands in Git for a pod: its release, or its workload.
func subject(s *diagnose.Search, pod *diagnose.Object) *diagnose.Object { return s.InGit(pod) }

// eventOf returns the latest event of an object with one of some reasons.
func eventOf(s *diagnose.Search, k diagnose.Key, pattern *regexp.Regexp, reasons ...string) (observe.Happening, bool) {
	for _, h := range s.Events(k) {
		for _, reason := range reasons {
			if h.Reason == reason && (pattern == nil || pattern.MatchString(h.Message)) {
				return h, true
			}
		}
	}
	return observe.Happening{}, false
}
