// Package buckettest is a small S3-compatible server for tests: buckets that
// are listed in pages and objects that are read, in path style. It judges the
// signatures of requests by the published rules of version 4, on its own.
package buckettest

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/xml"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Server holds buckets. Its exported fields are set before requests come in.
type Server struct {
	// Keys are the secret keys by access key. Without any, nothing need be
	// signed.
	Keys map[string]string
	// Tokens are the session tokens that access keys need, if any.
	Tokens map[string]string
	// Region is where all buckets are.
	Region string
	// PageSize is how many objects a page of a listing holds.
	PageSize int
	// Intercept answers a request itself and returns true, or leaves it alone.
	Intercept func(w http.ResponseWriter, r *http.Request) bool

	mu      sync.Mutex
	buckets map[string]map[string]object
	seen    []string
}

type object struct {
	content, tag string
	at           time.Time
}

// New returns a server without buckets.
func New() *Server {
	return &Server{Region: "us-east-1", PageSize: 2, buckets: map[string]map[string]object{}}
}

// Start serves on loopback until the test ends, and returns host and port.
func (s *Server) Start(t testing.TB) string {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// Put stores objects in a bucket, which it makes.
func (s *Server) Put(bucket string, objects map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.buckets[bucket] == nil {
		s.buckets[bucket] = map[string]object{}
	}
	for key, content := range objects {
		s.buckets[bucket][key] = object{content, Tag(content), time.Now()}
	}
}

// Delete removes an object.
func (s *Server) Delete(bucket, key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.buckets[bucket], key)
}

// Drop removes a bucket.
func (s *Server) Drop(bucket string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.buckets, bucket)
}

// Got returns the objects that were read since it was last asked, in order.
func (s *Server) Got() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := s.seen
	s.seen = nil
	slices.Sort(seen)
	return seen
}

// Tag is the entity tag of an object.
func Tag(content string) string {
	sum := md5.Sum([]byte(content))
	return hex.EncodeToString(sum[:])
}

// ServeHTTP is http.Handler's.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.Intercept != nil && s.Intercept(w, r) {
		return
	}
	if len(s.Keys) > 0 {
		if err := s.judge(r); err != nil {
			fail(w, r, http.StatusForbidden, "SignatureDoesNotMatch", err.Error())
			return
		}
	}
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	s.mu.Lock()
	defer s.mu.Unlock()
	objects, ok := s.buckets[bucket]
	query := r.URL.Query()
	switch {
	case !ok:
		fail(w, r, http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist")
	case key != "":
		s.object(w, r, objects, key)
	case query.Has("location"):
		answer(w, location{Region: s.Region})
	case r.Method == http.MethodHead:
		w.WriteHeader(http.StatusOK)
	case query.Get("list-type") == "2":
		s.list(w, objects, query.Get("prefix"), query.Get("continuation-token"))
	default:
		fail(w, r, http.StatusNotImplemented, "NotImplemented", r.URL.RawQuery)
	}
}

func (s *Server) object(w http.ResponseWriter, r *http.Request, objects map[string]object, key string) {
	found, ok := objects[key]
	if !ok {
		fail(w, r, http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
		return
	}
	if r.Method == http.MethodGet {
		s.seen = append(s.seen, key)
	}
	w.Header().Set("ETag", `"`+found.tag+`"`)
	w.Header().Set("Last-Modified", found.at.UTC().Format(http.TimeFormat))
	w.Header().Set("Content-Length", strconv.Itoa(len(found.content)))
	_, _ = w.Write([]byte(found.content)) // a reader may go
}

type (
	location struct {
		XMLName xml.Name `xml:"LocationConstraint"`
		Region  string   `xml:",chardata"`
	}
	page struct {
		XMLName   xml.Name `xml:"ListBucketResult"`
		Truncated bool     `xml:"IsTruncated"`
		Next      string   `xml:"NextContinuationToken,omitempty"`
		Contents  []entry
	}
	entry struct {
		Key          string
		ETag         string
		Size         int
		LastModified string
	}
	failure struct {
		XMLName xml.Name `xml:"Error"`
		Code    string
		Message string
	}
)

func (s *Server) list(w http.ResponseWriter, objects map[string]object, prefix, after string) {
	var p page
	for _, key := range slices.Sorted(maps.Keys(objects)) {
		if !strings.HasPrefix(key, prefix) || after != "" && key <= after {
			continue
		}
		if len(p.Contents) == s.PageSize {
			p.Truncated, p.Next = true, p.Contents[len(p.Contents)-1].Key
			break
		}
		o := objects[key]
		p.Contents = append(p.Contents, entry{key, `"` + o.tag + `"`, len(o.content), o.at.UTC().Format(time.RFC3339)})
	}
	answer(w, p)
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/xml")
	_ = xml.NewEncoder(w).Encode(v) // a reader may go
}

func fail(w http.ResponseWriter, r *http.Request, status int, code, message string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_ = xml.NewEncoder(w).Encode(failure{Code: code, Message: message})
	}
}
