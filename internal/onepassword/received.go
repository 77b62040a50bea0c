package onepassword

import "time"

// The types below read the JSON of the Connect API straight into values that
// do not show themselves.

type receivedItem struct {
	Version   int             `json:"version"`
	Favorite  bool            `json:"favorite"`
	CreatedAt time.Time       `json:"createdAt"`
	UpdatedAt time.Time       `json:"updatedAt"`
	URLs      []wireURL       `json:"urls"`
	ID        string          `json:"id"`
	Title     string          `json:"title"`
	Category  string          `json:"category"`
	Tags      []string        `json:"tags"`
	Sections  []wireSection   `json:"sections"`
	Fields    []receivedField `json:"fields"`
	Files     []wireFile      `json:"files"`
}

type receivedField struct {
	ID      string       `json:"id"`
	Section *wireSection `json:"section"`
	Type    string       `json:"type"`
	Purpose string       `json:"purpose"`
	Label   string       `json:"label"`
	Value   Value        `json:"value"`
	TOTP    Value        `json:"totp"`
	// Generate asks the server to make the value up.
	Generate bool   `json:"generate"`
	Recipe   Recipe `json:"recipe"`
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
		if label, listed := labels[s.ID]; listed {
			return label
		}
		return s.Label
	}
	item := &Item{
		ID: r.ID, Title: r.Title, VaultID: vaultID, Category: r.Category, Tags: r.Tags,
		Favorite: r.Favorite, Version: r.Version, Created: r.CreatedAt, Updated: r.UpdatedAt,
	}
	for _, u := range r.URLs {
		item.URLs = append(item.URLs, URL(u))
	}
	for _, f := range r.Fields {
		item.Fields = append(item.Fields, Field{ID: f.ID, Label: f.Label, Section: section(f.Section), Type: f.Type, Purpose: f.Purpose, Value: f.Value, Code: f.TOTP})
	}
	for _, f := range r.Files {
		item.Files = append(item.Files, File{ID: f.ID, Name: f.Name, Section: section(f.Section), Size: f.Size, Path: f.ContentPath})
	}
	return item
}
