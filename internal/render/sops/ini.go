package sops

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/go-ini/ini"
)

// errINI stands for the cause, which may cite the content.
var errINI = errors.New("it is no INI file")

func readINI(data []byte) ([]mapping, *metadata, error) {
	file, err := ini.LoadSources(ini.LoadOptions{AllowNonUniqueSections: true}, data)
	if err != nil {
		return nil, nil, errINI
	}
	var root mapping
	about := map[string]string{}
	for _, section := range file.Sections() {
		if section.Name() == "sops" {
			about = section.KeysHash()
			continue
		}
		var fields mapping
		if section.Comment != "" {
			fields = append(fields, iniComment(section.Comment))
		}
		for _, key := range section.Keys() {
			fields = append(fields, item{key: key.Name(), value: key.Value()})
			if key.Comment != "" {
				fields = append(fields, iniComment(key.Comment))
			}
		}
		root = append(root, item{key: section.Name(), value: fields})
	}
	m, err := flatMetadata(about)
	return []mapping{root}, m, err
}

// iniComment returns a comment without its sign.
func iniComment(text string) item {
	for _, sign := range []string{";", "#"} {
		if strings.HasPrefix(text, sign) {
			text = strings.TrimLeft(text, sign+" ")
			break
		}
	}
	return item{key: text, isComment: true}
}

func writeINI(branches []mapping) ([]byte, error) {
	file := ini.Empty(ini.LoadOptions{AllowNonUniqueSections: true})
	file.DeleteSection(ini.DefaultSection)
	for _, branch := range branches {
		for _, it := range branch {
			if it.isComment {
				continue
			}
			fields, ok := it.value.(mapping)
			if !ok {
				return nil, fmt.Errorf("%s is no section of fields", it.key)
			}
			section, err := file.NewSection(it.key)
			if err != nil {
				return nil, errINI
			}
			if err := writeSection(section, fields); err != nil {
				return nil, fmt.Errorf("section %s: %w", it.key, err)
			}
		}
	}
	var out bytes.Buffer
	if _, err := file.WriteTo(&out); err != nil {
		return nil, errINI
	}
	return out.Bytes(), nil
}

// writeSection writes fields; a comment belongs to the field before it, the
// first of all to the section.
func writeSection(section *ini.Section, fields mapping) error {
	var last *ini.Key
	for i, it := range fields {
		switch {
		case it.isComment && i == 0:
			section.Comment = it.key
		case it.isComment && last != nil:
			last.Comment = it.key
		case !it.isComment:
			value, err := flatText(it.value)
			if err != nil {
				return fmt.Errorf("the value of %s: %w", it.key, err)
			}
			if last, err = section.NewKey(it.key, value); err != nil {
				return errINI
			}
		}
	}
	return nil
}
