{{/* app.services emits every service. */}}
{{- define "app.services" -}}
{{- $app := . -}}
{{- range $id, $service := .service -}}
  {{- $what := printf "service %q" $id -}}
  {{- $name := include "app.refer" (dict "app" $app "kind" "service" "id" $id "what" $what) -}}
  {{- $object := dict "apiVersion" "v1" "kind" "Service" -}}
  {{- include "app.metadata" (dict "app" $app "id" $id "values" $service "among" $app.service "labels" (dict "app.kubernetes.io/service" $name) "into" $object) -}}
  {{- $type := $service.type | default "ClusterIP" -}}
  {{- $spec := dict "type" $type -}}
  {{- include "app.pick" (dict "values" $service "into" $spec "keys" (list
        "allocateLoadBalancerNodePorts" "clusterIP" "externalIPs" "externalName" "externalTrafficPolicy" "healthCheckNodePort"
        "internalTrafficPolicy" "ipFamilies" "ipFamilyPolicy" "loadBalancerClass" "loadBalancerIP" "loadBalancerSourceRanges"
        "publishNotReadyAddresses" "sessionAffinity" "sessionAffinityConfig" "trafficDistribution")) -}}
  {{- $box := dict "ports" list -}}
  {{- include "app.servicePorts" (dict "what" $what "type" $type "ports" $service.ports "into" $box) -}}
  {{- if $box.ports -}}{{- $_ := set $spec "ports" $box.ports -}}{{- end -}}
  {{- if ne $type "ExternalName" -}}
    {{- if not $box.ports -}}{{- fail (printf "%s has no enabled port: add one under service.%s.ports" $what $id) -}}{{- end -}}
    {{- $controller := include "app.soleController" (dict "app" $app "id" $id "named" $service.controller "what" $what) -}}
    {{- $selector := dict -}}
    {{- include "app.selectorLabels" (dict "app" $app "id" $controller "into" $selector) -}}
    {{- range $key, $value := $service.extraSelectorLabels -}}{{- $_ := set $selector.labels $key (include "app.scalar" $value) -}}{{- end -}}
    {{- $_ := set $spec "selector" $selector.labels -}}
  {{- end -}}
  {{- $_ := set $object "spec" $spec -}}
  {{- include "app.emit" $object }}
{{- end -}}
{{- end -}}

{{/* app.servicePorts appends the enabled ports to into.ports. HTTP and HTTPS are TCP on the wire. */}}
{{- define "app.servicePorts" -}}
{{- $run := . -}}
{{- $enabled := dict -}}
{{- include "app.enabled" (dict "items" .ports "into" $enabled) -}}
{{- range $id, $port := $enabled -}}
  {{- $one := dict "name" $id "protocol" (ternary "TCP" ($port.protocol | default "TCP") (has ($port.protocol | default "TCP") (list "HTTP" "HTTPS"))) -}}
  {{- with $port.appProtocol -}}{{- $_ := set $one "appProtocol" . -}}{{- end -}}
  {{- if $port.portRange -}}
    {{- range $number := untilStep (int $port.portRange.start) (int $port.portRange.end | add1 | int) 1 -}}
      {{- $_ := set $run.into "ports" (append $run.into.ports (mergeOverwrite (deepCopy $one) (dict "name" (printf "%s-%d" $id $number) "port" $number "targetPort" $number))) -}}
    {{- end -}}
  {{- else -}}
    {{- if not $port.port -}}{{- fail (printf "%s: port %q has no number" $run.what $id) -}}{{- end -}}
    {{- $_ := set $one "port" (int $port.port) -}}
    {{- $target := include "app.scalar" ($port.targetPort | default $port.port) -}}
    {{- if regexMatch "^[0-9]+$" $target -}}{{- $_ := set $one "targetPort" (int $target) -}}{{- else -}}{{- $_ := set $one "targetPort" $target -}}{{- end -}}
    {{- if and $port.nodePort (has $run.type (list "NodePort" "LoadBalancer")) -}}{{- $_ := set $one "nodePort" (int $port.nodePort) -}}{{- end -}}
    {{- $_ := set $run.into "ports" (append $run.into.ports $one) -}}
  {{- end -}}
{{- end -}}
{{- end -}}
