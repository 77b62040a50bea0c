package intake

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	"hearth/internal/onepassword"
)

// column is what a column of a table is taken to be, by its lower-case name.
// All others are fields of that name.
var columns = map[string]string{
	"item": "title", "title": "title", "name": "title",
	"vault": "vault", "section": "section", "type": "type", "field": "field", "label": "field", "key": "field", "value": "value",
	"url": "url", "urls": "url", "website": "url", "tags": "tags", "favorite": "favorite", "archived": "archived",
	"username": "username", "password": "password", "notes": "notesPlain", "otpauth": "one-time password", "totp": "one-time password",
}

// csv reads a table with a first line of names. With columns for a field and
// its value each line is a field; otherwise each line is an item, as 1Password
// and other password programs export them.
func (t *text) csv(data []byte) error {
	reader := csv.NewReader(bytes.NewReader(data))
	header, err := reader.Read()
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil {
		return t.csvFault(err)
	}
	if len(header) > maxFields {
		return t.fault(1, fmt.Sprintf("there are more than %d columns", maxFields))
	}
	names := make([]string, len(header))
	known := map[string]bool{}
	for i, name := range header {
		name = strings.TrimSpace(name)
		names[i] = name
		if column := columns[strings.ToLower(name)]; column != "" {
			names[i] = column
		}
		if names[i] != "" && known[names[i]] {
			return t.fault(1, "two columns mean the same")
		}
		known[names[i]] = true
	}
	long := known["field"] && known["value"]
	if !long && !known["title"] {
		return t.fault(1, "the table needs a column title, or columns field and value")
	}
	for {
		record, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return t.csvFault(err)
		}
		line, _ := reader.FieldPos(0)
		row := map[string]string{}
		for i, cell := range record {
			row[names[i]] = cell
		}
		if long {
			err = t.csvField(row, line)
		} else {
			err = t.csvItem(names, row, line)
		}
		if err != nil {
			return err
		}
	}
}

func (t *text) csvFault(err error) error {
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		return t.fault(parse.Line, "is no valid CSV: a quote is not closed, or the line has another number of columns")
	}
	return t.fault(0, "is no valid CSV")
}

func (t *text) csvField(row map[string]string, line int) error {
	if row["field"] == "" {
		return t.fault(line, "the field has no name")
	}
	kind := strings.ToUpper(row["type"])
	if kind == "" {
		kind = "CONCEALED"
	}
	return t.addField(row["title"], onepassword.Field{Label: row["field"], Section: row["section"], Type: kind, Value: onepassword.NewValue(row["value"])}, line)
}

// plain are the columns that hold no secret.
var plain = map[string]string{"username": "STRING", "notesPlain": "STRING", "one-time password": onepassword.TypeOTP}

func (t *text) csvItem(names []string, row map[string]string, line int) error {
	item := onepassword.Item{Title: row["title"], Favorite: isTrue(row["favorite"])}
	if isTrue(row["archived"]) {
		t.left = append(t.left, fmt.Sprintf("the item %q is archived", item.Title))
		return nil
	}
	if url := row["url"]; url != "" {
		item.URLs = []onepassword.URL{{Href: url, Primary: true}}
	}
	for tag := range strings.FieldsFuncSeq(row["tags"], func(r rune) bool { return r == ',' || r == ';' }) {
		item.Tags = append(item.Tags, strings.TrimSpace(tag))
	}
	for _, name := range names {
		switch name {
		case "", "title", "vault", "url", "tags", "favorite", "archived", "section", "type":
			continue
		}
		if row[name] == "" {
			continue
		}
		kind := plain[name]
		if kind == "" {
			kind = "CONCEALED"
		}
		item.Fields = append(item.Fields, onepassword.Field{Label: name, Type: kind, Value: onepassword.NewValue(row[name])})
	}
	return t.add(row["vault"], item, line)
}

func isTrue(text string) bool {
	return strings.EqualFold(text, "true") || strings.EqualFold(text, "yes") || text == "1"
}
