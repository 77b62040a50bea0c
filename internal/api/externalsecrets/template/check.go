package template

import (
	"fmt"
	"maps"
	"text/template/parse"
)

// Check reports, as an *Error, whether a template does not parse, or uses a
// function that the engine does not have. The engine is that of
// spec.target.template.engineVersion; "" is the current one.
func Check(src Source, engine string) error {
	if len(src.Text) > maxSource {
		return &Error{Template: src.Name, Problem: fmt.Sprintf("is larger than %d bytes", maxSource)}
	}
	known := currentFunctions
	if engine == "v1" {
		known = oldFunctions
	}
	// Parsing alone spares a copy of all functions for each template.
	if _, err := parse.Parse(name, src.Text, "", "", known, builtins); err != nil {
		return parseError(src, err)
	}
	return nil
}

// builtins are the functions of every Go template.
var builtins = named(
	"and", "call", "html", "index", "slice", "js", "len", "not", "or", "print", "printf", "println", "urlquery",
	"eq", "ge", "gt", "le", "lt", "ne",
)

// currentFunctions are those of the engine v2, with the ones that this package
// does not play and External Secrets has.
var currentFunctions = makeCurrentFunctions()

func makeCurrentFunctions() map[string]any {
	all := named("getSecretKey", "getHostByName")
	maps.Copy(all, functions)
	return all
}

// oldFunctions are those of the engine v1, which current versions of External
// Secrets no longer have.
var oldFunctions = named(
	"pkcs12key", "pkcs12keyPass", "pkcs12cert", "pkcs12certPass", "pemPrivateKey", "pemPublicKey", "pemCertificate",
	"jwkPublicKeyPem", "jwkPrivateKeyPem", "base64decode", "base64encode", "fromJSON", "toJSON", "toString", "toBytes", "upper", "lower",
)

// named returns functions that are only there to be known by their names.
func named(names ...string) map[string]any {
	all := make(map[string]any, len(names))
	for _, n := range names {
		all[n] = func() string { return "" }
	}
	return all
}
