package sops

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// metadata is what SOPS notes beside the values: how the data key is
// encrypted, which values are, and their checksum.
type metadata struct {
	keyGroup
	KeyGroups []keyGroup `json:"key_groups"`

	LastModified     string `json:"lastmodified"`
	MAC              string `json:"mac"`
	MACOnlyEncrypted bool   `json:"mac_only_encrypted"`

	UnencryptedSuffix       string `json:"unencrypted_suffix"`
	EncryptedSuffix         string `json:"encrypted_suffix"`
	UnencryptedRegex        string `json:"unencrypted_regex"`
	EncryptedRegex          string `json:"encrypted_regex"`
	UnencryptedCommentRegex string `json:"unencrypted_comment_regex"`
	EncryptedCommentRegex   string `json:"encrypted_comment_regex"`
}

// keyGroup are keys of which any one decrypts the data key.
type keyGroup struct {
	Age []struct {
		Recipient string `json:"recipient"`
		Enc       string `json:"enc"`
	} `json:"age"`
	PGP    []json.RawMessage `json:"pgp"`
	KMS    []json.RawMessage `json:"kms"`
	GCPKMS []json.RawMessage `json:"gcp_kms"`
	HCKMS  []json.RawMessage `json:"hckms"`
	Azure  []json.RawMessage `json:"azure_kv"`
	Vault  []json.RawMessage `json:"hc_vault"`
}

var errNoMetadata = errors.New("it has no metadata of SOPS")

// newMetadata reads the metadata of a document.
func newMetadata(content any, found bool) (*metadata, error) {
	if !found {
		return nil, errNoMetadata
	}
	data, err := json.Marshal(plainValue(content))
	if err != nil {
		return nil, errors.New("its metadata cannot be read")
	}
	m := &metadata{}
	if err := json.Unmarshal(data, m); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			return nil, fmt.Errorf("its metadata has a %s as %s", wrong.Value, wrong.Field)
		}
		return nil, errors.New("its metadata cannot be read")
	}
	modified, err := time.Parse(time.RFC3339, m.LastModified)
	if err != nil {
		return nil, errors.New("its metadata has no valid lastmodified")
	}
	m.LastModified = modified.Format(time.RFC3339)
	return m, nil
}

// plainValue turns a value into what encoding/json knows.
func plainValue(value any) any {
	switch value := value.(type) {
	case mapping:
		plain := map[string]any{}
		for _, it := range value {
			if !it.isComment {
				plain[it.key] = plainValue(it.value)
			}
		}
		return plain
	case []any:
		plain := []any{}
		for _, element := range value {
			if _, isComment := element.(comment); !isComment {
				plain = append(plain, plainValue(element))
			}
		}
		return plain
	}
	return value
}

// flatMetadata reads the metadata of formats that have no nesting, where keys
// spell it out: age__list_0__map_recipient.
func flatMetadata(entries map[string]string) (*metadata, error) {
	if len(entries) == 0 {
		return nil, errNoMetadata
	}
	root := map[string]any{}
	for key, value := range entries {
		value = strings.ReplaceAll(value, `\n`, "\n")
		steps := strings.Split(strings.NewReplacer("__map_", "\x00", "__list_", "\x00#").Replace(key), "\x00")
		if len(steps) > maxDepth {
			return nil, errTooDeep
		}
		here := root
		for _, step := range steps[:len(steps)-1] {
			next, ok := here[step].(map[string]any)
			if !ok {
				next = map[string]any{}
				here[step] = next
			}
			here = next
		}
		here[steps[len(steps)-1]] = value
	}
	if only, ok := root["mac_only_encrypted"]; ok {
		root["mac_only_encrypted"] = only == "true"
	}
	return newMetadata(withLists(root), true)
}

// withLists turns mappings whose keys are indexes into lists.
func withLists(value any) any {
	entries, ok := value.(map[string]any)
	if !ok {
		return value
	}
	if _, isList := entries["#0"]; !isList {
		for key, entry := range entries {
			entries[key] = withLists(entry)
		}
		return entries
	}
	var list []any
	for i := range len(entries) {
		entry, ok := entries["#"+strconv.Itoa(i)]
		if !ok {
			break
		}
		list = append(list, withLists(entry))
	}
	return list
}
