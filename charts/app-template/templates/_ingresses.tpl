{{/* app.ingresses emits the ingresses. A path without service leads to the primary one. */}}
{{- define "app.ingresses" -}}
{{- $app := . -}}
{{- range $id, $ingress := .ingress -}}
  {{- $what := printf "ingress %q" $id -}}
  {{- $object := dict "apiVersion" "networking.k8s.io/v1" "kind" "Ingress" -}}
  {{- include "app.metadata" (dict "app" $app "id" $id "values" $ingress "among" $app.ingress "into" $object) -}}
  {{- $spec := dict -}}
  {{- with $ingress.className -}}{{- $_ := set $spec "ingressClassName" . -}}{{- end -}}
  {{- include "app.pick" (dict "values" $ingress "into" $spec "keys" (list "defaultBackend" "tls")) -}}
  {{- $rules := list -}}
  {{- range $host := $ingress.hosts -}}
    {{- $paths := list -}}
    {{- range $path := $host.paths -}}
      {{- $backend := dict -}}
      {{- include "app.backend" (dict "app" $app "what" $what "ref" $path.service "into" $backend) -}}
      {{- $port := dict (ternary "number" "name" (kindIs "int" $backend.port)) $backend.port -}}
      {{- $paths = append $paths (dict "path" $path.path "pathType" ($path.pathType | default "Prefix") "backend" (dict "service" (dict "name" $backend.name "port" $port))) -}}
    {{- end -}}
    {{- $rules = append $rules (dict "host" $host.host "http" (dict "paths" $paths)) -}}
  {{- end -}}
  {{- if $ingress.defaultBackend -}}
  {{- else if $rules -}}{{- $_ := set $spec "rules" $rules -}}
  {{- else -}}{{- fail (printf "%s has neither hosts nor a defaultBackend" $what) -}}
  {{- end -}}
  {{- $_ := set $object "spec" $spec -}}
  {{- include "app.emit" $object }}
{{- end -}}
{{- end -}}
