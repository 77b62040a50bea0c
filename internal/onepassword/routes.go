package onepassword

import (
	"encoding/json"
	"fmt"
	"net/http"
)

func (s *Server) routes() *http.ServeMux {
	mux := http.NewServeMux()
	for pattern, handler := range map[string]http.HandlerFunc{
		"GET /v1/activity":                                         s.listActivity,
		"GET /v1/vaults":                                           s.listVaults,
		"GET /v1/vaults/{vault}":                                   s.getVault,
		"GET /v1/vaults/{vault}/items":                             s.listItems,
		"GET /v1/vaults/{vault}/items/{item}":                      s.getItem,
		"GET /v1/vaults/{vault}/items/{item}/files":                s.listFiles,
		"GET /v1/vaults/{vault}/items/{item}/files/{file}":         s.getFile,
		"GET /v1/vaults/{vault}/items/{item}/files/{file}/content": s.getContent,
	} {
		mux.HandleFunc(pattern, s.guarded(handler))
	}
	for pattern, handler := range map[string]http.HandlerFunc{
		"POST /v1/vaults/{vault}/items":          s.createItem,
		"PUT /v1/vaults/{vault}/items/{item}":    s.replaceItem,
		"PATCH /v1/vaults/{vault}/items/{item}":  s.patchItem,
		"DELETE /v1/vaults/{vault}/items/{item}": s.deleteItem,
	} {
		mux.HandleFunc(pattern, s.guardedWrite(handler))
	}
	mux.HandleFunc("GET /heartbeat", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		fmt.Fprint(w, ".")
	})
	mux.HandleFunc("GET /health", s.health)
	mux.HandleFunc("GET /metrics", s.metrics)
	mux.HandleFunc("/v1/", s.guarded(func(w http.ResponseWriter, _ *http.Request) { fail(w, http.StatusNotFound, "Not found") }))
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fail(w, http.StatusNotFound, "Not found") })
	return mux
}

func (s *Server) listVaults(w http.ResponseWriter, r *http.Request) {
	f, ok := readFilter(w, r, "name", "title") // clients use either
	if !ok {
		return
	}
	out := []wireVault{}
	for _, v := range s.allVaults(f) {
		if f.passes("name", v.Name) && f.passes("title", v.Name) && accessOf(r).token.reaches(v) {
			out = append(out, s.wireVault(v))
		}
	}
	reply(w, out)
}

func (s *Server) getVault(w http.ResponseWriter, r *http.Request) {
	if v, ok := s.vaultOf(w, r); ok {
		reply(w, s.wireVault(v))
	}
}

func (s *Server) listItems(w http.ResponseWriter, r *http.Request) {
	v, ok := s.vaultOf(w, r)
	if !ok {
		return
	}
	f, ok := readFilter(w, r, "title", "tag")
	if !ok {
		return
	}
	out := []wireItem{}
	for _, item := range v.Items {
		if f.passes("title", item.Title) && f.passes("tag", item.Tags...) && !s.hides(v, item.Title) {
			out = append(out, s.wireItem(v, item, false))
		}
	}
	if f.attribute == "title" && len(out) == 0 {
		if item, ok := s.makeUp(v, f.text); ok {
			out = append(out, s.wireItem(v, item, false))
		}
	}
	reply(w, out)
}

func (s *Server) getItem(w http.ResponseWriter, r *http.Request) {
	if v, item, ok := s.itemOf(w, r); ok {
		reply(w, s.wireItem(v, s.shown(v, s.supplement(v, item)), true))
	}
}

func (s *Server) listFiles(w http.ResponseWriter, r *http.Request) {
	if v, item, ok := s.itemOf(w, r); ok {
		if out, ok := wireFiles(w, r, v, item, s.shown(v, item).Files); ok {
			reply(w, out)
		}
	}
}

func (s *Server) getFile(w http.ResponseWriter, r *http.Request) {
	if v, item, f, ok := s.fileOf(w, r); ok {
		if out, ok := wireFiles(w, r, v, item, []File{f}); ok {
			reply(w, out[0])
		}
	}
}

// maxInline bounds the files whose content a list may hold, in bytes.
const maxInline = 100 << 10

// wireFiles returns files with their content if the request asks for it, or
// answers that one is too large for that.
func wireFiles(w http.ResponseWriter, r *http.Request, v Vault, item Item, files []File) ([]wireFile, bool) {
	inline := r.URL.Query().Get("inline_files") == "true"
	out := []wireFile{}
	for _, f := range files {
		if inline && f.Size > maxInline {
			fail(w, http.StatusRequestEntityTooLarge, "File is too large to inline in request. Use the /v1/vaults/{vaultUUID}/items/{itemUUID}/files/{fileUUID}/content endpoint instead.")
			return nil, false
		}
		out = append(out, makeWireFile(v, item, f, inline))
	}
	return out, true
}

func (s *Server) getContent(w http.ResponseWriter, r *http.Request) {
	if _, _, f, ok := s.fileOf(w, r); ok {
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Write([]byte(f.Content.Reveal())) //nolint:errcheck // the client is gone
	}
}

// itemOf returns the item that a request names, or answers that there is none.
func (s *Server) itemOf(w http.ResponseWriter, r *http.Request) (Vault, Item, bool) {
	v, ok := s.vaultOf(w, r)
	if !ok {
		return v, Item{}, false
	}
	id := r.PathValue("item")
	if !IsID(id) {
		fail(w, http.StatusBadRequest, "Invalid Item UUID")
		return v, Item{}, false
	}
	a := accessOf(r)
	a.item = id
	for _, item := range v.Items {
		if item.ID == id && !s.hides(v, item.Title) {
			a.version = max(item.Version, 1)
			return v, item, true
		}
	}
	if item, ok := s.madeUp(v, id); ok {
		return v, item, true
	}
	fail(w, http.StatusNotFound, fmt.Sprintf("item %s not found", id))
	return v, Item{}, false
}

func (s *Server) fileOf(w http.ResponseWriter, r *http.Request) (Vault, Item, File, bool) {
	v, item, ok := s.itemOf(w, r)
	if !ok {
		return v, item, File{}, false
	}
	for _, f := range s.shown(v, item).Files {
		if f.ID == r.PathValue("file") {
			return v, item, f, true
		}
	}
	fail(w, http.StatusNotFound, "File not found")
	return v, item, File{}, false
}

func reply(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(body) //nolint:errcheck // the client is gone
}

// fail answers with an error as Connect writes it.
func fail(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(struct { //nolint:errcheck // the client is gone
		Status  int    `json:"status"`
		Message string `json:"message"`
	}{status, message})
}
