// Package secrets holds the rules on how secret values reach an application:
// from the store, through ExternalSecrets, never through Git, and on to the
// pods that use them.
//
// No finding holds a secret's value, only the name that it has. Whether a
// vault holds an item or a field is not known from the tree, and not judged.
package secrets

import "hearth/internal/rule"

// Rules are the rules of the topic secrets.
var Rules = []*rule.Rule{
	secretInGit,
	secretHardcoded,
	secretStore,
	secretRefresh,
	secretTemplate,
	secretReference,
	secretReload,
}

const topic = "secrets"
