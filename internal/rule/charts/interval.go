package charts

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"hearth/internal/manifest/edit"
	"hearth/internal/render/desired"
	"hearth/internal/rule"
)

var intervalFormat = &rule.Rule{
	Name:     "interval-format",
	Topic:    topic,
	Severity: rule.Error,
	Title:    "Intervals and timeouts of Flux and External Secrets are durations such as 1h or 30m",
	Why: "These fields are durations as Go writes them: numbers with the units ms, s, m and h. There are no days, and a " +
		"number alone is none. The API server refuses such an object of Flux, and with it the whole Kustomization that it " +
		"belongs to; External Secrets cannot read its own.",
	Remedy:  "Write hours instead of days, no spaces, and always a unit: `24h`, `30m`, `1h30m`.",
	Section: "HelmRelease Specification",
	Bad: "spec:\n" +
		"  interval: 1d\n",
	Good: "spec:\n" +
		"  interval: 24h\n",
	Fixes: true,
	Check: checkIntervals,
}

func checkIntervals(p *rule.Pass) {
	for _, c := range p.Clusters {
		for _, o := range c.State.Objects {
			if !readsDurations(o) {
				continue
			}
			walkDurations(o, []string{"spec"}, o.Object["spec"], func(path []string, value any) { judgeDuration(p, c.State, o, path, value) })
			for _, name := range slices.Sorted(maps.Keys(o.GetAnnotations())) {
				if strings.HasPrefix(name, operatorGroup+"/") && (strings.HasSuffix(name, "Every") || strings.HasSuffix(name, "Timeout")) {
					judgeDuration(p, c.State, o, []string{"metadata", "annotations", name}, o.GetAnnotations()[name])
				}
			}
		}
	}
}

const (
	fluxGroups    = ".toolkit.fluxcd.io"
	operatorGroup = "fluxcd.controlplane.io"
	secretsGroup  = "external-secrets.io"
)

// readsDurations reports whether an object is one of Flux or External Secrets.
func readsDurations(o *desired.Object) bool {
	group := o.GroupVersionKind().Group
	return isFlux(group) || group == secretsGroup || strings.HasSuffix(group, "."+secretsGroup)
}

func isFlux(group string) bool { return strings.HasSuffix(group, fluxGroups) || group == operatorGroup }

// durations are the fields that hold one.
var durations = map[string]bool{
	"interval": true, "retryInterval": true, "timeout": true, "refreshInterval": true, "refreshTime": true,
}

// others are the fields below which somebody else reads what is written.
var others = map[string]bool{
	"values": true, "valuesFrom": true, "patches": true, "postBuild": true, "postRenderers": true, "commonMetadata": true,
	"kustomize": true, "resources": true, "resourcesTemplate": true, "inputs": true, "defaultValues": true, "schema": true,
	"template": true, "templateFrom": true, "data": true, "headers": true, "metadata": true, "externalSecretMetadata": true,
}

// walkDurations yields the fields that hold a duration.
func walkDurations(o *desired.Object, path []string, value any, yield func([]string, any)) {
	switch in := value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(in)) {
			at := append(slices.Clip(path), key)
			_, isMap := in[key].(map[string]any)
			switch {
			case durations[key] && !isMap && in[key] != nil:
				if !isStoreRefresh(o, at) {
					yield(at, in[key])
				}
			case !others[key]:
				walkDurations(o, at, in[key], yield)
			}
		}
	case []any:
		for i, item := range in {
			walkDurations(o, append(slices.Clip(path), strconv.Itoa(i)), item, yield)
		}
	}
}

// isStoreRefresh reports whether a field is the one that holds seconds.
func isStoreRefresh(o *desired.Object, path []string) bool {
	return strings.HasSuffix(o.GetKind(), "SecretStore") && slices.Equal(path, []string{"spec", "refreshInterval"})
}

// fluxDuration is what Flux's definitions allow, which is less than Go reads.
var fluxDuration = regexp.MustCompile(`^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$`)

func judgeDuration(p *rule.Pass, s *desired.State, o *desired.Object, path []string, value any) {
	text, isText := value.(string)
	if isText && (s.Unknown(text) || strings.Contains(text, "${")) {
		return
	}
	_, err := time.ParseDuration(text)
	if isText && err == nil && (!isFlux(o.GroupVersionKind().Group) || fluxDuration.MatchString(text)) {
		return
	}
	if !isText {
		text = fmt.Sprint(value)
	}
	f := rule.Finding{
		Place: o.Place(path...), Text: written(o, path, text), Object: o.Ref,
		Message: fmt.Sprintf("%s %s is no duration, so that %s", path[len(path)-1], text, consequence(o, path, isText)),
	}
	switch good, certain := asDuration(text); {
	case certain:
		f.Fix = "write " + good
		f.Edits = setDuration(o, path, good)
	case good != "":
		f.Fix = "write " + good + ", if seconds are meant"
	default:
		f.Fix = "write a number with h, m or s behind it, such as 1h30m"
	}
	p.Report(f)
}

// consequence says what becomes of an object. Definitions of Flux hold a
// pattern, those of External Secrets only say that it is a text.
func consequence(o *desired.Object, path []string, isText bool) string {
	switch {
	case path[0] == "metadata":
		return "Flux Operator does not follow it"
	case isText && !isFlux(o.GroupVersionKind().Group):
		return "External Secrets cannot read the " + o.GetKind()
	}
	return "the API server refuses the " + o.GetKind()
}

// written is how a value stands in Git; "" where that is not clear.
func written(o *desired.Object, path []string, built string) string {
	if _, node := o.Node(path...); node == nil || node.Value != built {
		return ""
	}
	return built
}

// setDuration writes a duration where the object's own document holds the one
// that is wrong.
func setDuration(o *desired.Object, path []string, good string) []edit.Edit {
	doc, prefix := o.Document()
	if doc == nil {
		return nil
	}
	at := append(slices.Clip(prefix), path...)
	_, node := o.Node(path...)
	if own, ok := doc.Find(at...); !ok || own != node || strings.Contains(own.Value, "${") {
		return nil
	}
	return []edit.Edit{edit.Set(doc.File, doc.Line, at, good)}
}
