{{/*
How values become an application: strings are evaluated, disabled entries go,
and what several kinds need to know of each other is kept in one map, $app.

Definitions that yield more than text fill a map they are handed ("into" or
"box"), since a named template can return nothing but a string.
*/}}

{{/* app.load fills into from the chart's values. */}}
{{- define "app.load" -}}
{{- $root := .root -}}
{{- $app := .into -}}
{{- $box := dict "v" $root.Values -}}
{{- $evaluation := dig "templateEvaluation" dict ($root.Values.global | default dict) -}}
{{- $literal := dict -}}
{{- range $path := $evaluation.excludePaths -}}
  {{- $_ := set $literal (join "/" $path) true -}}
{{- end -}}
{{- range until (int ($evaluation.passes | default 1)) -}}
  {{- include "app.evaluate" (dict "box" $box "root" $root "path" list "literal" $literal) -}}
{{- end -}}
{{- $values := $box.v -}}
{{- $_ := set $app "root" $root -}}
{{- $_ := set $app "values" $values -}}
{{- $_ := set $app "global" ($values.global | default dict) -}}
{{- $_ := set $app "name" (include "app.name" $app) -}}
{{- $_ := set $app "fullname" (include "app.fullname" $app) -}}
{{- range $kind := list "controllers" "service" "route" "ingress" "persistence" "configMaps" "secrets" "serviceMonitor" "podMonitor" "networkpolicies" "rawResources" -}}
  {{- $_ := set $app $kind (dict) -}}
  {{- include "app.enabled" (dict "items" (get $values $kind) "into" (get $app $kind)) -}}
{{- end -}}
{{- $rbac := $values.rbac | default dict -}}
{{- $_ := set $app "roles" (dict) -}}
{{- include "app.enabled" (dict "items" $rbac.roles "into" $app.roles) -}}
{{- $_ := set $app "bindings" (dict) -}}
{{- include "app.enabled" (dict "items" $rbac.bindings "into" $app.bindings) -}}
{{- $_ := set $app "claims" (dict) -}}
{{- range $id, $item := $app.persistence -}}
  {{- if and (eq (include "app.volumeType" $item) "persistentVolumeClaim") (not $item.existingClaim) -}}
    {{- $_ := set $app.claims $id $item -}}
  {{- end -}}
{{- end -}}
{{- $_ := set $app "serviceAccounts" (dict) -}}
{{- include "app.loadServiceAccounts" $app -}}
{{- end -}}

{{/*
app.evaluate replaces box.v by what it is once every string in it is run as a
template. Most values hold none: their JSON, which has double braces nowhere
else, tells at once, and they are left as they are.
*/}}
{{- define "app.evaluate" -}}
{{- $v := .box.v -}}
{{- $run := . -}}
{{- $json := toJson $v -}}
{{- if and $json (not (contains "{{" $json)) -}}
{{- else if hasKey .literal (join "/" .path) -}}
{{- else if kindIs "string" $v -}}
  {{- if contains "{{" $v -}}{{- $_ := set .box "v" (tpl $v .root) -}}{{- end -}}
{{- else if kindIs "map" $v -}}
  {{- $entries := dict -}}
  {{- range $key, $item := $v -}}
    {{- $inner := dict "v" $item -}}
    {{- include "app.evaluate" (dict "box" $inner "root" $run.root "path" (append $run.path $key) "literal" $run.literal) -}}
    {{- if contains "{{" $key -}}{{- $key = tpl $key $run.root -}}{{- end -}}
    {{- $_ := set $entries $key $inner.v -}}
  {{- end -}}
  {{- $_ := set .box "v" $entries -}}
{{- else if kindIs "slice" $v -}}
  {{- $items := list -}}
  {{- range $i, $item := $v -}}
    {{- $inner := dict "v" $item -}}
    {{- include "app.evaluate" (dict "box" $inner "root" $run.root "path" (append $run.path (toString $i)) "literal" $run.literal) -}}
    {{- $items = append $items $inner.v -}}
  {{- end -}}
  {{- $_ := set .box "v" $items -}}
{{- end -}}
{{- end -}}

{{/* app.enabled copies the entries of items that are on. A null entry is off. */}}
{{- define "app.enabled" -}}
{{- $into := .into -}}
{{- range $id, $item := .items -}}
  {{- if kindIs "map" $item -}}
    {{- if eq (include "app.isOn" $item) "true" -}}{{- $_ := set $into $id $item -}}{{- end -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{/* app.isOn prints "true" unless the entry says enabled: false (or a template that came out as "false"). */}}
{{- define "app.isOn" -}}
{{- if not (hasKey . "enabled") -}}true
{{- else if kindIs "invalid" .enabled -}}true
{{- else -}}{{ ne (toString .enabled) "false" }}
{{- end -}}
{{- end -}}

{{/* app.check refuses what no later step could make sense of. */}}
{{- define "app.check" -}}
{{- range $kind := list "controllers" "service" "route" "ingress" "persistence" "configMaps" "secrets" -}}
  {{- $items := get $.values $kind -}}
  {{- if and $items (not (kindIs "map" $items)) -}}
    {{- fail (printf "%s must be a map of entries, but is a %s" $kind (kindOf $items)) -}}
  {{- end -}}
{{- end -}}
{{- range $id, $controller := .controllers -}}
  {{- $containers := dict -}}
  {{- include "app.enabled" (dict "items" $controller.containers "into" $containers) -}}
  {{- if not $containers -}}
    {{- fail (printf "controller %q has no enabled container: add one under controllers.%s.containers" $id $id) -}}
  {{- end -}}
{{- end -}}
{{- end -}}
