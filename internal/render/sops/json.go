package sops

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

var errJSON = errors.New("it is no JSON object") // the cause may cite it

func readJSON(data []byte) ([]mapping, *metadata, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	value, err := jsonValue(decoder, 0)
	if err != nil {
		return nil, nil, err
	}
	root, ok := value.(mapping)
	if !ok {
		return nil, nil, errJSON
	}
	about, err := newMetadata(root.take("sops"))
	return []mapping{root}, about, err
}

// jsonValue reads a value with the order of its keys.
func jsonValue(decoder *json.Decoder, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errTooDeep
	}
	token, err := decoder.Token()
	if err != nil {
		return nil, errJSON
	}
	switch token {
	case json.Delim('{'):
		m := mapping{}
		for decoder.More() {
			key, err := decoder.Token()
			name, ok := key.(string)
			if err != nil || !ok {
				return nil, errJSON
			}
			value, err := jsonValue(decoder, depth+1)
			if err != nil {
				return nil, err
			}
			m = append(m, item{key: name, value: value})
		}
		return m, jsonEnd(decoder)
	case json.Delim('['):
		list := []any{}
		for decoder.More() {
			value, err := jsonValue(decoder, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		return list, jsonEnd(decoder)
	}
	return token, nil
}

func jsonEnd(decoder *json.Decoder) error {
	if _, err := decoder.Token(); err != nil {
		return errJSON
	}
	return nil
}

// writeJSON writes a document indented by tabs, as SOPS does.
func writeJSON(branches []mapping) ([]byte, error) {
	if len(branches) != 1 {
		return nil, fmt.Errorf("JSON holds one document, not %d", len(branches))
	}
	var compact, out bytes.Buffer
	if err := appendJSON(&compact, branches[0]); err != nil {
		return nil, err
	}
	if err := json.Indent(&out, compact.Bytes(), "", "\t"); err != nil {
		return nil, errJSON
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

func appendJSON(out *bytes.Buffer, value any) error {
	separator := ""
	switch value := value.(type) {
	case mapping:
		out.WriteByte('{')
		for _, it := range value {
			if it.isComment {
				continue
			}
			out.WriteString(separator)
			if err := appendJSON(out, it.key); err != nil {
				return err
			}
			out.WriteByte(':')
			if err := appendJSON(out, it.value); err != nil {
				return err
			}
			separator = ","
		}
		out.WriteByte('}')
		return nil
	case []any:
		out.WriteByte('[')
		for _, element := range value {
			if _, isComment := element.(comment); isComment {
				continue
			}
			out.WriteString(separator)
			if err := appendJSON(out, element); err != nil {
				return err
			}
			separator = ","
		}
		out.WriteByte(']')
		return nil
	}
	data, err := json.Marshal(value)
	if err != nil {
		return errors.New("a value cannot be written as JSON") // the cause may cite it
	}
	out.Write(data)
	return nil
}

// writeBinary writes the one value that a binary file was encrypted as.
func writeBinary(branches []mapping) ([]byte, error) {
	if len(branches) == 1 {
		value, _ := branches[0].take("data")
		if text, ok := value.(string); ok {
			return []byte(text), nil
		}
	}
	return nil, errors.New("it holds fields, and no file: the name of the file or entry tells its format (.yaml, .json, .env, .ini)")
}
