package onepassword_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hearth/internal/onepassword"
)

const patchedVault = `
vaults:
  - name: Kubernetes
    id: kkkkkkkkkkkkkkkkkkkkkkkkkk
    items:
      - title: immich
        id: iiiiiiiiiiiiiiiiiiiiiiiiii
        tags: [one, two]
        fields:
          - {label: user, id: first, value: me, type: STRING, section: login}
          - {label: DB_PASSWORD, id: second, value: c4n4ry-old}
        files: [{name: notes, content: kept}]
`

// patched is what tests look at in an item.
type patched struct {
	Title    string   `json:"title"`
	Favorite bool     `json:"favorite"`
	Version  int      `json:"version"`
	Tags     []string `json:"tags"`
	Fields   []struct {
		ID, Label, Type, Value string
		Section                *struct{ ID string }
	} `json:"fields"`
	Files []struct{ Name string } `json:"files"`
}

func (p patched) text() string {
	var fields []string
	for _, f := range p.Fields {
		id := f.ID
		if onepassword.IsID(id) {
			id = "new"
		}
		fields = append(fields, fmt.Sprintf("%s %s %s=%s", id, f.Type, f.Label, f.Value))
	}
	return fmt.Sprintf("%s %v v%d %v [%s] %d files", p.Title, p.Favorite, p.Version, p.Tags, strings.Join(fields, ", "), len(p.Files))
}

func TestPatch(t *testing.T) {
	const user, db = "first STRING user=me", "second CONCEALED DB_PASSWORD=c4n4ry-old"
	tests := []struct{ name, patch, want string }{
		{"nothing", `[]`, "immich false v2 [one two] [" + user + ", " + db + "] 1 files"},
		{"attributes", `[{"op":"replace","path":"/title","value":"new"},{"op":"replace","path":"/favorite","value":true}]`, "new true v2 [one two] [" + user + ", " + db + "] 1 files"},
		{"a tag", `[{"op":"remove","path":"/tags/1"}]`, "immich false v2 [one] [" + user + ", " + db + "] 1 files"},
		{"add a tag", `[{"op":"add","path":"/tags/-","value":"three"}]`, "immich false v2 [one two three] [" + user + ", " + db + "] 1 files"},
		{"all tags", `[{"op":"replace","path":"/tags","value":["x"]}]`, "immich false v2 [x] [" + user + ", " + db + "] 1 files"},
		{"add a field", `[{"op":"add","path":"/fields","value":{"label":"f","type":"string","value":"v"}}]`, "immich false v2 [one two] [" + user + ", " + db + ", new STRING f=v] 1 files"},
		{"replace a field", `[{"op":"replace","path":"/fields/second","value":{"label":"f","type":"STRING","value":"v"}}]`, "immich false v2 [one two] [" + user + ", second STRING f=v] 1 files"},
		{"a field's value", `[{"op":"replace","path":"/fields/second/value","value":"v"}]`, "immich false v2 [one two] [" + user + ", second CONCEALED DB_PASSWORD=v] 1 files"},
		{"no value", `[{"op":"remove","path":"/fields/second/value"}]`, "immich false v2 [one two] [" + user + ", second CONCEALED DB_PASSWORD=] 1 files"},
		{"remove fields", `[{"op":"remove","path":"/fields/first"},{"op":"remove","path":"/fields/second"}]`, "immich false v2 [one two] [] 1 files"},
		{"the whole item", `[{"op":"replace","path":"/","value":{"title":"other","category":"LOGIN"}}]`, "other false v2 [] [] 1 files"},
	}
	for _, o := range []onepassword.Writes{onepassword.WritesKept, onepassword.WritesSaved} {
		for _, tt := range tests {
			s, url := serve(t, onepassword.ServerOptions{File: writeVault(t, patchedVault), Writes: o})
			path := url + "/v1/vaults/kkkkkkkkkkkkkkkkkkkkkkkkkk/items/iiiiiiiiiiiiiiiiiiiiiiiiii"
			answer, body := ask(t, http.MethodPatch, path, s.Token(), tt.patch)
			if answer.StatusCode != http.StatusOK {
				t.Errorf("%s: %s %s", tt.name, answer.Status, body)
				continue
			}
			_, read := ask(t, http.MethodGet, path, s.Token(), "")
			if diff := cmp.Diff(tt.want, decode[patched](t, read).text()); diff != "" {
				t.Errorf("%s, writes %d: %s", tt.name, o, diff)
			}
			if diff := cmp.Diff(decode[patched](t, body), decode[patched](t, read)); diff != "" {
				t.Errorf("%s: the answer is not what is read then: %s", tt.name, diff)
			}
		}
	}
}

func TestPatchErrors(t *testing.T) {
	s, url := serve(t, onepassword.ServerOptions{File: writeVault(t, patchedVault)})
	path := url + "/v1/vaults/kkkkkkkkkkkkkkkkkkkkkkkkkk/items/iiiiiiiiiiiiiiiiiiiiiiiiii"
	for _, patch := range []string{
		"", "{}", "[1]", `[{"op":"move","path":"/title"}]`, `[{"op":"add","path":"title","value":"c4n4ry"}]`,
		`[{"op":"replace","path":"/fields/none/value","value":"c4n4ry"}]`, `[{"op":"remove","path":"/fields/none"}]`,
		`[{"op":"replace","path":"/title/x","value":"c4n4ry"}]`, `[{"op":"remove","path":"/"}]`, `[{"op":"replace","path":"/","value":"c4n4ry"}]`,
		`[{"op":"replace","path":"/title","value":""}]`, `[{"op":"replace","path":"/category","value":"c4n4ry"}]`,
		`[{"op":"replace","path":"/vault/id","value":"c4n4ry"}]`, `[{"op":"replace","path":"/fields/first/type","value":"c4n4ry"}]`,
		`[{"op":"replace","path":"/fields","value":[{"id":"a","label":"c4n4ry"},{"id":"a","label":"c4n4ry"}]}]`,
		"[" + strings.TrimSuffix(strings.Repeat(`{"op":"remove","path":"/x"},`, 1001), ",") + "]",
	} {
		answer, body := ask(t, http.MethodPatch, path, s.Token(), patch)
		if answer.StatusCode != http.StatusBadRequest || strings.Contains(body, canary) {
			t.Errorf("%.80s: %s %s", patch, answer.Status, body)
		}
	}
	if answer, _ := ask(t, http.MethodPatch, path, s.Token(), `["`+strings.Repeat("x", 5<<20)+`"]`); answer.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("a body of 5 MiB: %s", answer.Status)
	}
	if _, body := ask(t, http.MethodGet, path, s.Token(), ""); decode[patched](t, body).Version != 1 {
		t.Error("a patch with a fault changed the item")
	}
}

func TestActivity(t *testing.T) {
	token := fmt.Sprintf("tokens: [{name: reader, sha256: %x, vaults: [Other]}]\n", sha256.Sum256([]byte(canary)))
	s, url := serve(t, onepassword.ServerOptions{File: writeVault(t, vaultFile+token)})
	kubernetes, other := s.Vaults()[0], s.Vaults()[1]
	ask(t, http.MethodGet, url+"/v1/vaults", s.Token(), "")
	ask(t, http.MethodGet, url+"/v1/vaults/"+kubernetes.ID+"/items", s.Token(), "")
	ask(t, http.MethodGet, url+"/v1/vaults/"+other.ID+"/items/bbbbbbbbbbbbbbbbbbbbbbbbbb", canary, "")
	ask(t, http.MethodDelete, url+"/v1/vaults/"+other.ID+"/items/bbbbbbbbbbbbbbbbbbbbbbbbbb", canary, "")
	ask(t, http.MethodGet, url+"/v1/vaults/"+kubernetes.ID, canary, "")
	ask(t, http.MethodDelete, url+"/v1/vaults/"+other.ID+"/items/bbbbbbbbbbbbbbbbbbbbbbbbbb", s.Token(), "")
	type request struct {
		Action, Result string
		Actor          struct{ JTI string }
		Resource       struct {
			Type  string
			Vault struct{ ID string }
			Item  struct{ ID string }
		}
	}
	list := func(token, query string) (string, []string) {
		answer, body := ask(t, http.MethodGet, url+"/v1/activity"+query, token, "")
		if answer.StatusCode != http.StatusOK {
			t.Fatalf("%s %s", answer.Status, body)
		}
		if strings.Contains(body, canary) {
			t.Error("a token, or a value, is told")
		}
		var lines []string
		for _, r := range decode[[]request](t, body) {
			lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %s %s %s %.1s %.1s", r.Actor.JTI, r.Action, r.Resource.Type, r.Result, r.Resource.Vault.ID, r.Resource.Item.ID)))
		}
		return answer.Header.Get("Content-Range"), lines
	}
	k := kubernetes.ID[:1]
	all := []string{
		"hearth DELETE ITEM SUCCESS a b", "reader READ VAULT DENY " + k, "reader DELETE VAULT DENY a", "reader READ ITEM SUCCESS a b", "hearth READ VAULT SUCCESS " + k,
	}
	span, lines := list(s.Token(), "")
	if diff := cmp.Diff(all, lines); diff != "" || span != "1-5/5" {
		t.Errorf("%s: %s", span, diff)
	}
	span, lines = list(s.Token(), "?limit=2&offset=1")
	if diff := cmp.Diff(all[1:3], lines); diff != "" || span != "2-3/5" {
		t.Errorf("%s: %s", span, diff)
	}
	if span, lines = list(canary, "?offset=10"); len(lines) != 0 || span != "3-3/3" {
		t.Errorf("the reader's, from the tenth: %s %v", span, lines)
	}
	if _, lines = list(canary, ""); slices.ContainsFunc(lines, func(l string) bool { return strings.Contains(l, " "+k) && k != "a" }) || len(lines) != 3 {
		t.Errorf("the reader sees %v", lines)
	}
	for _, query := range []string{"?limit=x", "?offset=-1"} {
		if answer, _ := ask(t, http.MethodGet, url+"/v1/activity"+query, canary, ""); answer.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %s", query, answer.Status)
		}
	}
}

// TestActivityIsBounded makes more requests than are remembered.
func TestActivityIsBounded(t *testing.T) {
	s, err := onepassword.NewServer(onepassword.ServerOptions{File: writeVault(t, vaultFile)})
	if err != nil {
		t.Fatal(err)
	}
	url := listening(t, s)
	for range 1_200 {
		ask(t, http.MethodGet, url+"/v1/vaults/aaaaaaaaaaaaaaaaaaaaaaaaaa", s.Token(), "")
	}
	answer, body := ask(t, http.MethodGet, url+"/v1/activity?limit=5000", s.Token(), "")
	if n := len(decode[[]json.RawMessage](t, body)); n < 500 || n > 1_000 {
		t.Errorf("%d are remembered, %s", n, answer.Header.Get("Content-Range"))
	}
}

func TestInlineFiles(t *testing.T) {
	s, url := serve(t, onepassword.ServerOptions{File: writeVault(t, `
vaults:
  - name: v
    id: kkkkkkkkkkkkkkkkkkkkkkkkkk
    items:
      - {title: small, id: iiiiiiiiiiiiiiiiiiiiiiiiii, files: [{name: a, content: text}]}
      - {title: large, id: llllllllllllllllllllllllll, files: [{name: a, content: `+strings.Repeat("x", 101<<10)+`}]}
`)})
	items := url + "/v1/vaults/kkkkkkkkkkkkkkkkkkkkkkkkkk/items/"
	type file struct{ Content []byte }
	_, body := ask(t, http.MethodGet, items+"iiiiiiiiiiiiiiiiiiiiiiiiii/files?inline_files=true", s.Token(), "")
	if files := decode[[]file](t, body); len(files) != 1 || string(files[0].Content) != "text" {
		t.Errorf("%d files", len(files))
	}
	_, body = ask(t, http.MethodGet, items+"iiiiiiiiiiiiiiiiiiiiiiiiii/files", s.Token(), "")
	if files := decode[[]file](t, body); len(files) != 1 || files[0].Content != nil {
		t.Error("the content came though nobody asked for it")
	}
	if answer, _ := ask(t, http.MethodGet, items+"llllllllllllllllllllllllll/files?inline_files=true", s.Token(), ""); answer.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("a large one: %s", answer.Status)
	}
}

func FuzzPatch(f *testing.F) {
	f.Add(`[{"op":"add","path":"/fields","value":{"label":"f"}},{"op":"remove","path":"/tags/0"}]`)
	f.Add(`[{"op":"replace","path":"/fields/first/section/id","value":null}]`)
	f.Add(`[{"op":"replace","path":"/","value":{"title":"a","fields":[null,{}]}}]`)
	s, err := onepassword.NewServer(onepassword.ServerOptions{File: writeVault(f, patchedVault)})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, patch string) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, "/v1/vaults/kkkkkkkkkkkkkkkkkkkkkkkkkk/items/iiiiiiiiiiiiiiiiiiiiiiiiii", strings.NewReader(patch))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+s.Token())
		answer := &recorded{header: http.Header{}}
		s.ServeHTTP(answer, request)
		if answer.status != 0 && answer.status != http.StatusBadRequest {
			t.Errorf("status %d", answer.status)
		}
	})
}

// recorded is an answer of which only the status counts.
type recorded struct {
	header http.Header
	status int
}

func (r *recorded) Header() http.Header         { return r.header }
func (r *recorded) Write(p []byte) (int, error) { return len(p), nil }
func (r *recorded) WriteHeader(status int)      { r.status = status }
