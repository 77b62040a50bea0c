{{/*
References between entries: by key ("identifier"), by name, or by being the
only one there is.
*/}}

{{/* app.refer prints the name of the enabled entry id of a kind, or fails. */}}
{{- define "app.refer" -}}
{{- $among := get .app .kind -}}
{{- if not (hasKey $among .id) -}}
  {{- fail (printf "%s refers to %s %q, which is not enabled in the values" .what .kind .id) -}}
{{- end -}}
{{- include "app.nameOf" (dict "app" .app "id" .id "values" (get $among .id) "among" $among) -}}
{{- end -}}

{{/* app.soleController prints the controller an entry means that names none: the only one, or the one of the same key. */}}
{{- define "app.soleController" -}}
{{- $controllers := .app.controllers -}}
{{- if .named -}}
  {{- if not (hasKey $controllers .named) -}}
    {{- fail (printf "%s refers to controller %q, which is not enabled in the values" .what .named) -}}
  {{- end -}}
  {{- .named -}}
{{- else if eq (len $controllers) 1 -}}
  {{- keys $controllers | first -}}
{{- else if hasKey $controllers .id -}}
  {{- .id -}}
{{- else if not $controllers -}}
  {{- fail (printf "%s has no controller to lead to: no controller is enabled" .what) -}}
{{- else -}}
  {{- fail (printf "%s must say which controller it belongs to: there are %s" .what (keys $controllers | sortAlpha | join ", ")) -}}
{{- end -}}
{{- end -}}

{{/* app.primaryService prints the key of the primary service (of a controller, where one is given), or nothing. */}}
{{- define "app.primaryService" -}}
{{- $app := .app -}}
{{- $controller := .controller -}}
{{- $found := "" -}}
{{- $marked := false -}}
{{- range $id, $service := $app.service -}}
  {{- $mine := true -}}
  {{- if eq ($service.type | default "ClusterIP") "ExternalName" -}}
    {{- $mine = not $controller -}}
  {{- else if $controller -}}
    {{- $mine = eq $controller (include "app.soleController" (dict "app" $app "id" $id "named" $service.controller "what" (printf "service %q" $id))) -}}
  {{- end -}}
  {{- if and $mine (or (not $found) (and $service.primary (not $marked))) -}}
    {{- $found = $id -}}
    {{- $marked = $service.primary | default false -}}
  {{- end -}}
{{- end -}}
{{- $found -}}
{{- end -}}

{{/* app.primaryPort prints the key of a service's primary port: the one marked, else the first. */}}
{{- define "app.primaryPort" -}}
{{- $ports := dict -}}
{{- include "app.enabled" (dict "items" .ports "into" $ports) -}}
{{- $found := "" -}}
{{- $marked := false -}}
{{- range $id, $port := $ports -}}
  {{- if and (not $port.portRange) (or (not $found) (and $port.primary (not $marked))) -}}
    {{- $found = $id -}}
    {{- $marked = $port.primary | default false -}}
  {{- end -}}
{{- end -}}
{{- $found -}}
{{- end -}}

{{/*
app.backend sets into.name and into.port: the service that ref means (by
identifier, by name, or the primary one) and a port number of it.
*/}}
{{- define "app.backend" -}}
{{- $app := .app -}}
{{- $ref := .ref | default dict -}}
{{- $id := $ref.identifier | default "" -}}
{{- if not (or $id $ref.name) -}}
  {{- $id = include "app.primaryService" (dict "app" $app) -}}
  {{- if not $id -}}
    {{- fail (printf "%s has no backend: no service is enabled, and it names none" .what) -}}
  {{- end -}}
{{- end -}}
{{- if not $id -}}
  {{- $_ := set .into "name" $ref.name -}}
  {{- if $ref.port -}}{{- $_ := set .into "port" $ref.port -}}{{- end -}}
{{- else -}}
  {{- $_ := set .into "name" (include "app.refer" (dict "app" $app "kind" "service" "id" $id "what" .what)) -}}
  {{- $service := get $app.service $id -}}
  {{- $port := $ref.port -}}
  {{- if not $port -}}{{- $port = include "app.primaryPort" $service -}}{{- end -}}
  {{- if and (kindIs "string" $port) (hasKey ($service.ports | default dict) $port) -}}
    {{- $port = (get $service.ports $port).port -}}
  {{- end -}}
  {{- if not $port -}}
    {{- fail (printf "%s has no backend: service %q has no port" .what $id) -}}
  {{- end -}}
  {{- $_ := set .into "port" $port -}}
{{- end -}}
{{- if hasKey .into "port" -}}
  {{- $text := include "app.scalar" .into.port -}}
  {{- if regexMatch "^[0-9]+$" $text -}}{{- $_ := set .into "port" (int $text) -}}{{- end -}}
{{- end -}}
{{- end -}}

{{/* app.serviceAccountName prints the service account of a controller. */}}
{{- define "app.serviceAccountName" -}}
{{- $app := .app -}}
{{- $ref := .controller.serviceAccount | default dict -}}
{{- if kindIs "string" $ref -}}{{- $ref = dict "name" $ref -}}{{- end -}}
{{- if $ref.identifier -}}
  {{- include "app.refer" (dict "app" $app "kind" "serviceAccounts" "id" $ref.identifier "what" (printf "controller %q" .id)) -}}
{{- else if $ref.name -}}
  {{- $ref.name -}}
{{- else if $app.givenServiceAccount -}}
  {{- $app.givenServiceAccount -}}
{{- else if eq (len $app.serviceAccounts) 1 -}}
  {{- include "app.refer" (dict "app" $app "kind" "serviceAccounts" "id" (keys $app.serviceAccounts | first) "what" "") -}}
{{- else -}}default
{{- end -}}
{{- end -}}
