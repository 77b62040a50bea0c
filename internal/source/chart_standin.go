package source

import (
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"sync"

	"github.com/Masterminds/semver/v3"
)

// The charts that play others.
const (
	appTemplateChart = "app-template"
	workloadChart    = "workload"
)

// standIn returns a chart of the binary that plays the one asked for.
func (c *Charts) standIn(req ChartRequest) (ChartResult, error) {
	result, err := c.play(req, c.playedBy(req), true)
	if err != nil {
		return ChartResult{}, fmt.Errorf("a stand-in for chart %s: %w", req.chartURL(), err)
	}
	return result, nil
}

// playedBy names the chart that plays the one asked for.
func (c *Charts) playedBy(req ChartRequest) string {
	if req.chartName() == appTemplateChart {
		return appTemplateChart
	}
	return workloadChart
}

func (c *Charts) embeds(name string) bool {
	if c.o.Embedded == nil || !fs.ValidPath(name) {
		return false
	}
	_, err := fs.Stat(c.o.Embedded, name+"/"+chartFile)
	return err == nil
}

// play packs a chart of the binary under the name and version asked for.
func (c *Charts) play(req ChartRequest, name string, assumed bool) (ChartResult, error) {
	if !c.embeds(name) {
		return ChartResult{}, fmt.Errorf("Hearth brings no chart %q along", name)
	}
	chart, err := fs.Sub(c.o.Embedded, name)
	if err != nil {
		return ChartResult{}, err
	}
	meta := chartMetadata{Name: req.chartName(), Version: versionFor(req)}
	if assumed {
		meta.standsInFor = req.chartURL()
	}
	kept, err := c.packed(name, chart, meta)
	if err != nil {
		return ChartResult{}, err
	}
	digest, path := kept.digest, kept.path
	revision := meta.Version
	if req.isOCI() {
		revision = revisionOf(tagFor(req, meta.Version), digest)
	}
	return ChartResult{Path: path, Version: meta.Version, Revision: revision, Digest: digest, Assumed: assumed, PlayedBy: name}, nil
}

// packedChart is a chart of the binary as it was packed and kept.
type packedChart struct{ digest, path string }

// packed packs a chart of the binary, once for each name and version.
func (c *Charts) packed(name string, chart fs.FS, meta chartMetadata) (packedChart, error) {
	type key struct {
		name string
		meta chartMetadata
	}
	once, _ := c.packs.LoadOrStore(key{name, meta}, sync.OnceValues(func() (packedChart, error) {
		content, err := pack(chart, meta)
		if err != nil {
			return packedChart{}, err
		}
		digest, path, err := c.cache.put(content)
		return packedChart{digest, path}, err
	}))
	return once.(func() (packedChart, error))()
}

// tagFor is the tag that a stand-in's revision shows.
func tagFor(req ChartRequest, version string) string {
	if req.SemVer == "" && req.Version != "" {
		return req.Version
	}
	return strings.ReplaceAll(version, "+", "_")
}

var firstVersion = regexp.MustCompile(`\d+(\.\d+){0,2}(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?`)

// versionFor is the version that a stand-in claims: the one asked for, or one
// that satisfies the range asked for.
func versionFor(req ChartRequest) string {
	for _, wanted := range []string{req.SemVer, req.Version} {
		exact := strings.ReplaceAll(wanted, "_", "+")
		if v, err := semver.NewVersion(exact); err == nil {
			return v.String()
		}
		if v, err := semver.NewVersion(firstVersion.FindString(exact)); err == nil {
			return satisfying(wanted, v)
		}
	}
	return "0.0.0"
}

// satisfying returns v, or the next one that a range allows where v is its
// open end.
func satisfying(versions string, v *semver.Version) string {
	constraint, err := semver.NewConstraint(versions)
	if err != nil || constraint.Check(v) {
		return v.String()
	}
	for _, next := range []semver.Version{v.IncPatch(), v.IncMinor(), v.IncMajor()} {
		if constraint.Check(&next) {
			return next.String()
		}
	}
	zero := semver.New(0, 0, 0, "", "")
	if constraint.Check(zero) {
		return zero.String()
	}
	return v.String()
}
