package onepassword

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// maxBody bounds the body of a request, in bytes.
const maxBody = 4 << 20

func (s *Server) createItem(w http.ResponseWriter, r *http.Request) {
	s.write(w, r, func(v Vault, body []byte) (Item, error) {
		item, err := readItem(v, body)
		now := time.Now().UTC().Truncate(time.Second)
		item.ID, item.Version, item.Created, item.Updated = randomID(), 1, now, now
		accessOf(r).item = item.ID
		return item, err
	})
}

func (s *Server) replaceItem(w http.ResponseWriter, r *http.Request) {
	s.change(w, r, func(v Vault, _ Item, body []byte) (Item, error) { return readItem(v, body) })
}

func (s *Server) patchItem(w http.ResponseWriter, r *http.Request) {
	s.change(w, r, func(v Vault, old Item, body []byte) (Item, error) {
		document, err := json.Marshal(s.wireItem(v, old, true))
		if err != nil {
			return Item{}, err
		}
		patched, err := applyPatch(document, body)
		if err != nil {
			return Item{}, err
		}
		return readItem(v, patched)
	})
}

// change writes what becomes of an item that is there.
func (s *Server) change(w http.ResponseWriter, r *http.Request, change func(v Vault, old Item, body []byte) (Item, error)) {
	s.write(w, r, func(v Vault, body []byte) (Item, error) {
		_, old, ok := s.itemOf(w, r)
		if !ok {
			return Item{}, errAnswered
		}
		item, err := change(v, old, body)
		// Files are uploaded elsewhere, and stay.
		item.ID, item.Files, item.Created = old.ID, old.Files, old.Created
		item.Version, item.Updated = max(old.Version, 1)+1, time.Now().UTC().Truncate(time.Second)
		return item, err
	})
}

func (s *Server) deleteItem(w http.ResponseWriter, r *http.Request) {
	s.writing.Lock()
	defer s.writing.Unlock()
	v, item, ok := s.itemOf(w, r)
	if !ok {
		return
	}
	if err := s.put(written{vault: v, id: item.ID}); err != nil {
		s.notWritten(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// errAnswered says that the request has its answer.
var errAnswered = errors.New("answered")

// invalidError is a request that cannot be carried out. It cites no values.
type invalidError string

func (e invalidError) Error() string { return string(e) }

// write reads a request's body, one at a time, and stores the item that is
// made of it.
func (s *Server) write(w http.ResponseWriter, r *http.Request, make func(v Vault, body []byte) (Item, error)) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		fail(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("The item is larger than %d MiB", maxBody>>20))
		return
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	v, ok := s.vaultOf(w, r)
	if !ok {
		return
	}
	item, err := make(v, body)
	if err == nil {
		err = s.put(written{vault: v, id: item.ID, item: &item})
	}
	if err != nil {
		s.notWritten(w, err)
		return
	}
	accessOf(r).version = item.Version
	reply(w, s.wireItem(v, item, true))
}

func (s *Server) notWritten(w http.ResponseWriter, err error) {
	var invalid invalidError
	switch {
	case errors.Is(err, errAnswered):
	case errors.As(err, &invalid):
		fail(w, http.StatusBadRequest, invalid.Error())
	default:
		// What went wrong with the file is not the client's business.
		fail(w, http.StatusInternalServerError, "The item could not be written to the vault file")
	}
}

// readItem reads an item that a client sent for a vault.
func readItem(v Vault, body []byte) (Item, error) {
	var wire struct {
		receivedItem
		Vault wireRef `json:"vault"`
	}
	if json.Unmarshal(body, &wire) != nil {
		return Item{}, invalidError("The item is not the JSON of an item")
	}
	if wire.Vault.ID != v.ID {
		return Item{}, invalidError("The item's vault is not the one it is sent to")
	}
	item := wire.item(v.ID)
	labels := occurrences{}
	for i := range item.Fields {
		f := &item.Fields[i]
		f.Type, f.Code = strings.ToUpper(f.Type), Value{}
		if f.Type == "" {
			f.Type = "STRING"
		}
		if f.ID == "" {
			f.ID = MakeID("field", f.Section, f.Label, labels.next(f.Section+"\x00"+f.Label))
		}
		if recipe := wire.Fields[i]; recipe.Generate && f.Value.Reveal() == "" {
			var err error
			if f.Value, err = recipe.Recipe.Generate(); err != nil {
				return Item{}, err
			}
		}
	}
	return *item, validate(item)
}

// randomID returns the id of something new.
func randomID() string {
	random := make([]byte, 17)
	rand.Read(random) //nolint:errcheck // never fails
	return strings.ToLower(base32.StdEncoding.EncodeToString(random))[:idLength]
}
