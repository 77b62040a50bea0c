package secrets

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"hearth/internal/render/desired"
	"hearth/internal/rule"
)

// reloader is an installation of Reloader, with the annotations that it goes by.
type reloader struct {
	// namespace is the only one that it watches; "" means all but ignored.
	namespace string
	ignored   []string
	// all says that it restarts whatever is not exempt.
	all bool

	reload, auto, typedAuto, search, match, ignore string
}

// reloadersOf finds the releases of Reloader in a cluster. One that leaves
// Secrets alone, or selects what it watches by labels, is none to rely on, and
// none to judge by.
func reloadersOf(c *rule.Cluster) []reloader {
	var list []reloader
	for _, r := range c.State.Releases {
		if r.ChartName != "reloader" || r.Spec.Suspend {
			continue
		}
		options, _, _ := unstructured.NestedMap(r.Values, "reloader")
		if isTrue(options["ignoreSecrets"]) || options["namespaceSelector"] != nil && fmt.Sprint(options["namespaceSelector"]) != "" ||
			options["resourceLabelSelector"] != nil && fmt.Sprint(options["resourceLabelSelector"]) != "" {
			continue
		}
		list = append(list, newReloader(r, options))
	}
	return list
}

func newReloader(r *desired.Release, options map[string]any) reloader {
	named, _ := options["custom_annotations"].(map[string]any)
	name := func(key, otherwise string) string {
		text, _ := named[key].(string)
		return cmp.Or(text, otherwise)
	}
	to := reloader{
		all:       isTrue(options["autoReloadAll"]),
		reload:    name("secret", "secret.reloader.stakater.com/reload"),
		auto:      name("auto", "reloader.stakater.com/auto"),
		typedAuto: name("secret_auto", "secret.reloader.stakater.com/auto"),
		search:    name("search", "reloader.stakater.com/search"),
		match:     name("match", "reloader.stakater.com/match"),
		ignore:    name("ignore", "reloader.stakater.com/ignore"),
	}
	if watch, set := options["watchGlobally"]; set && !isTrue(watch) {
		to.namespace = r.ReleaseNamespace
	}
	if text, _ := options["ignoreNamespaces"].(string); text != "" {
		to.ignored = strings.Split(text, ",")
	}
	return to
}

func isTrue(v any) bool { return v == true || v == "true" }

func (r reloader) watches(namespace string) bool {
	for _, ignored := range r.ignored {
		if strings.TrimSpace(ignored) == namespace {
			return false
		}
	}
	return r.namespace == "" || r.namespace == namespace
}

// restarts reports whether a workload is restarted when a Secret with given
// annotations changes, or is exempt because its owner says so. The annotations
// of the pods count where those of the workload say nothing.
func (r reloader) restarts(o *desired.Object, secret string, annotations map[string]string) bool {
	own := o.GetAnnotations()
	if !r.speaks(own) {
		pods, _, _ := unstructured.NestedStringMap(o.Object, "spec", "template", "metadata", "annotations")
		if r.speaks(pods) {
			own = pods
		}
	}
	auto, typed := own[r.auto], own[r.typedAuto]
	switch {
	case annotations[r.ignore] == "true":
		return true // whoever writes that does not want it
	case isFalse(auto) && own[r.reload] == "" && !isSet(typed):
		return true
	case isSet(auto) || isSet(typed) || r.all && auto == "" && typed == "":
		return true // what is excluded from it is so on purpose
	case named(own[r.reload], secret):
		return true
	}
	return own[r.search] == "true" && annotations[r.match] == "true"
}

// speaks reports whether annotations hold any that Reloader goes by.
func (r reloader) speaks(annotations map[string]string) bool {
	for _, name := range []string{r.reload, r.auto, r.typedAuto, r.search} {
		if _, ok := annotations[name]; ok {
			return true
		}
	}
	return false
}

func isSet(text string) bool {
	set, err := strconv.ParseBool(text)
	return err == nil && set
}

func isFalse(text string) bool {
	set, err := strconv.ParseBool(text)
	return err == nil && !set
}

// named reports whether a list of patterns holds a name.
func named(list, name string) bool {
	for pattern := range strings.SplitSeq(list, ",") {
		pattern = strings.TrimSpace(pattern)
		if pattern == name {
			return true
		}
		if expression, err := regexp.Compile("^" + pattern + "$"); err == nil && pattern != "" && expression.MatchString(name) {
			return true
		}
	}
	return false
}
