{{/*
Names and metadata. An object is named as the release; its key is appended only
where the release has several of its kind, and never twice.
*/}}

{{- define "app.name" -}}
{{- .global.nameOverride | default .root.Release.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "app.fullname" -}}
{{- $release := .root.Release.Name -}}
{{- $name := include "app.name" . -}}
{{- $full := $release -}}
{{- if not (contains $name $release) -}}{{- $full = printf "%s-%s" $release $name -}}{{- end -}}
{{- .global.fullnameOverride | default $full | trunc 63 | trimSuffix "-" | lower -}}
{{- end -}}

{{/* app.nameOf prints the name of entry id with values, one of the map among. */}}
{{- define "app.nameOf" -}}
{{- $name := .app.fullname -}}
{{- $values := .values | default dict -}}
{{- if $values.forceRename -}}
  {{- $name = $values.forceRename -}}
{{- else -}}
  {{- $suffix := $values.suffix | default $values.nameOverride -}}
  {{- if and (not $suffix) (or .app.global.alwaysAppendIdentifierToResourceName (gt (len .among) 1)) -}}
    {{- $suffix = .id -}}
  {{- end -}}
  {{- if and $values.prefix (not (or (eq $name $values.prefix) (hasPrefix (printf "%s-" $values.prefix) $name))) -}}
    {{- $name = printf "%s-%s" $values.prefix $name -}}
  {{- end -}}
  {{- if and $suffix (not (or (eq $name $suffix) (hasSuffix (printf "-%s" $suffix) $name))) -}}
    {{- $name = printf "%s-%s" $name $suffix -}}
  {{- end -}}
{{- end -}}
{{- lower $name -}}
{{- end -}}

{{/* app.metadata sets into.metadata: name, namespace, standard labels, the entry's own and the global ones. */}}
{{- define "app.metadata" -}}
{{- $app := .app -}}
{{- $root := $app.root -}}
{{- $values := .values | default dict -}}
{{- $name := include "app.nameOf" (dict "app" $app "id" .id "values" $values "among" .among) -}}
{{- $labels := dict
      "app.kubernetes.io/name" $app.name
      "app.kubernetes.io/instance" $root.Release.Name
      "app.kubernetes.io/managed-by" $root.Release.Service
      "helm.sh/chart" (printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-") -}}
{{- with $root.Chart.AppVersion -}}{{- $_ := set $labels "app.kubernetes.io/version" (toString .) -}}{{- end -}}
{{- range $more := list .labels $app.global.labels $values.labels -}}
  {{- range $key, $value := $more -}}
    {{- if not (kindIs "invalid" $value) -}}{{- $_ := set $labels $key (include "app.scalar" $value) -}}{{- end -}}
  {{- end -}}
{{- end -}}
{{- $annotations := dict -}}
{{- range $more := list .annotations $app.global.annotations $values.annotations -}}
  {{- range $key, $value := $more -}}
    {{- if not (kindIs "invalid" $value) -}}{{- $_ := set $annotations $key (include "app.scalar" $value) -}}{{- end -}}
  {{- end -}}
{{- end -}}
{{- $metadata := dict "name" $name "labels" $labels -}}
{{- if not .clusterScoped -}}{{- $_ := set $metadata "namespace" $root.Release.Namespace -}}{{- end -}}
{{- if $annotations -}}{{- $_ := set $metadata "annotations" $annotations -}}{{- end -}}
{{- $_ := set .into "metadata" $metadata -}}
{{- end -}}

{{/* app.selectorLabels sets into.labels: what tells one controller's pods from all others. */}}
{{- define "app.selectorLabels" -}}
{{- $labels := dict
      "app.kubernetes.io/controller" .id
      "app.kubernetes.io/instance" .app.root.Release.Name
      "app.kubernetes.io/name" .app.name -}}
{{- $controller := get .app.controllers .id | default dict -}}
{{- range $key, $value := $controller.extraSelectorLabels -}}
  {{- $_ := set $labels $key (include "app.scalar" $value) -}}
{{- end -}}
{{- $_ := set .into "labels" $labels -}}
{{- end -}}

{{/* app.scalar prints a value as text; a whole number never in exponent form. */}}
{{- define "app.scalar" -}}
{{- if kindIs "float64" . -}}
  {{- if eq . (float64 (int64 .)) -}}{{ int64 . }}{{- else -}}{{ toString . }}{{- end -}}
{{- else -}}{{ toString . }}
{{- end -}}
{{- end -}}

{{/* app.emit prints one document: as JSON, which is quick to print and to read, and YAML too. */}}
{{- define "app.emit" }}
---
{{ toJson . }}
{{- end -}}

{{/* app.pick copies the listed keys that values has (null counts as absent), in into. */}}
{{- define "app.pick" -}}
{{- $into := .into -}}
{{- $keys := .keys -}}
{{- range $key, $value := .values -}}
  {{- if and (has $key $keys) (not (kindIs "invalid" $value)) -}}{{- $_ := set $into $key $value -}}{{- end -}}
{{- end -}}
{{- end -}}
