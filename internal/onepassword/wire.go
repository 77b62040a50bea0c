package onepassword

import (
	"encoding/base64"
	"strings"
	"time"

	"hearth/internal/onepassword/totp"
)

// The types below are the JSON of the Connect API. They hold values in clear
// text and live no longer than a response.

type wireVault struct {
	ID               string    `json:"id"`
	Name             string    `json:"name"`
	AttributeVersion int       `json:"attributeVersion"`
	ContentVersion   int       `json:"contentVersion"`
	Items            int       `json:"items"`
	Type             string    `json:"type"`
	CreatedAt        time.Time `json:"createdAt"`
	UpdatedAt        time.Time `json:"updatedAt"`
}

type wireURL struct {
	Href    string `json:"href"`
	Label   string `json:"label,omitempty"`
	Primary bool   `json:"primary,omitempty"`
}

type wireRef struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
}

type wireSection struct {
	ID    string `json:"id"`
	Label string `json:"label,omitempty"`
}

type wireItem struct {
	ID        string        `json:"id"`
	Title     string        `json:"title"`
	URLs      []wireURL     `json:"urls,omitempty"`
	Favorite  bool          `json:"favorite,omitempty"`
	Tags      []string      `json:"tags,omitempty"`
	Version   int           `json:"version"`
	Vault     wireRef       `json:"vault"`
	Category  string        `json:"category"`
	CreatedAt time.Time     `json:"createdAt"`
	UpdatedAt time.Time     `json:"updatedAt"`
	Sections  []wireSection `json:"sections,omitempty"`
	Fields    []wireField   `json:"fields,omitempty"`
	Files     []wireFile    `json:"files,omitempty"`
}

type wireField struct {
	ID      string       `json:"id"`
	Section *wireSection `json:"section,omitempty"`
	Type    string       `json:"type"`
	Purpose string       `json:"purpose,omitempty"`
	Label   string       `json:"label"`
	Value   string       `json:"value,omitempty"`
	TOTP    string       `json:"totp,omitempty"`
}

type wireFile struct {
	ID          string       `json:"id"`
	Name        string       `json:"name"`
	Size        int          `json:"size"`
	ContentPath string       `json:"content_path"`
	Section     *wireSection `json:"section,omitempty"`
	Content     string       `json:"content,omitempty"` // base64, where asked for inline
}

// purposes are the fields that 1Password knows by themselves.
var purposes = map[string]string{"username": "USERNAME", "password": "PASSWORD", "notesPlain": "NOTES"}

func (s *Server) wireVault(v Vault) wireVault {
	t, changes := s.state()
	return wireVault{
		ID: v.ID, Name: v.Name, AttributeVersion: 1, ContentVersion: 1 + changes, Items: len(v.Items),
		Type: "USER_CREATED", CreatedAt: t, UpdatedAt: t,
	}
}

// wireItem returns an item as lists show it or, with details, in full.
func (s *Server) wireItem(v Vault, item Item, details bool) wireItem {
	out := wireItem{
		ID: item.ID, Title: item.Title, Tags: item.Tags, Favorite: item.Favorite, Version: max(item.Version, 1),
		Vault: wireRef{v.ID, v.Name}, Category: item.Category, CreatedAt: item.Created, UpdatedAt: item.Updated,
	}
	for _, u := range item.URLs {
		out.URLs = append(out.URLs, wireURL(u))
	}
	loaded, _ := s.state()
	if out.UpdatedAt.IsZero() {
		out.UpdatedAt = loaded
	}
	if out.CreatedAt.IsZero() {
		out.CreatedAt = out.UpdatedAt
	}
	if !details {
		return out
	}
	sections := map[string]bool{}
	section := func(label string) *wireSection {
		if label == "" {
			return nil
		}
		if !sections[label] {
			sections[label] = true
			out.Sections = append(out.Sections, wireSection{sectionID(item, label), label})
		}
		return &wireSection{ID: sectionID(item, label)}
	}
	for _, f := range item.Fields {
		out.Fields = append(out.Fields, wireField{
			ID: f.ID, Section: section(f.Section), Type: strings.ToUpper(f.Type),
			Purpose: f.Purpose, Label: f.Label, Value: f.Value.Reveal(),
			TOTP: currentCode(f),
		})
	}
	for _, f := range item.Files {
		section(f.Section)
		out.Files = append(out.Files, makeWireFile(v, item, f, false))
	}
	return out
}

func makeWireFile(v Vault, item Item, f File, inline bool) wireFile {
	out := wireFile{
		ID: f.ID, Name: f.Name, Size: f.Size,
		ContentPath: "/v1/vaults/" + v.ID + "/items/" + item.ID + "/files/" + f.ID + "/content",
	}
	if f.Section != "" {
		out.Section = &wireSection{ID: sectionID(item, f.Section)}
	}
	if inline {
		out.Content = base64.StdEncoding.EncodeToString([]byte(f.Content.Reveal()))
	}
	return out
}

func sectionID(item Item, label string) string { return MakeID("section", item.ID, label) }

// currentCode returns the one-time password of a field; empty where it is none.
func currentCode(f Field) string {
	if !strings.EqualFold(f.Type, TypeOTP) {
		return ""
	}
	key, err := totp.Parse(f.Value.Reveal())
	if err != nil {
		return ""
	}
	return key.Code(time.Now())
}

// state returns when the vaults were read, and how often they were changed since the start.
func (s *Server) state() (loaded time.Time, changes int) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.loaded, s.changes
}
