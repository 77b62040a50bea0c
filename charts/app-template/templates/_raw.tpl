{{/*
app.rawResources emits objects of any kind. The newer layout holds the object
under manifest; the older one says apiVersion and kind, and spec holds all that
stands beside the metadata.
*/}}
{{- define "app.rawResources" -}}
{{- $app := . -}}
{{- range $id, $raw := .rawResources -}}
  {{- $object := dict -}}
  {{- $own := dict -}}
  {{- if $raw.manifest -}}
    {{- $object = deepCopy $raw.manifest -}}
    {{- $own = $object.metadata | default dict -}}
  {{- else -}}
    {{- range $key, $value := $raw.spec -}}{{- $_ := set $object $key $value -}}{{- end -}}
    {{- $_ := set $object "apiVersion" $raw.apiVersion -}}
    {{- $_ := set $object "kind" $raw.kind -}}
  {{- end -}}
  {{- if not (and $object.apiVersion $object.kind) -}}{{- fail (printf "raw resource %q needs an apiVersion and a kind" $id) -}}{{- end -}}
  {{- include "app.metadata" (dict "app" $app "id" $id "values" $raw "among" $app.rawResources "labels" $own.labels "annotations" $own.annotations "into" $object) -}}
  {{- with $own.name -}}{{- $_ := set $object.metadata "name" . -}}{{- end -}}
  {{- with $own.namespace -}}{{- $_ := set $object.metadata "namespace" . -}}{{- end -}}
  {{- include "app.emit" $object }}
{{- end -}}
{{- end -}}
