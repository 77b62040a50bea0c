package scaffold

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"hearth/internal/domain"
)

// values makes the values of app-template.
func (b *builder) values() (*yaml.Node, error) {
	controller := b.keyFor("controllers", b.Name)
	container := fields("image", fields("repository", b.Image.Repository, "tag", b.Image.Pinned()))
	if zone := b.timeZone(); zone != nil {
		set(container, "env", fields("TZ", zone))
	}
	if b.secret != "" {
		set(container, "envFrom", []*yaml.Node{fields("secretRef", fields("name", b.secret))})
	}
	if b.Port > 0 {
		probe := fields("enabled", true)
		set(container, "probes", fields("liveness", probe, "readiness", probe))
	}
	values := fields("controllers", fields(controller, fields(
		"annotations", b.reloads(),
		"containers", fields(b.containerKey(controller), container),
	)))
	if b.Port > 0 {
		set(values, "service", fields(b.keyFor("service", b.Name), fields("ports", fields("http", fields("port", b.Port)))))
	}
	if b.exposed() {
		route, err := b.route()
		if err != nil {
			return nil, err
		}
		set(values, "route", route)
	}
	set(values, "persistence", b.persistence())
	return values, nil
}

// keyFor learns what the only entry of a part of the values is called: after
// the application, or always the same.
func (b *builder) keyFor(part, otherwise string) string {
	var keys tally
	for _, w := range b.writtenExamples() {
		if names := fieldNames(w.at("spec", "values", part)); len(names) == 1 {
			keys.addText(b.plainKey(names[0]), w.name, "")
		}
	}
	return keys.commonestText(b.Name, "", otherwise)
}

// plainKey leaves out a key with a variable in it: each application sets its own.
func (b *builder) plainKey(key string) string {
	if strings.Contains(key, "${") {
		return ""
	}
	return key
}

// containerKey learns what the only container of a controller is called: after
// the controller, or always the same.
func (b *builder) containerKey(controller string) string {
	var keys tally
	for _, w := range b.writtenExamples() {
		for _, c := range fieldNames(w.at("spec", "values", "controllers")) {
			if names := fieldNames(w.at("spec", "values", "controllers", c, "containers")); len(names) == 1 {
				keys.addText(b.plainKey(names[0]), c, "")
			}
		}
	}
	return keys.commonestText(controller, "", controller)
}

// timeZone is the environment variable TZ where most containers have it, and
// have the same.
func (b *builder) timeZone() *yaml.Node {
	var zones tally
	for _, w := range b.writtenExamples() {
		for _, c := range fieldNames(w.at("spec", "values", "controllers")) {
			containers := []string{"spec", "values", "controllers", c, "containers"}
			for _, name := range fieldNames(w.at(containers...)) {
				zones.add(w.at(append(slices.Clip(containers), name, "env", "TZ")...), "", "")
			}
		}
	}
	return zones.most("", "")
}

// The annotations by which Reloader restarts pods whose Secret has changed.
const (
	reloadSecret = "secret.reloader.stakater.com/reload"
	reloadAll    = "reloader.stakater.com/auto"
)

// reloads makes the annotation that restarts the pods when the Secret changes,
// of the form that most controllers have.
func (b *builder) reloads() *yaml.Node {
	if b.secret == "" {
		return nil
	}
	named, auto := 0, 0
	for _, w := range b.writtenExamples() {
		for _, c := range fieldNames(w.at("spec", "values", "controllers")) {
			for _, name := range fieldNames(w.at("spec", "values", "controllers", c, "annotations")) {
				switch name {
				case reloadSecret:
					named++
				case reloadAll:
					auto++
				}
			}
		}
	}
	if auto > named {
		yes := textNode("true")
		yes.Style = yaml.DoubleQuotedStyle
		return fields(reloadAll, yes)
	}
	return fields(reloadSecret, b.secret)
}

// tunnelled reports whether the application is reached by a tunnel.
func (b *builder) tunnelled() bool { return b.Expose == domain.VPNExposure }
