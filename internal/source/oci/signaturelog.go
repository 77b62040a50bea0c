package oci

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"strconv"
	"time"
)

// logEntry is how a log of signatures, Rekor, promises that it holds one.
type logEntry struct {
	Index string `json:"logIndex"`
	Log   struct {
		ID []byte `json:"keyId"`
	} `json:"logId"`
	Time    string `json:"integratedTime"`
	Promise struct {
		Signature []byte `json:"signedEntryTimestamp"`
	} `json:"inclusionPromise"`
	Body []byte `json:"canonicalizedBody"`
}

// logged returns when a log that is trusted took an entry.
func (r TrustedRoot) logged(e logEntry) (time.Time, error) {
	index, err := strconv.ParseInt(e.Index, 10, 64)
	seconds, errTime := strconv.ParseInt(e.Time, 10, 64)
	if err != nil && e.Index != "" || errTime != nil || len(e.Promise.Signature) == 0 {
		return time.Time{}, errors.New("a log entry has no signed time")
	}
	at := time.Unix(seconds, 0)
	key, ok := logOf(r.logs, e.Log.ID, at)
	if !ok {
		return at, errors.New("a log entry is of a log that the trusted root does not name")
	}
	// In the order of their names and without spaces, which is what is signed.
	signed, err := json.Marshal(struct {
		Body  []byte `json:"body"`
		Time  int64  `json:"integratedTime"`
		Log   string `json:"logID"`
		Index int64  `json:"logIndex"`
	}{e.Body, seconds, hex.EncodeToString(e.Log.ID), index})
	if err != nil || !key.verifies(signed, e.Promise.Signature) {
		return at, errors.New("a log entry is not signed by its log")
	}
	return at, nil
}

// certifiedSignature is a signature with the certificate that names who made
// it: over the digest of what a log entry is about.
type certifiedSignature struct {
	signed      [sha256.Size]byte
	signature   []byte
	certificate *x509.Certificate
}

// entryBody is what a log entry says, of an envelope (dsse) or of any signature
// (hashedrekord).
type entryBody struct {
	Kind string `json:"kind"`
	Spec struct {
		Payload    entryHash `json:"payloadHash"`
		Signatures []struct {
			Signature []byte `json:"signature"`
			Verifier  []byte `json:"verifier"`
		} `json:"signatures"`

		Data struct {
			Hash entryHash `json:"hash"`
		} `json:"data"`
		Signature struct {
			Content   []byte `json:"content"`
			PublicKey struct {
				Content []byte `json:"content"`
			} `json:"publicKey"`
		} `json:"signature"`
	} `json:"spec"`
}

type entryHash struct {
	Algorithm string `json:"algorithm"`
	Value     string `json:"value"`
}

// records checks that an entry is of a signature, and of its certificate.
func (e logEntry) records(s certifiedSignature) error {
	var body entryBody
	if json.Unmarshal(e.Body, &body) != nil {
		return errors.New("a log entry cannot be read")
	}
	hash, signature, verifier := body.Spec.Data.Hash, body.Spec.Signature.Content, body.Spec.Signature.PublicKey.Content
	switch {
	case body.Kind == "dsse" && len(body.Spec.Signatures) == 1:
		hash, signature, verifier = body.Spec.Payload, body.Spec.Signatures[0].Signature, body.Spec.Signatures[0].Verifier
	case body.Kind != "hashedrekord":
		return errors.New("a log entry is of no single signature")
	}
	block, _ := pem.Decode(verifier)
	if hash.Algorithm != "sha256" || hash.Value != hex.EncodeToString(s.signed[:]) || !bytes.Equal(signature, s.signature) ||
		block == nil || !bytes.Equal(block.Bytes, s.certificate.Raw) {
		return errors.New("a log entry is of another signature")
	}
	return nil
}
