{{/*
app.probes sets into.livenessProbe and its siblings for the probes that are on.
A custom probe is its spec. Any other is made from type, path and port; what is
missing comes from the primary port of the controller's primary service. A probe
that finds no port is left out, as there is nothing it could ask.
*/}}
{{- define "app.probes" -}}
{{- $run := . -}}
{{- range $kind := list "liveness" "readiness" "startup" -}}
  {{- $probe := get ($run.probes | default dict) $kind | default dict -}}
  {{- if and (hasKey $probe "enabled") (eq (include "app.isOn" $probe) "true") -}}
    {{- $spec := dict -}}
    {{- if $probe.custom -}}
      {{- $spec = deepCopy ($probe.spec | default dict) -}}
    {{- else -}}
      {{- include "app.madeProbe" (dict "app" $run.app "controller" $run.controller "probe" $probe "what" (printf "%s: %s probe" $run.what $kind) "into" $spec) -}}
    {{- end -}}
    {{- if $spec -}}{{- $_ := set $run.into (printf "%sProbe" $kind) $spec -}}{{- end -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- define "app.madeProbe" -}}
{{- $probe := .probe -}}
{{- $into := .into -}}
{{- $protocol := "TCP" -}}
{{- $port := $probe.port -}}
{{- $serviceID := include "app.primaryService" (dict "app" .app "controller" .controller) -}}
{{- if $serviceID -}}
  {{- $service := get .app.service $serviceID -}}
  {{- $portID := include "app.primaryPort" $service -}}
  {{- if $portID -}}
    {{- $servicePort := get $service.ports $portID -}}
    {{- $protocol = $servicePort.protocol | default "TCP" -}}
    {{- if not $port -}}{{- $port = $servicePort.targetPort | default $servicePort.port -}}{{- end -}}
  {{- end -}}
{{- end -}}
{{- $type := $probe.type | default "AUTO" -}}
{{- if eq $type "AUTO" -}}
  {{- $type = ternary "COMMAND" (ternary $protocol "TCP" (has $protocol (list "HTTP" "HTTPS"))) (not (empty $probe.command)) -}}
{{- end -}}
{{- if not (kindIs "invalid" $port) -}}
  {{- $text := include "app.scalar" $port -}}
  {{- $port = $text -}}
  {{- if regexMatch "^[0-9]+$" $text -}}{{- $port = int $text -}}{{- end -}}
{{- end -}}
{{- $action := dict -}}
{{- if eq $type "COMMAND" -}}
  {{- if not $probe.command -}}{{- fail (printf "%s has no command" .what) -}}{{- end -}}
  {{- $action = dict "exec" (dict "command" $probe.command) -}}
{{- else if $port -}}
  {{- if has $type (list "HTTP" "HTTPS") -}}
    {{- $action = dict "httpGet" (dict "path" ($probe.path | default "/") "port" $port "scheme" $type) -}}
  {{- else if eq $type "GRPC" -}}
    {{- $grpc := dict "port" $port -}}
    {{- if $probe.service -}}{{- $_ := set $grpc "service" $probe.service -}}{{- end -}}
    {{- $action = dict "grpc" $grpc -}}
  {{- else if eq $type "TCP" -}}
    {{- $action = dict "tcpSocket" (dict "port" $port) -}}
  {{- else -}}
    {{- fail (printf "%s has the unknown type %q: use AUTO, TCP, HTTP, HTTPS, GRPC or COMMAND" .what $type) -}}
  {{- end -}}
{{- end -}}
{{- if $action -}}
  {{- range $key, $value := mergeOverwrite (dict "initialDelaySeconds" 0 "failureThreshold" 3 "timeoutSeconds" 1 "periodSeconds" 10) (deepCopy ($probe.spec | default dict)) $action -}}
    {{- $_ := set $into $key $value -}}
  {{- end -}}
{{- end -}}
{{- end -}}
