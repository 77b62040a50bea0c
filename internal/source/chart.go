package source

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"hearth/internal/domain"
	"hearth/internal/source/oci"
)

// HelmChartLayer is the media type of the layer that holds a chart's archive.
const HelmChartLayer = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"

// Bounds of what is taken from strangers.
const (
	maxChartBytes = 64 << 20
	maxIndexBytes = 50 << 20
	fetchTimeout  = time.Minute
	// freshFor is how long a tag that was just resolved is not resolved again,
	// so that forty sources of one chart ask its registry once.
	freshFor = 30 * time.Second
	// Now is the MaxAge of what is asked for anew.
	Now = -1
)

// ChartRequest says which chart to fetch, or which artifact of an OCI registry.
type ChartRequest struct {
	// URL is oci://registry/repository, or the http(s) address of a Helm repository.
	URL string
	// Name is the chart's name in an http Helm repository; an OCI URL names it itself.
	Name string
	// Version is an OCI tag, or a version or range of an http Helm repository;
	// empty means the latest. Digest ("sha256:…", of an OCI manifest) goes
	// before SemVer, a range of OCI tags, and that before Version.
	Version, Digest, SemVer string
	// SemVerFilter is a regular expression that tags must match where SemVer is used.
	SemVerFilter string

	// Layer is the media type of the OCI layer to take. Empty means the layer
	// of a Helm chart, or else the first one.
	Layer string
	// NoChart says that any artifact is wanted: no stand-in plays it.
	NoChart bool

	// Username and Password are basic credentials for the URL's host alone.
	Username, Password string
	// PassCredentials sends them also to other hosts that an http Helm
	// repository's index names.
	PassCredentials bool
	// Logins are the credentials for an OCI registry, where there is no Username.
	Logins oci.Logins
	// Insecure allows plain HTTP to an OCI registry.
	Insecure bool
	// TLS replaces the default TLS configuration.
	TLS *tls.Config
	// Proxy is the proxy to go through; nil means that of the environment.
	Proxy *url.URL
	// Timeout bounds the fetch; 0 means one minute.
	Timeout time.Duration
	// MaxAge is how old an answer may be that others got; 0 means 30 s.
	MaxAge time.Duration
}

// ChartResult is a chart that was fetched.
type ChartResult struct {
	// Path is a .tgz archive, or a folder where a mapping names one. Read only.
	Path string
	// Version is the chart's version: an OCI tag as it stands, else what the
	// repository's index or the folder's Chart.yaml says.
	Version string
	// Revision is what a source's artifact shows: "tag@sha256:…" or "sha256:…"
	// of an OCI artifact, else the version.
	Revision string
	// Digest is "sha256:…" of the content.
	Digest string
	// Manifest is "sha256:…" of the manifest that an OCI registry has for it,
	// and Annotations are those of that manifest. Both are empty for what was
	// mapped or played.
	Manifest    string
	Annotations map[string]string
	// Assumed tells that a stand-in plays the chart, since it cannot be had.
	Assumed bool
	// PlayedBy names the chart of Hearth that this is, mapped or assumed.
	PlayedBy string
}

// ChartOptions say where charts come from. The zero value fetches them over
// the network and keeps them in the user's cache folder.
type ChartOptions struct {
	// Mapping takes a chart from elsewhere: from its URL (for an http Helm
	// repository also URL/NAME) to a folder, or to "hearth:NAME", a chart of Embedded.
	Mapping map[string]string
	// Root is what relative folders of the mapping stand below.
	Root string
	// CacheDir keeps fetched charts; empty means "hearth" in the user's cache folder.
	CacheDir string
	// Embedded holds the charts that Hearth brings along, one folder each.
	Embedded fs.FS
	// Offline keeps off the network.
	Offline bool
	// Reach, if set, is asked before a chart's URL is, wherever the chart comes
	// from then. Its error stands for the server's answer, even where a mapping
	// or the cache has the chart; it may be called concurrently.
	Reach func(url string) error
	// StandIn lets a chart that cannot be reached be played by one of Embedded.
	StandIn bool
	// Assumptions records what a stand-in plays.
	Assumptions *domain.Assumptions
	// RefusePrivate refuses servers on private networks and on this machine.
	// Link-local and metadata addresses are always refused, and so is whatever
	// private address a public server leads to.
	RefusePrivate bool
	// Transport replaces the guarded HTTP transport.
	Transport http.RoundTripper
}

// Charts fetches charts, trying in this order: the mapping, the cache on disk
// (for what cannot change, or when offline), the network, and a stand-in where
// one is allowed. The same chart is fetched once however many ask for it at
// the same time. Its methods may be called concurrently, also from several
// processes that share a cache folder.
type Charts struct {
	o     ChartOptions
	cache chartCache

	flights singleflight.Group
	packs   sync.Map // of what play has packed

	mu    sync.Mutex
	fresh map[string]freshChart
	index map[string]*freshIndex
	lines map[string]*http.Transport // to servers that need nothing special
}

type freshChart struct {
	result ChartResult
	at     time.Time
}

// NewCharts returns a source of charts. It fails where there is no cache
// folder, or where the mapping names an embedded chart that does not exist.
func NewCharts(o ChartOptions) (*Charts, error) {
	dir, err := chartsDir(o.CacheDir)
	if err != nil {
		return nil, err
	}
	o.Mapping = normalized(o.Mapping)
	c := &Charts{
		o:     o,
		cache: chartCache{dir: dir},
		fresh: map[string]freshChart{},
		index: map[string]*freshIndex{},
		lines: map[string]*http.Transport{},
	}
	return c, c.checkMapping()
}

// UnreachableError says that a chart could not be asked for: there is no
// network, or the registry does not answer properly.
type UnreachableError struct {
	URL, Version string
	Err          error
}

// Error names the chart, its version and the cause.
func (e *UnreachableError) Error() string {
	return fmt.Sprintf("chart %s%s cannot be reached: %s", e.URL, atVersion(e.Version), e.Err)
}

// Unwrap returns the cause.
func (e *UnreachableError) Unwrap() error { return e.Err }

var errOffline = errors.New("offline, and neither a mapping nor the cache has it")

// Fetch returns the chart asked for. An *UnreachableError tells that the
// network or the registry failed; any other error is the registry's answer, or
// says that what it sent is not what was asked for.
func (c *Charts) Fetch(ctx context.Context, req ChartRequest) (*ChartResult, error) {
	req.URL = strings.TrimRight(req.URL, "/")
	if err := req.check(); err != nil {
		return nil, err
	}
	if c.o.Reach != nil {
		if err := c.o.Reach(req.chartURL()); err != nil {
			return nil, req.unreachable(err)
		}
	}
	if result, err := c.mapped(req); result != nil || err != nil {
		return result, err
	}
	// What one was shown for its credentials is not shown to others.
	key := req.key() + "|" + req.who()
	// Of an http repository the index is kept for a while, which costs as
	// little, and changes for all of its charts at once.
	if result := c.recent(key, req.maxAge()); result != nil && (req.isOCI() || result.Assumed) {
		return result, nil
	}
	ch := c.flights.DoChan(key, func() (any, error) {
		// Whoever waits for this fetch may outlive the one that began it.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cmp.Or(req.Timeout, fetchTimeout))
		defer cancel()
		return c.fetch(ctx, req)
	})
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case r := <-ch:
		if r.Err != nil {
			return nil, r.Err
		}
		result := r.Val.(ChartResult)
		return &result, nil
	}
}

func (c *Charts) fetch(ctx context.Context, req ChartRequest) (ChartResult, error) {
	result, err := c.cachedOrRemote(ctx, req)
	var unreachable *UnreachableError
	if errors.As(err, &unreachable) && c.o.StandIn && req.Digest != "" {
		// A digest never comes to mean something else.
		if cached, ok := c.cache.lookup(req.key()); ok {
			return cached, nil
		}
	}
	if errors.As(err, &unreachable) && c.o.StandIn && !req.NoChart {
		if result, err = c.standIn(req); err == nil {
			c.assume(req, unreachable)
		}
	}
	if err != nil {
		return ChartResult{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fresh[req.key()+"|"+req.who()] = freshChart{result, time.Now()}
	return result, nil
}

func (c *Charts) cachedOrRemote(ctx context.Context, req ChartRequest) (ChartResult, error) {
	if c.o.Offline {
		if result, ok := c.cache.lookup(req.key()); ok {
			return result, nil
		}
		return ChartResult{}, req.unreachable(errOffline)
	}
	var result ChartResult
	var err error
	if req.isOCI() {
		result, err = c.fromRegistry(ctx, req)
	} else {
		result, err = c.fromRepository(ctx, req)
	}
	if err != nil {
		return ChartResult{}, err
	}
	return result, c.cache.remember(req.key(), result)
}

// recent returns what was fetched a moment ago, or was played by a stand-in.
func (c *Charts) recent(key string, maxAge time.Duration) *ChartResult {
	c.mu.Lock()
	defer c.mu.Unlock()
	f, ok := c.fresh[key]
	if !ok || !f.result.Assumed && time.Since(f.at) > maxAge {
		return nil
	}
	return &f.result
}

func (c *Charts) assume(req ChartRequest, why *UnreachableError) {
	reason := "unreachable: " + why.Err.Error()
	if errors.Is(why, errOffline) {
		reason = "offline"
	}
	subject := req.chartURL() + atVersion(req.wanted())
	c.o.Assumptions.Add(domain.AssumedChart, subject, fmt.Sprintf("%s; played by Hearth's own chart %q", reason, c.playedBy(req)))
}

func (r ChartRequest) check() error {
	switch {
	case r.isOCI():
		return nil
	case !strings.HasPrefix(r.URL, "https://") && !strings.HasPrefix(r.URL, "http://"):
		return fmt.Errorf("chart URL %q is neither oci:// nor http(s)://", r.URL)
	case r.Name == "":
		return fmt.Errorf("a chart of the Helm repository %s needs a name", r.URL)
	}
	return nil
}

func (r ChartRequest) maxAge() time.Duration {
	return cmp.Or(r.MaxAge, freshFor)
}

func (r ChartRequest) isOCI() bool { return strings.HasPrefix(r.URL, "oci://") }

// wanted names the version asked for as a person would.
func (r ChartRequest) wanted() string { return cmp.Or(r.Digest, r.SemVer, r.Version) }

// chartURL names the chart itself.
func (r ChartRequest) chartURL() string {
	if r.isOCI() || r.Name == "" {
		return r.URL
	}
	return r.URL + "/" + r.Name
}

// chartName is the name that the chart should have.
func (r ChartRequest) chartName() string {
	if r.Name != "" && !r.isOCI() {
		return r.Name
	}
	return r.URL[strings.LastIndex(r.URL, "/")+1:]
}

// key names all that decides what is fetched. Credentials are no part of it:
// they decide whether, not what.
func (r ChartRequest) key() string {
	return strings.Join([]string{r.URL, r.Name, r.Version, r.Digest, r.SemVer, r.SemVerFilter, r.Layer}, "|") + noChart[r.NoChart]
}

// noChart tells apart what is fetched by the first layer from what is by that
// of a chart.
var noChart = map[bool]string{true: "|any"}

// who names the credentials, for this process alone.
func (r ChartRequest) who() string {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %t %q %v", r.Username, r.Password, r.PassCredentials, r.Logins, r.Proxy)
	if r.TLS != nil {
		for _, certificate := range r.TLS.Certificates {
			fmt.Fprintf(h, "%x", certificate.Certificate)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

func (r ChartRequest) unreachable(err error) *UnreachableError {
	return &UnreachableError{URL: shownURL(r.chartURL()), Version: r.wanted(), Err: err}
}

// failed describes the registry's refusal, or a broken artifact.
func (r ChartRequest) failed(err error) error {
	return fmt.Errorf("chart %s%s: %w", shownURL(r.chartURL()), atVersion(r.wanted()), err)
}

// shownURL is a URL without the password that may be in it.
func shownURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.User == nil {
		return raw
	}
	return u.Redacted()
}

func atVersion(v string) string {
	if v == "" {
		return ""
	}
	return " " + v
}
