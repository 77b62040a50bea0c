// Package templates holds the rules on Jinja2 templates: they are rendered on
// somebody's machine before a commit, for Talos and for bootstrap, and what
// Flux applies has nothing of them left.
//
// Templates are never run. A rendered file is held against what its template
// must have made of it, whatever the variables were; what cannot be told
// without them is no finding, and neither is a text that somebody else renders
// later: Helm, External Secrets, Alertmanager, a shell.
package templates

import "hearth/internal/rule"

// Rules are the rules of the topic templates.
var Rules = []*rule.Rule{templatePlacement, templateStale, templateLeftover}

const topic = "templates"
