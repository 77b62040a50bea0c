{{/* app.configMaps emits the config maps; every value is text. */}}
{{- define "app.configMaps" -}}
{{- $app := . -}}
{{- range $id, $config := .configMaps -}}
  {{- $object := dict "apiVersion" "v1" "kind" "ConfigMap" -}}
  {{- include "app.metadata" (dict "app" $app "id" $id "values" $config "among" $app.configMaps "into" $object) -}}
  {{- $box := dict -}}
  {{- include "app.texts" (dict "data" $config.data "into" $box) -}}
  {{- if $box -}}{{- $_ := set $object "data" $box -}}{{- end -}}
  {{- include "app.pick" (dict "values" $config "into" $object "keys" (list "binaryData" "immutable")) -}}
  {{- include "app.emit" $object }}
{{- end -}}
{{- end -}}

{{/* app.secrets emits the secrets. */}}
{{- define "app.secrets" -}}
{{- $app := . -}}
{{- range $id, $secret := .secrets -}}
  {{- $object := dict "apiVersion" "v1" "kind" "Secret" "type" ($secret.type | default "Opaque") -}}
  {{- include "app.metadata" (dict "app" $app "id" $id "values" $secret "among" $app.secrets "into" $object) -}}
  {{- $box := dict -}}
  {{- include "app.texts" (dict "data" $secret.stringData "into" $box) -}}
  {{- if $box -}}{{- $_ := set $object "stringData" $box -}}{{- end -}}
  {{- include "app.pick" (dict "values" $secret "into" $object "keys" (list "data" "immutable")) -}}
  {{- include "app.emit" $object }}
{{- end -}}
{{- end -}}

{{/* app.texts copies data into into as text; a map or list becomes YAML. */}}
{{- define "app.texts" -}}
{{- $into := .into -}}
{{- range $key, $value := .data -}}
  {{- if or (kindIs "map" $value) (kindIs "slice" $value) -}}{{- $_ := set $into $key (toYaml $value) -}}
  {{- else if not (kindIs "invalid" $value) -}}{{- $_ := set $into $key (include "app.scalar" $value) -}}
  {{- end -}}
{{- end -}}
{{- end -}}
