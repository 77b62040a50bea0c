package cloudflare_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const token = "s3cr3t-token-that-is-nowhere-shown"

// api is an HTTP server with the contract of
// https://developers.cloudflare.com/api/resources/dns/subresources/records/ and
// of its zones, as far as records are kept by it.
type api struct {
	*httptest.Server

	mu      sync.Mutex
	zones   map[string]map[string]entry // by name, by id
	next    int
	busy    int // so many requests are turned away first
	batches int
	pages   int
}

type entry struct {
	ID       string         `json:"id"`
	Name     string         `json:"name"`
	Type     string         `json:"type"`
	Content  string         `json:"content"`
	TTL      int            `json:"ttl"`
	Proxied  *bool          `json:"proxied,omitempty"`
	Priority *int           `json:"priority,omitempty"`
	Data     map[string]any `json:"data,omitempty"`
	Comment  string         `json:"comment,omitempty"`
}

func newAPI(t *testing.T, zones ...string) *api {
	a := &api{zones: map[string]map[string]entry{}}
	for _, zone := range zones {
		a.zones[zone] = map[string]entry{}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /client/v4/zones", a.listZones)
	mux.HandleFunc("GET /client/v4/zones/{zone}/dns_records", a.listRecords)
	mux.HandleFunc("POST /client/v4/zones/{zone}/dns_records/batch", a.batch)
	a.Server = httptest.NewServer(a.guard(mux))
	t.Cleanup(a.Close)
	return a
}

func (a *api) url() string { return a.URL + "/client/v4" }

// put makes a record that was there before.
func (a *api) put(zone string, e entry) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.store(zone, e)
}

func (a *api) store(zone string, e entry) {
	a.next++
	e.ID = fmt.Sprintf("%032d", a.next)
	a.zones[zone][e.ID] = e
}

// lines are the records of all zones in short.
func (a *api) lines() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var list []string
	for _, records := range a.zones {
		for _, e := range records {
			proxied := e.Proxied != nil && *e.Proxied
			list = append(list, fmt.Sprintf("%s %d %s %s proxied=%v %s", e.Name, e.TTL, e.Type, e.Content, proxied, e.Comment))
		}
	}
	slices.Sort(list)
	return list
}

func (a *api) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		defer a.mu.Unlock()
		switch {
		case r.Header.Get("Authorization") != "Bearer "+token:
			refuse(w, http.StatusForbidden, 9109, "Unauthorized to access requested resource")
		case a.busy > 0:
			a.busy--
			w.Header().Set("Retry-After", "0")
			refuse(w, http.StatusTooManyRequests, 10000, "Rate limited")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func refuse(w http.ResponseWriter, status, code int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"success":false,"errors":[{"code":%d,"message":%q}],"messages":[],"result":null}`, code, message)
}

// answer sends one page of a list.
func answer[T any](w http.ResponseWriter, r *http.Request, all []T) {
	page, _ := strconv.Atoi(r.URL.Query().Get("page"))
	size, _ := strconv.Atoi(r.URL.Query().Get("per_page"))
	page, size = max(page, 1), max(size, 1)
	from, to := min((page-1)*size, len(all)), min(page*size, len(all))
	result := all[from:to]
	if result == nil {
		result = []T{}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"success": true, "errors": []any{}, "messages": []any{}, "result": result,
		"result_info": map[string]int{"page": page, "per_page": size, "count": len(result), "total_count": len(all), "total_pages": (len(all) + size - 1) / size},
	})
}

func (a *api) listZones(w http.ResponseWriter, r *http.Request) {
	var list []map[string]string
	for _, name := range slices.Sorted(maps.Keys(a.zones)) {
		list = append(list, map[string]string{"id": "id-" + name, "name": name})
	}
	answer(w, r, list)
}

func (a *api) listRecords(w http.ResponseWriter, r *http.Request) {
	a.pages++
	records := a.zones[strings.TrimPrefix(r.PathValue("zone"), "id-")]
	var list []entry
	for _, id := range slices.Sorted(maps.Keys(records)) {
		list = append(list, records[id])
	}
	answer(w, r, list)
}

// batch carries everything out, or nothing.
func (a *api) batch(w http.ResponseWriter, r *http.Request) {
	a.batches++
	zone := strings.TrimPrefix(r.PathValue("zone"), "id-")
	var body struct{ Deletes, Patches, Posts []entry }
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		refuse(w, http.StatusBadRequest, 9207, "Request body is invalid.")
		return
	}
	before := maps.Clone(a.zones[zone])
	for _, e := range body.Deletes {
		delete(a.zones[zone], e.ID)
	}
	for _, e := range body.Patches {
		old := a.zones[zone][e.ID]
		e.Comment = old.Comment
		a.zones[zone][e.ID] = e
	}
	for _, e := range body.Posts {
		a.store(zone, e)
	}
	if bad := a.check(zone); bad != "" {
		a.zones[zone] = before
		refuse(w, http.StatusBadRequest, 9005, bad)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprint(w, `{"success":true,"errors":[],"messages":[],"result":{"deletes":[],"patches":[],"puts":[],"posts":[]}}`)
}

// check says what Cloudflare would not take.
func (a *api) check(zone string) string {
	for _, e := range a.zones[zone] {
		switch {
		case e.Type == "A" && strings.HasPrefix(e.Content, "0."):
			return "Content for A record must be a valid IPv4 address."
		case e.TTL != 1 && (e.TTL < 60 || e.TTL > 86400):
			return "Invalid TTL. Must be between 60 and 86400 seconds, or 1 for Automatic."
		case e.Proxied != nil && *e.Proxied && e.TTL != 1:
			return "ttl must be set to 1 when proxied is true"
		case !strings.HasSuffix(e.Name, zone):
			return "DNS name is invalid."
		}
	}
	return ""
}
