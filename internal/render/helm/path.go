package helm

import (
	"regexp"
	"strings"
)

var (
	// Helm's JSON schema errors say: at '/controllers/main': …
	schemaPath = regexp.MustCompile(`at '(/[^']*)'`)
	// Template errors say: … at <.Values.controllers.main>: …
	templatePath = regexp.MustCompile(`<\$?\.Values\.([A-Za-z0-9_.-]+)>`)
)

// ValuesPath returns the path below a release's values that an error of Helm
// names, such as "controllers.main", or the empty string.
func ValuesPath(err error) string {
	if err == nil {
		return ""
	}
	if m := schemaPath.FindStringSubmatch(err.Error()); m != nil {
		return strings.ReplaceAll(strings.Trim(m[1], "/"), "/", ".")
	}
	if m := templatePath.FindStringSubmatch(err.Error()); m != nil {
		return strings.Trim(m[1], ".")
	}
	return ""
}
