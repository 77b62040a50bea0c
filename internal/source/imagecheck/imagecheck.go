// Package imagecheck looks container images up at their registries, without
// pulling them: whether the tag or the digest exists, whether the digest is
// still the tag's, and whether there is an image for a node's platform.
//
// It promises to be a quiet guest: answers are kept on disk, only so many
// requests a second go to a registry, a few of them at a time, and one that
// refuses a request as too many is left alone for a while. What cannot be found out is Unknown, and is
// never taken for a missing image.
package imagecheck

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"golang.org/x/sync/singleflight"
)

// Bounds of a look-up.
const (
	turnTimeout = 10 * time.Minute // until it is its turn
	lookTimeout = 30 * time.Second // from then on
)

// Verdict says what was found out of an image.
type Verdict string

// The verdicts.
const (
	Fine          Verdict = "fine"
	Missing       Verdict = "missing"
	Denied        Verdict = "denied"        // to somebody without credentials
	OtherPlatform Verdict = "otherPlatform" // there is none for the node
	Unknown       Verdict = "unknown"       // the registry could not say
)

// Question names an image. Without a digest the tag counts.
type Question struct {
	Registry, Repository, Tag, Digest string
	// Platform is such as "linux/amd64".
	Platform string
}

// Answer is what a registry says of an image.
type Answer struct {
	Verdict Verdict `json:"verdict"`
	// Moved is what the tag leads to, where that is not the digest that was
	// asked for with it.
	Moved string `json:"moved,omitempty"`
	// Reason says why the verdict is Unknown.
	Reason string    `json:"-"`
	Time   time.Time `json:"time"`
}

// Options says how to ask.
type Options struct {
	// CacheDir is where answers are kept; "" keeps them in memory alone.
	CacheDir string
	// RefusePrivate refuses registries on private networks and on this machine.
	RefusePrivate bool
}

// Checker looks images up. Its methods may be called concurrently.
type Checker struct {
	options Options
	flights singleflight.Group

	mu      sync.Mutex
	answers map[Question]Answer
	doors   map[string]*door // by registry
}

// New returns a checker.
func New(o Options) (*Checker, error) {
	if o.CacheDir != "" {
		o.CacheDir = filepath.Join(o.CacheDir, "images")
		if err := os.MkdirAll(o.CacheDir, 0o700); err != nil {
			return nil, fmt.Errorf("make the folder for what registries said: %w", err)
		}
	}
	return &Checker{options: o, answers: map[Question]Answer{}, doors: map[string]*door{}}, nil
}

// Look returns what the image's registry says of it, or said not long ago.
func (c *Checker) Look(ctx context.Context, q Question) Answer {
	if a, ok := c.kept(q); ok {
		return a
	}
	// Whoever asks first asks for all; that it may give up must not concern
	// the others.
	found := c.flights.DoChan(fmt.Sprint(q), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), turnTimeout)
		defer cancel()
		a := c.ask(ctx, q)
		c.keep(q, a)
		return a, nil
	})
	select {
	case <-ctx.Done():
		return unknown(ctx.Err())
	case r := <-found:
		return r.Val.(Answer)
	}
}

func unknown(err error) Answer {
	return Answer{Verdict: Unknown, Reason: err.Error(), Time: time.Now()}
}

// ask asks the registry, when it is this question's turn.
func (c *Checker) ask(ctx context.Context, q Question) Answer {
	repository, err := name.NewRepository(q.Registry + "/" + q.Repository)
	if err != nil {
		return unknown(err)
	}
	d := c.door(repository.Registry)
	leave, err := d.enter(ctx)
	if err != nil {
		return unknown(err)
	}
	defer leave()
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	a, err := lookUp(ctx, d, repository, q)
	if err != nil {
		return d.failed(err)
	}
	a.Time = time.Now()
	return a
}

// door returns the way to a registry.
func (c *Checker) door(registry name.Registry) *door {
	c.mu.Lock()
	defer c.mu.Unlock()
	host := registry.RegistryStr()
	if c.doors[host] == nil {
		c.doors[host] = newDoor(registry, c.options.RefusePrivate)
	}
	return c.doors[host]
}
