{{/*
app.order sets into.keys: the keys of items, each after those its dependsOn
names, alphabetically where nothing else decides. Names that are no key of
items are no reason to wait. A circle is an error that says what it is in.
*/}}
{{- define "app.order" -}}
{{- $items := .items -}}
{{- $placed := dict -}}
{{- $keys := list -}}
{{- range until (len $items) -}}
  {{- $next := list -}}
  {{- range $key, $item := $items -}}
    {{- $waits := hasKey $placed $key -}}
    {{- if kindIs "map" $item -}}
      {{- $needs := $item.dependsOn | default list -}}
      {{- if kindIs "string" $needs -}}{{- $needs = list $needs -}}{{- end -}}
      {{- range $need := $needs -}}
        {{- if and (hasKey $items $need) (not (hasKey $placed $need)) -}}{{- $waits = true -}}{{- end -}}
      {{- end -}}
    {{- end -}}
    {{- if not $waits -}}{{- $next = append $next $key -}}{{- end -}}
  {{- end -}}
  {{- range $key := $next -}}
    {{- $_ := set $placed $key true -}}
    {{- $keys = append $keys $key -}}
  {{- end -}}
{{- end -}}
{{- $circle := list -}}
{{- range $key, $item := $items -}}
  {{- if not (hasKey $placed $key) -}}{{- $circle = append $circle $key -}}{{- end -}}
{{- end -}}
{{- if $circle -}}
  {{- fail (printf "%s: dependsOn goes in a circle among %s" .what (join ", " $circle)) -}}
{{- end -}}
{{- $_ := set .into "keys" $keys -}}
{{- end -}}
