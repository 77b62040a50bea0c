package imagecheck

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// How long answers are believed.
const (
	keepDigest  = 30 * 24 * time.Hour // what a digest names never changes
	keepTag     = time.Hour
	keepMissing = 10 * time.Minute
)

// lasts returns how long an answer is believed.
func lasts(q Question, a Answer) time.Duration {
	switch {
	case a.Verdict == Unknown:
		return 0
	case a.Verdict != Fine && a.Verdict != OtherPlatform:
		return keepMissing
	case q.Digest != "" && q.Tag == "":
		return keepDigest
	}
	return keepTag
}

// kept returns an answer that is still believed.
func (c *Checker) kept(q Question) (Answer, bool) {
	c.mu.Lock()
	a, ok := c.answers[q]
	c.mu.Unlock()
	if !ok {
		a, ok = c.read(q)
	}
	return a, ok && time.Since(a.Time) < lasts(q, a)
}

// keep remembers an answer. That it cannot be written only costs a request.
func (c *Checker) keep(q Question, a Answer) {
	if lasts(q, a) == 0 {
		return
	}
	c.mu.Lock()
	c.answers[q] = a
	c.mu.Unlock()
	if c.options.CacheDir == "" {
		return
	}
	content, err := json.Marshal(a)
	if err != nil {
		return
	}
	draft, err := os.CreateTemp(c.options.CacheDir, ".answer-")
	if err != nil {
		return
	}
	_, err = draft.Write(content)
	if closed := draft.Close(); err == nil && closed == nil && os.Rename(draft.Name(), c.file(q)) == nil {
		return
	}
	_ = os.Remove(draft.Name())
}

// maxKept bounds a file of the cache.
const maxKept = 4096

func (c *Checker) read(q Question) (Answer, bool) {
	if c.options.CacheDir == "" {
		return Answer{}, false
	}
	info, err := os.Stat(c.file(q))
	if err != nil || info.Size() > maxKept {
		return Answer{}, false
	}
	content, err := os.ReadFile(c.file(q))
	var a Answer
	if err != nil || json.Unmarshal(content, &a) != nil || a.Time.After(time.Now()) {
		return Answer{}, false
	}
	switch a.Verdict {
	case Fine, Missing, Denied, OtherPlatform:
		return a, true
	}
	return Answer{}, false
}

func (c *Checker) file(q Question) string {
	return filepath.Join(c.options.CacheDir, fmt.Sprintf("%x.json", sha256.Sum256(fmt.Appendf(nil, "%q", q))))
}
