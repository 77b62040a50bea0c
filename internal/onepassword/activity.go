package onepassword

import (
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

const (
	// maxActivity bounds how many requests are remembered.
	maxActivity = 1_000
	// maxUserAgent bounds what is remembered of a client's name, in bytes.
	maxUserAgent = 200
	// activityPage is how many are told of at a time, unless a client says so.
	activityPage = 50
)

// activity remembers the requests for vaults and items: who asked for what,
// and whether they got it.
type activity struct {
	mu     sync.Mutex
	number int
	list   []wireActivity // the oldest first
}

type wireActivity struct {
	RequestID string       `json:"requestId"`
	Timestamp time.Time    `json:"timestamp"`
	Action    string       `json:"action"`
	Result    string       `json:"result"`
	Actor     wireActor    `json:"actor"`
	Resource  wireResource `json:"resource"`
}

type wireActor struct {
	ID        string `json:"id"`
	Account   string `json:"account"`
	JTI       string `json:"jti"`
	UserAgent string `json:"userAgent"`
	RequestIP string `json:"requestIp"`
}

type wireResource struct {
	Type        string   `json:"type"`
	Vault       wireRef  `json:"vault"`
	Item        *wireRef `json:"item,omitempty"`
	ItemVersion int      `json:"itemVersion,omitempty"`
}

var actions = map[string]string{http.MethodPost: "CREATE", http.MethodPut: "UPDATE", http.MethodPatch: "UPDATE", http.MethodDelete: "DELETE"}

func (a *activity) add(of *access, r *http.Request, status int) {
	entry := wireActivity{
		Timestamp: time.Now().UTC(), Action: "READ", Result: "SUCCESS",
		Actor:    wireActor{ID: uuid("token", of.token.Name), JTI: of.token.Name, UserAgent: r.UserAgent()},
		Resource: wireResource{Type: "VAULT", Vault: wireRef{ID: of.vault}},
	}
	if action := actions[r.Method]; action != "" {
		entry.Action = action
	}
	if status >= http.StatusBadRequest {
		entry.Result = "DENY"
	}
	if of.item != "" {
		entry.Resource.Type, entry.Resource.Item, entry.Resource.ItemVersion = "ITEM", &wireRef{ID: of.item}, of.version
	}
	entry.Actor.UserAgent = entry.Actor.UserAgent[:min(len(entry.Actor.UserAgent), maxUserAgent)]
	entry.Actor.RequestIP, _, _ = net.SplitHostPort(r.RemoteAddr)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.number++
	entry.RequestID = uuid("request", strconv.Itoa(a.number), entry.Timestamp.String())
	if len(a.list) >= maxActivity {
		a.list = append(a.list[:0], a.list[len(a.list)-maxActivity/2:]...)
	}
	a.list = append(a.list, entry)
}

// visible returns what a token may know of, the newest first.
func (a *activity) visible(in map[string]bool) []wireActivity {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := []wireActivity{}
	for i := len(a.list) - 1; i >= 0; i-- {
		if in[a.list[i].Resource.Vault.ID] {
			out = append(out, a.list[i])
		}
	}
	return out
}

// uuid returns one that depends on the parts only.
func uuid(parts ...string) string {
	id := fmt.Sprintf("%x", MakeID(parts...))
	return id[:8] + "-" + id[8:12] + "-4" + id[13:16] + "-8" + id[17:20] + "-" + id[20:32]
}

// listActivity tells of the requests for the vaults that the token reaches.
func (s *Server) listActivity(w http.ResponseWriter, r *http.Request) {
	limit, ok := number(w, r, "limit", activityPage)
	if !ok {
		return
	}
	offset, ok := number(w, r, "offset", 0)
	if !ok {
		return
	}
	reached := map[string]bool{}
	for _, v := range s.allVaults(filter{}) {
		if accessOf(r).token.reaches(v) {
			reached[v.ID] = true
		}
	}
	all := s.activity.visible(reached)
	offset = min(offset, len(all))
	page := all[offset:min(offset+min(limit, maxActivity), len(all))]
	w.Header().Set("Content-Range", fmt.Sprintf("%d-%d/%d", min(offset+1, len(all)), offset+len(page), len(all)))
	reply(w, page)
}

// number reads a number of a request's query that is not negative.
func number(w http.ResponseWriter, r *http.Request, name string, otherwise int) (int, bool) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return otherwise, true
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > 1<<30 {
		fail(w, http.StatusBadRequest, "Invalid "+name)
		return 0, false
	}
	return n, true
}
