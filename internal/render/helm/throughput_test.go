package helm

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
	"helm.sh/helm/v4/pkg/engine"
)

// parts are the templates that the library has for each kind of object: they
// hand values on as YAML, merge them, and run them as templates.
var parts = map[string]string{
	"enabled": `{{- define "lib.KIND.enabled" -}}
{{- $root := .root -}}{{- $found := dict -}}
{{- range $id, $item := (get $root.Values "KIND" | default dict) -}}
  {{- $on := true -}}{{- if hasKey $item "enabled" -}}{{- $on = $item.enabled -}}{{- end -}}
  {{- if kindIs "string" $on -}}{{- $on = eq (tpl $on $root) "true" -}}{{- end -}}
  {{- if $on -}}{{- $_ := set $found $id (deepCopy $item) -}}{{- end -}}
{{- end -}}
{{- range $id, $item := $found -}}
  {{- $object := include "lib.KIND.object" (dict "root" $root "id" $id "values" $item "count" (len $found)) | fromYaml -}}
  {{- $_ := set $found $id $object -}}
{{- end -}}
{{- $found | toYaml -}}
{{- end -}}`,
	"object": `{{- define "lib.KIND.object" -}}
{{- $values := .values -}}{{- $name := include "lib.names.fullname" .root -}}
{{- if $values.nameOverride -}}{{- $name = printf "%s-%s" $name (tpl $values.nameOverride .root) -}}
{{- else if gt (int .count) 1 -}}{{- $name = printf "%s-%s" $name .id -}}{{- end -}}
{{- $defaults := include "lib.KIND.defaults" . | fromYaml -}}
{{- $merged := mustMergeOverwrite $defaults $values (dict "name" $name "identifier" .id) -}}
{{- $text := $merged | toYaml -}}{{- tpl $text .root -}}
{{- end -}}`,
	"defaults": `{{- define "lib.KIND.defaults" -}}
labels: {}
annotations: {}
replicas: 1
type: ClusterIP
strategy:
  kind: Recreate
containers: {}
ports: {}
data: {}
{{- end -}}`,
	"labels": `{{- define "lib.KIND.labels" -}}
{{- $all := merge (dict "app.kubernetes.io/component" .object.identifier) (.object.labels | default dict) (include "lib.metadata.labels" .root | fromYaml) -}}
{{- range $key, $value := $all }}
{{ $key }}: {{ tpl (toString $value) $.root | quote }}
{{- end -}}
{{- end -}}`,
	"annotations": `{{- define "lib.KIND.annotations" -}}
{{- $all := merge (.object.annotations | default dict) (include "lib.metadata.annotations" .root | fromYaml) -}}
{{- with $all }}{{ tpl (toYaml .) $.root }}{{- end -}}
{{- end -}}`,
	"validate": `{{- define "lib.KIND.validate" -}}
{{- if not .object.name -}}{{- fail (printf "KIND %s has no name" .id) -}}{{- end -}}
{{- range $key, $_ := .object -}}{{- if has $key (list "forbidden" "wrong") -}}{{- fail $key -}}{{- end -}}{{- end -}}
{{- end -}}`,
	"class": `{{- define "lib.KIND.class" -}}
{{- $object := .object -}}
---
apiVersion: example.org/v1
kind: {{ "KIND" | title }}
metadata:
  name: {{ $object.name }}
  namespace: {{ .root.Release.Namespace }}
  {{- with include "lib.KIND.labels" . }}
  labels: {{- . | nindent 4 }}
  {{- end }}
  {{- with include "lib.KIND.annotations" . }}
  annotations: {{- . | nindent 4 }}
  {{- end }}
spec:
  replicas: {{ $object.replicas }}
  type: {{ $object.type | quote }}
  {{- with $object.containers }}
  containers:
    {{- range $name, $container := . }}
    {{- include "lib.KIND.container" (dict "root" $.root "object" $object "name" $name "container" $container) | trim | nindent 4 | replace "\n    name:" "\n    - name:" }}
    {{- end }}
  {{- end }}
  {{- with $object.ports }}
  ports:
    {{- range $name, $port := . }}
    - name: {{ $name }}
      port: {{ tpl (toString $port.port) $.root }}
      protocol: {{ $port.protocol | default "TCP" }}
    {{- end }}
  {{- end }}
  {{- with $object.data }}
  data: {{- tpl (toYaml .) $.root | nindent 4 }}
  {{- end }}
{{ end -}}`,
	"container": `{{- define "lib.KIND.container" -}}
{{- $env := include "lib.KIND.env" . | fromYaml -}}
{{- $merged := mustMergeOverwrite (deepCopy (.root.Values.defaults.container | default dict)) (omit .container "env" "enabled") -}}
name: {{ .name }}
  image: {{ printf "%s:%s" $merged.image.repository (toString $merged.image.tag) | quote }}
  {{- with $env.env }}
  env: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $merged.resources }}
  resources: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- range $kind, $probe := $merged.probes }}
  {{- if $probe.enabled }}
  {{ $kind }}Probe: {{- omit $probe "enabled" | toYaml | nindent 4 }}
  {{- end }}
  {{- end }}
  {{- with $merged.securityContext }}
  securityContext: {{- . | toYaml | nindent 4 }}
  {{- end }}
{{- end -}}`,
	"env": `{{- define "lib.KIND.env" -}}
{{- $root := .root -}}{{- $list := list -}}
{{- range $name, $value := .container.env -}}
  {{- if kindIs "map" $value -}}{{- $list = append $list (dict "name" $name "valueFrom" (tpl (toYaml $value) $root | fromYaml)) -}}
  {{- else -}}{{- $list = append $list (dict "name" $name "value" (tpl (toString $value) $root)) -}}{{- end -}}
{{- end -}}
{{- dict "env" $list | toYaml -}}
{{- end -}}`,
	"render": `{{- define "lib.KIND.render" -}}
{{- $root := .root -}}
{{- range $id, $object := (include "lib.KIND.enabled" (dict "root" $root) | fromYaml) -}}
  {{- include "lib.KIND.validate" (dict "root" $root "id" $id "object" $object) -}}
  {{- include "lib.KIND.class" (dict "root" $root "object" $object) -}}
{{- end -}}
{{- end -}}`,
}

var kindsOfLibrary = []string{"controllers", "service", "ingress", "route", "persistence", "configMaps", "secrets", "serviceAccount", "networkpolicies", "serviceMonitor"}

// libraryChart makes a chart that consists of one template, and a library chart
// of about 100 files.
func libraryChart() *Chart {
	library := &chart.Chart{Metadata: &chart.Metadata{APIVersion: "v2", Name: "lib", Version: "1.0.0", Type: "library"}}
	library.Templates = append(library.Templates, file("templates/lib/names/_names.tpl", `{{- define "lib.names.fullname" -}}{{- $name := default .Chart.Name .Values.nameOverride -}}{{- if contains $name .Release.Name -}}{{- .Release.Name | trunc 63 | trimSuffix "-" -}}{{- else -}}{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}{{- end -}}{{- end -}}`),
		file("templates/lib/metadata/_metadata.tpl", `{{- define "lib.metadata.labels" -}}
app.kubernetes.io/name: {{ .Release.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | quote }}
{{ with .Values.global.labels }}{{ toYaml . }}{{ end }}
{{- end -}}
{{- define "lib.metadata.annotations" -}}{{- with .Values.global.annotations -}}{{ tpl (toYaml .) $ }}{{- end -}}{{- end -}}`))
	var loader strings.Builder
	for _, kind := range kindsOfLibrary {
		for part, text := range parts {
			library.Templates = append(library.Templates, file(fmt.Sprintf("templates/lib/%s/_%s.tpl", kind, part), strings.ReplaceAll(text, "KIND", kind)))
		}
		fmt.Fprintf(&loader, "{{- include \"lib.%s.render\" (dict \"root\" $) }}\n", kind)
	}
	c := &chart.Chart{Metadata: &chart.Metadata{APIVersion: "v2", Name: "app", Version: "4.0.0", Dependencies: []*chart.Dependency{{Name: "lib", Version: "1.0.0"}}}}
	c.Templates = append(c.Templates, file("templates/all.yaml", loader.String()))
	c.Values = map[string]any{"global": map[string]any{"labels": map[string]any{}, "annotations": map[string]any{}}, "defaults": map[string]any{"container": map[string]any{
		"securityContext": map[string]any{"allowPrivilegeEscalation": false, "capabilities": map[string]any{"drop": []any{"ALL"}}},
	}}}
	c.AddDependency(library)
	return &Chart{loaded: c}
}

// libraryValues are the values of one of many releases.
func libraryValues(i int) map[string]any {
	name := fmt.Sprintf("app-%d", i)
	probe := map[string]any{"enabled": true, "custom": true, "spec": map[string]any{"httpGet": map[string]any{"path": "/health", "port": 8000 + i}, "periodSeconds": 10, "failureThreshold": 3}}
	container := map[string]any{
		"image": map[string]any{"repository": "registry.example.org/" + name, "tag": fmt.Sprintf("1.%d.0@sha256:%064d", i, i)},
		"env": map[string]any{"TZ": "Etc/UTC", "APP__PORT": 8000 + i, "APP__NAME": "{{ .Release.Name }}", "APP__URL": "https://" + name + ".example.org/", "DEBUG": i%2 == 0,
			"PASSWORD": map[string]any{"secretKeyRef": map[string]any{"name": "{{ .Release.Name }}-secret", "key": "password"}}},
		"probes":    map[string]any{"liveness": probe, "readiness": probe, "startup": map[string]any{"enabled": false}},
		"resources": map[string]any{"requests": map[string]any{"cpu": "10m", "memory": fmt.Sprintf("%dMi", 64+i)}, "limits": map[string]any{"memory": "1Gi"}},
	}
	return map[string]any{
		"controllers": map[string]any{name: map[string]any{"annotations": map[string]any{"reloader.stakater.com/auto": "true"}, "containers": map[string]any{"app": container, "sidecar": container}}},
		"service":     map[string]any{"app": map[string]any{"controller": name, "ports": map[string]any{"http": map[string]any{"port": 8000 + i}, "metrics": map[string]any{"port": "{{ 9000 }}"}}}},
		"route":       map[string]any{"app": map[string]any{"data": map[string]any{"hostnames": []any{"{{ .Release.Name }}.example.org"}, "parentRefs": []any{map[string]any{"name": "internal", "namespace": "network"}}}}},
		"persistence": map[string]any{
			"config": map[string]any{"data": map[string]any{"existingClaim": name, "globalMounts": []any{map[string]any{"path": "/config"}}}},
			"tmp":    map[string]any{"data": map[string]any{"type": "emptyDir"}},
			"media":  map[string]any{"enabled": i%3 == 0, "data": map[string]any{"type": "nfs", "server": "nas.example.org", "path": "/media"}},
		},
		"configMaps":      map[string]any{"config": map[string]any{"data": map[string]any{"config.yaml": "server:\n  port: 80\n  name: {{ .Release.Name }}\nlist:\n- a\n- b\n"}}},
		"serviceMonitor":  map[string]any{"app": map[string]any{"data": map[string]any{"endpoints": []any{map[string]any{"port": "metrics", "interval": "1m"}}}}},
		"networkpolicies": map[string]any{"off": map[string]any{"enabled": "{{ eq 1 2 }}"}},
	}
}

// filesOf renders with presses, or without any as Helm does.
func filesOf(ctx context.Context, c *Chart, presses *Presses, i int) (map[string]string, error) {
	loaded, values := c.Copy(""), libraryValues(i)
	if err := chartutil.ProcessDependencies(loaded, values); err != nil {
		return nil, err
	}
	all, err := util.ToRenderValuesWithSchemaValidation(loaded, values, common.ReleaseOptions{Name: fmt.Sprintf("release-%d", i), Namespace: "apps", Revision: 1, IsInstall: true}, common.DefaultCapabilities, true)
	if err != nil {
		return nil, err
	}
	if presses == nil {
		return engine.Engine{}.RenderWithContext(ctx, loaded, all)
	}
	made, err := presses.render(ctx, c, loaded, all, nil)
	return made.files, err
}

// TestLibraryChartRendersAsWithHelm holds what the benchmark measures to Helm.
func TestLibraryChartRendersAsWithHelm(t *testing.T) {
	c := libraryChart()
	var presses Presses
	for i := range 6 {
		want, err := filesOf(t.Context(), c, nil, i)
		if err != nil {
			t.Fatal(err)
		}
		got, err := filesOf(t.Context(), c, &presses, i)
		if err != nil {
			t.Fatal(err)
		}
		if len(want) != 1 || want["app/templates/all.yaml"] != got["app/templates/all.yaml"] {
			t.Errorf("release %d:\n%s\nwant\n%s", i, got["app/templates/all.yaml"], want["app/templates/all.yaml"])
		}
	}
}

// measure returns the wall time, the processor time, and the bytes allocated.
func measure(f func()) (wall, processor time.Duration, bytes uint64) {
	var before, after syscall.Rusage
	var memory, memoryAfter runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&memory)
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &before)
	start := time.Now()
	f()
	wall = time.Since(start)
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &after)
	runtime.ReadMemStats(&memoryAfter)
	used := func(u syscall.Rusage) time.Duration { return time.Duration(u.Utime.Nano() + u.Stime.Nano()) }
	return wall, used(after) - used(before), memoryAfter.TotalAlloc - memory.TotalAlloc
}

// BenchmarkHundredReleases renders 100 releases of one chart, in turns by Helm's
// engine on one core, and by a press on one and on two.
func BenchmarkHundredReleases(b *testing.B) {
	const releases, turn = 100, 10
	c := libraryChart()
	var presses Presses
	render := func(presses *Presses, from, workers int) func() {
		return func() {
			var group errgroup.Group
			group.SetLimit(workers)
			for i := from; i < from+turn; i++ {
				group.Go(func() error {
					_, err := filesOf(b.Context(), c, presses, i)
					return err
				})
			}
			if err := group.Wait(); err != nil {
				b.Fatal(err)
			}
		}
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var wall, processor [3]time.Duration
	var bytes [3]uint64
	for b.Loop() {
		for from := 0; from < releases; from += turn {
			for way, workers := range []int{1, 1, 2} {
				by := &presses
				if way == 0 {
					by = nil
				}
				runtime.GOMAXPROCS(workers)
				w, p, n := measure(render(by, from, workers))
				wall[way], processor[way], bytes[way] = wall[way]+w, processor[way]+p, bytes[way]+n
			}
		}
	}
	each := float64(b.N * releases)
	b.ReportMetric(wall[0].Seconds()*1e3/each, "Helm-ms/release")
	b.ReportMetric(wall[1].Seconds()*1e3/each, "ms/release")
	b.ReportMetric(float64(wall[0])/float64(wall[1]), "x-on-one-core")
	b.ReportMetric(float64(processor[0])/float64(processor[1]), "x-processor-time")
	b.ReportMetric(float64(wall[0])/float64(wall[2]), "x-on-two-cores")
	b.ReportMetric(float64(bytes[0])/float64(bytes[1]), "x-less-allocated")
}
