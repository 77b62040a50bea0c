// Package charts holds the Helm charts that Hearth brings along: app-template,
// which takes the values homelabs write for the chart of that name, and
// workload, which takes any values and makes one plain workload.
//
// A rehearsal uses them where a chart cannot be had. Nothing here is fetched
// and none of the charts has dependencies.
package charts

import "embed"

// FS holds one folder a chart, named as the chart. Each is a complete chart
// directory that Helm's loader accepts as it stands.
//
//go:embed all:app-template all:workload
var FS embed.FS
