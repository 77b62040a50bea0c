package oci

import (
	_ "embed"
	"sync"
)

// publicGood is the trusted root of the Sigstore that anybody may use, as
// release v1.11.3 of github.com/sigstore/sigstore carries it. It does not change
// by itself: where Sigstore has newer keys, a Secret says so.
//
//go:embed publicgood.json
var publicGood []byte

// PublicGood is the trusted root of the Sigstore that anybody may use, for
// those who name no other.
var PublicGood = sync.OnceValues(func() (TrustedRoot, error) { return ParseTrustedRoot(publicGood) })
