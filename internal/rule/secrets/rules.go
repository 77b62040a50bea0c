// Package secrets holds the rules on how secret values reach an application:
// from the store, through ExternalSecrets, never through Git, and on to the
// pods that use them.
//
// No finding holds a secret's value, only the name that it has. Which items and
// fields a vault has is known where the repository keeps a lock of their names.
package secrets

import "hearth/internal/rule"

// Rules are the rules of the topic secrets.
var Rules = []*rule.Rule{
	secretInGit,
	secretHardcoded,
	secretStore,
	secretRefresh,
	secretTemplate,
	secretField,
	secretReference,
	secretReload,
}

const topic = "secrets"
