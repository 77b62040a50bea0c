package repo

import _ "embed"

//go:generate go test . -run TestConfigSchema -update

// ConfigSchema is the JSON Schema (draft 7) of a .hearth.yaml. It is generated
// from the types of the configuration and their comments.
//
//go:embed config.schema.json
var ConfigSchema []byte
