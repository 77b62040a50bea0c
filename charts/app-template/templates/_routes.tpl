{{/* app.routes emits the Gateway API routes. */}}
{{- define "app.routes" -}}
{{- $app := . -}}
{{- range $id, $route := .route -}}
  {{- $kind := $route.kind | default "HTTPRoute" -}}
  {{- if not (has $kind (list "HTTPRoute" "GRPCRoute" "TCPRoute" "TLSRoute" "UDPRoute")) -}}
    {{- fail (printf "route %q has the unknown kind %q" $id $kind) -}}
  {{- end -}}
  {{- $version := "v1" -}}
  {{- if has $kind (list "TCPRoute" "TLSRoute" "UDPRoute") -}}
    {{- $version = ternary "v1" "v1alpha2" ($app.root.Capabilities.APIVersions.Has (printf "gateway.networking.k8s.io/v1/%s" $kind)) -}}
  {{- end -}}
  {{- $object := dict "apiVersion" (printf "gateway.networking.k8s.io/%s" $version) "kind" $kind -}}
  {{- include "app.metadata" (dict "app" $app "id" $id "values" $route "among" $app.route "into" $object) -}}
  {{- with $route.namespaceOverride -}}{{- $_ := set $object.metadata "namespace" . -}}{{- end -}}
  {{- $parents := list -}}
  {{- range $ref := $route.parentRefs -}}
    {{- $parents = append $parents (mergeOverwrite (dict "group" "gateway.networking.k8s.io" "kind" "Gateway") (omit $ref "identifier")) -}}
  {{- end -}}
  {{- $spec := dict "parentRefs" $parents -}}
  {{- if and $route.hostnames (not (has $kind (list "TCPRoute" "UDPRoute"))) -}}{{- $_ := set $spec "hostnames" $route.hostnames -}}{{- end -}}
  {{- $rules := list -}}
  {{- range $rule := ($route.rules | default (list dict)) -}}
    {{- $one := dict -}}
    {{- include "app.routeRule" (dict "app" $app "what" (printf "route %q" $id) "kind" $kind "rule" ($rule | default dict) "into" $one) -}}
    {{- $rules = append $rules $one -}}
  {{- end -}}
  {{- $_ := set $spec "rules" $rules -}}
  {{- $_ := set $object "spec" $spec -}}
  {{- include "app.emit" $object }}
{{- end -}}
{{- end -}}

{{/*
app.routeRule fills into with one rule. A rule that names no backend leads to
the primary service, unless a redirect answers it.
*/}}
{{- define "app.routeRule" -}}
{{- $run := . -}}
{{- $rule := .rule -}}
{{- include "app.pick" (dict "values" $rule "into" .into "keys" (list "name" "matches" "filters" "timeouts" "retry" "sessionPersistence")) -}}
{{- if and (eq .kind "HTTPRoute") (not $rule.matches) -}}
  {{- $_ := set .into "matches" (list (dict "path" (dict "type" "PathPrefix" "value" "/"))) -}}
{{- end -}}
{{- $redirects := false -}}
{{- range $filter := $rule.filters -}}
  {{- if eq ($filter.type | default "") "RequestRedirect" -}}{{- $redirects = true -}}{{- end -}}
{{- end -}}
{{- $refs := $rule.backendRefs -}}
{{- if and (not $refs) (not $redirects) -}}{{- $refs = list dict -}}{{- end -}}
{{- $backends := list -}}
{{- range $ref := $refs -}}
  {{- $ref = $ref | default dict -}}
  {{- $backend := dict "group" "" "kind" "Service" "namespace" $run.app.root.Release.Namespace "weight" 1 -}}
  {{- include "app.pick" (dict "values" $ref "into" $backend "keys" (list "group" "kind" "namespace" "weight" "filters")) -}}
  {{- include "app.backend" (dict "app" $run.app "what" $run.what "ref" $ref "into" $backend) -}}
  {{- if and (eq $backend.kind "Service") (not (hasKey $backend "port")) -}}
    {{- fail (printf "%s names backend %q without its port" $run.what $backend.name) -}}
  {{- end -}}
  {{- $backends = append $backends $backend -}}
{{- end -}}
{{- if $backends -}}{{- $_ := set .into "backendRefs" $backends -}}{{- end -}}
{{- end -}}
