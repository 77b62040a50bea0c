package intake

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"hearth/internal/onepassword"
)

// opItem is an item as 1Password's command line writes it.
type opItem struct {
	Title    string   `json:"title"`
	Category string   `json:"category"`
	Tags     []string `json:"tags"`
	Favorite bool     `json:"favorite"`
	Vault    struct {
		Name string `json:"name"`
	} `json:"vault"`
	URLs []struct {
		Href    string `json:"href"`
		Label   string `json:"label"`
		Primary bool   `json:"primary"`
	} `json:"urls"`
	Fields []struct {
		Type    string            `json:"type"`
		Purpose string            `json:"purpose"`
		Label   string            `json:"label"`
		ID      string            `json:"id"`
		Value   onepassword.Value `json:"value"`
		Section struct {
			Label string `json:"label"`
		} `json:"section"`
	} `json:"fields"`
	Files []struct {
		Name string `json:"name"`
	} `json:"files"`
}

// op reads the list that `op item list --format json` writes, items of
// `op item get --format json`, and any number of either one after the other.
func (t *text) op(data []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	bare := 0
	for {
		var raw json.RawMessage
		err := decoder.Decode(&raw)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return t.fault(lineAt(data, decoder.InputOffset()), "is no valid JSON")
		}
		items := []opItem{{}}
		var into any = &items[0]
		if raw[0] == '[' {
			into = &items
		}
		line := lineAt(data, decoder.InputOffset()-int64(len(raw)))
		if json.Unmarshal(raw, into) != nil {
			return t.fault(line, "is not the JSON of 1Password items")
		}
		for _, item := range items {
			if len(item.Fields) == 0 && len(item.Files) == 0 {
				bare++
			}
			if err := t.opItem(item, line); err != nil {
				return err
			}
		}
	}
	if bare > 0 {
		t.left = append(t.left, fmt.Sprintf("%d items came without fields, as lists do: op item list --format json | op item get - --format json writes them in full", bare))
	}
	return nil
}

func (t *text) opItem(in opItem, line int) error {
	item := onepassword.Item{Title: in.Title, Category: in.Category, Tags: in.Tags, Favorite: in.Favorite}
	for _, u := range in.URLs {
		item.URLs = append(item.URLs, onepassword.URL(u))
	}
	for _, f := range in.Fields {
		label := f.Label
		if label == "" {
			label = f.ID
		}
		if label == "" {
			continue
		}
		item.Fields = append(item.Fields, onepassword.Field{
			Label: label, Section: f.Section.Label, Type: strings.ToUpper(f.Type), Purpose: f.Purpose, Value: f.Value,
		})
	}
	for _, f := range in.Files {
		t.left = append(t.left, fmt.Sprintf("the file %q of the item %q: its content is not in the JSON; hearth vault set --attach takes it", f.Name, in.Title))
	}
	return t.add(in.Vault.Name, item, line)
}

// lineAt returns the line of an offset.
func lineAt(data []byte, offset int64) int {
	return 1 + bytes.Count(data[:max(0, min(int(offset), len(data)))], []byte("\n"))
}
