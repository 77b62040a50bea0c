{{/* app.monitors emits ServiceMonitors and PodMonitors of the Prometheus operator. */}}
{{- define "app.monitors" -}}
{{- $app := . -}}
{{- $common := dict "app.kubernetes.io/name" .name "app.kubernetes.io/instance" .root.Release.Name -}}
{{- range $id, $monitor := .serviceMonitor -}}
  {{- $object := dict "apiVersion" "monitoring.coreos.com/v1" "kind" "ServiceMonitor" -}}
  {{- include "app.metadata" (dict "app" $app "id" $id "values" $monitor "among" $app.serviceMonitor "into" $object) -}}
  {{- $selector := $monitor.selector -}}
  {{- if not $selector -}}
    {{- $ref := $monitor.service | default dict -}}
    {{- $name := $monitor.serviceName | default $ref.name -}}
    {{- if not $name -}}
      {{- $key := $ref.identifier | default (include "app.primaryService" (dict "app" $app)) -}}
      {{- if not $key -}}{{- fail (printf "service monitor %q has no service to watch" $id) -}}{{- end -}}
      {{- $name = include "app.refer" (dict "app" $app "kind" "service" "id" $key "what" (printf "service monitor %q" $id)) -}}
    {{- end -}}
    {{- $selector = dict "matchLabels" (mergeOverwrite (deepCopy $common) (dict "app.kubernetes.io/service" $name)) -}}
  {{- end -}}
  {{- $spec := dict
        "jobLabel" ($monitor.jobLabel | default "app.kubernetes.io/name")
        "namespaceSelector" (dict "matchNames" (list $app.root.Release.Namespace))
        "selector" $selector
        "endpoints" ($monitor.endpoints | default list) -}}
  {{- include "app.pick" (dict "values" $monitor "into" $spec "keys" (list "targetLabels" "podTargetLabels" "sampleLimit")) -}}
  {{- $_ := set $object "spec" $spec -}}
  {{- include "app.emit" $object }}
{{- end -}}
{{- range $id, $monitor := .podMonitor -}}
  {{- $object := dict "apiVersion" "monitoring.coreos.com/v1" "kind" "PodMonitor" -}}
  {{- include "app.metadata" (dict "app" $app "id" $id "values" $monitor "among" $app.podMonitor "into" $object) -}}
  {{- $selector := $monitor.selector -}}
  {{- if not $selector -}}
    {{- $ref := $monitor.controller | default dict -}}
    {{- $controller := include "app.soleController" (dict "app" $app "id" $id "named" $ref.identifier "what" (printf "pod monitor %q" $id)) -}}
    {{- $box := dict -}}
    {{- include "app.selectorLabels" (dict "app" $app "id" $controller "into" $box) -}}
    {{- $selector = dict "matchLabels" $box.labels -}}
  {{- end -}}
  {{- $spec := dict
        "jobLabel" ($monitor.jobLabel | default "app.kubernetes.io/name")
        "selector" $selector
        "podMetricsEndpoints" ($monitor.podMetricsEndpoints | default list) -}}
  {{- include "app.pick" (dict "values" $monitor "into" $spec "keys" (list "podTargetLabels")) -}}
  {{- $_ := set $object "spec" $spec -}}
  {{- include "app.emit" $object }}
{{- end -}}
{{- end -}}
