{{/*
Environment. A variable is a plain value, {value}, {valueFrom}, or one of the
references that valueFrom holds without it; the whole is a map by name (ordered
by name and dependsOn) or a list (in its own order).
*/}}

{{/* app.env sets into.env from env; nothing where env is empty. */}}
{{- define "app.env" -}}
{{- $run := . -}}
{{- $env := list -}}
{{- if kindIs "map" .env -}}
  {{- $order := dict -}}
  {{- include "app.order" (dict "items" .env "what" (printf "%s: env" .what) "into" $order) -}}
  {{- range $name := $order.keys -}}
    {{- $variable := dict "name" $name -}}
    {{- include "app.variable" (dict "app" $run.app "entry" (get $run.env $name) "what" $run.what "into" $variable) -}}
    {{- if gt (len $variable) 1 -}}{{- $env = append $env $variable -}}{{- end -}}
  {{- end -}}
{{- else -}}
  {{- range $entry := .env -}}
    {{- $variable := dict "name" $entry.name -}}
    {{- include "app.variable" (dict "app" $run.app "entry" $entry "what" $run.what "into" $variable) -}}
    {{- if gt (len $variable) 1 -}}{{- $env = append $env $variable -}}{{- end -}}
  {{- end -}}
{{- end -}}
{{- if $env -}}{{- $_ := set .into "env" $env -}}{{- end -}}
{{- end -}}

{{/* app.variable sets into.value or into.valueFrom; neither for null, which removes a variable. */}}
{{- define "app.variable" -}}
{{- $run := . -}}
{{- if kindIs "map" .entry -}}
  {{- if hasKey .entry "value" -}}
    {{- if not (kindIs "invalid" .entry.value) -}}{{- $_ := set .into "value" (include "app.scalar" .entry.value) -}}{{- end -}}
  {{- else -}}
    {{- $from := .entry.valueFrom | default .entry -}}
    {{- $source := dict -}}
    {{- range $key := list "secretKeyRef" "configMapKeyRef" "fieldRef" "resourceFieldRef" "fileKeyRef" -}}
      {{- with get $from $key -}}
        {{- $ref := omit . "identifier" -}}
        {{- if .identifier -}}
          {{- $kind := ternary "secrets" "configMaps" (eq $key "secretKeyRef") -}}
          {{- $_ := set $ref "name" (include "app.refer" (dict "app" $run.app "kind" $kind "id" .identifier "what" $run.what)) -}}
        {{- end -}}
        {{- $_ := set $source $key $ref -}}
      {{- end -}}
    {{- end -}}
    {{- if $source -}}{{- $_ := set .into "valueFrom" $source -}}{{- end -}}
  {{- end -}}
{{- else if not (kindIs "invalid" .entry) -}}
  {{- $_ := set .into "value" (include "app.scalar" .entry) -}}
{{- end -}}
{{- end -}}

{{/* app.envFrom sets into.envFrom. Short forms: secret, config and configMap give a name or an entry's key. */}}
{{- define "app.envFrom" -}}
{{- $run := . -}}
{{- $sources := list -}}
{{- range $entry := .envFrom -}}
  {{- if kindIs "map" $entry -}}
    {{- $source := dict -}}
    {{- if $entry.prefix -}}{{- $_ := set $source "prefix" $entry.prefix -}}{{- end -}}
    {{- $secret := $entry.secretRef | default $entry.secret -}}
    {{- $config := $entry.configMapRef | default $entry.configMap | default $entry.config -}}
    {{- if $secret -}}
      {{- $ref := dict -}}
      {{- include "app.sourceRef" (dict "app" $run.app "kind" "secrets" "ref" $secret "what" $run.what "into" $ref) -}}
      {{- $_ := set $source "secretRef" $ref -}}
    {{- else if $config -}}
      {{- $ref := dict -}}
      {{- include "app.sourceRef" (dict "app" $run.app "kind" "configMaps" "ref" $config "what" $run.what "into" $ref) -}}
      {{- $_ := set $source "configMapRef" $ref -}}
    {{- else -}}
      {{- fail (printf "%s: an envFrom entry names neither a secret nor a config map" $run.what) -}}
    {{- end -}}
    {{- $sources = append $sources $source -}}
  {{- end -}}
{{- end -}}
{{- if $sources -}}{{- $_ := set .into "envFrom" $sources -}}{{- end -}}
{{- end -}}

{{/* app.sourceRef sets into.name (and optional) from a name, a key, or {name | identifier, optional}. */}}
{{- define "app.sourceRef" -}}
{{- $among := get .app .kind -}}
{{- if kindIs "string" .ref -}}
  {{- $name := .ref -}}
  {{- if hasKey $among .ref -}}
    {{- $name = include "app.refer" (dict "app" .app "kind" .kind "id" .ref "what" .what) -}}
  {{- end -}}
  {{- $_ := set .into "name" $name -}}
{{- else -}}
  {{- if .ref.identifier -}}
    {{- $_ := set .into "name" (include "app.refer" (dict "app" .app "kind" .kind "id" .ref.identifier "what" .what)) -}}
  {{- else -}}
    {{- $_ := set .into "name" .ref.name -}}
  {{- end -}}
  {{- if hasKey .ref "optional" -}}{{- $_ := set .into "optional" .ref.optional -}}{{- end -}}
{{- end -}}
{{- end -}}
