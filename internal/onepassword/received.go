package onepassword

// The types below read the JSON of the Connect API straight into values that
// do not show themselves.

type receivedItem struct {
	ID       string          `json:"id"`
	Title    string          `json:"title"`
	Category string          `json:"category"`
	Tags     []string        `json:"tags"`
	Sections []wireSection   `json:"sections"`
	Fields   []receivedField `json:"fields"`
	Files    []wireFile      `json:"files"`
}

type receivedField struct {
	ID      string       `json:"id"`
	Section *wireSection `json:"section"`
	Type    string       `json:"type"`
	Label   string       `json:"label"`
	Value   Value        `json:"value"`
}

func (r receivedItem) item(vaultID string) *Item {
	labels := map[string]string{}
	for _, s := range r.Sections {
		labels[s.ID] = s.Label
	}
	section := func(s *wireSection) string {
		if s == nil {
			return ""
		}
		return labels[s.ID]
	}
	item := &Item{ID: r.ID, Title: r.Title, VaultID: vaultID, Category: r.Category, Tags: r.Tags}
	for _, f := range r.Fields {
		item.Fields = append(item.Fields, Field{ID: f.ID, Label: f.Label, Section: section(f.Section), Type: f.Type, Value: f.Value})
	}
	for _, f := range r.Files {
		item.Files = append(item.Files, File{ID: f.ID, Name: f.Name, Section: section(f.Section), Size: f.Size, Path: f.ContentPath})
	}
	return item
}
