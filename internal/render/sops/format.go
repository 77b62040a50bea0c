package sops

import (
	"bytes"
	"strings"
)

// Format is one of the formats that SOPS reads and writes.
type Format int

// The formats. A binary file is encrypted as JSON with one value.
const (
	Binary Format = iota
	Dotenv
	INI
	JSON
	YAML
)

var formats = map[Format]struct {
	name string
	// marker is what every encrypted content of the format has in it.
	marker []byte
	read   func([]byte) ([]mapping, *metadata, error)
	write  func([]mapping) ([]byte, error)
}{
	Binary: {"binary", []byte(`"mac": "ENC[`), readJSON, writeBinary},
	Dotenv: {"dotenv", []byte("sops_mac=ENC["), readDotenv, writeDotenv},
	INI:    {"INI", []byte("[sops]"), readINI, writeINI},
	JSON:   {"JSON", []byte(`"mac": "ENC[`), readJSON, writeJSON},
	YAML:   {"YAML", []byte("mac: ENC["), readYAML, writeYAML},
}

// String returns the format's name.
func (f Format) String() string { return formats[f].name }

// FormatOf returns the format that a file's name, or the key of an entry,
// stands for.
func FormatOf(name string) Format {
	for suffix, format := range map[string]Format{
		".yaml": YAML, ".yml": YAML, ".json": JSON, ".dockerconfigjson": JSON, ".env": Dotenv, ".ini": INI,
	} {
		if strings.HasSuffix(name, suffix) {
			return format
		}
	}
	return Binary
}

// Encrypted reports whether content of a format is encrypted.
func (f Format) Encrypted(data []byte) bool { return bytes.Contains(data, formats[f].marker) }

// Detect returns the format of encrypted content, and whether it is any.
func Detect(data []byte) (Format, bool) {
	for _, format := range []Format{JSON, YAML, Dotenv, INI} {
		if format.Encrypted(data) {
			return format, true
		}
	}
	return 0, false
}
