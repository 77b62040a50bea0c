{{/* app.controllers emits every controller, with its disruption budget and autoscaler. */}}
{{- define "app.controllers" -}}
{{- $app := . -}}
{{- range $id, $controller := .controllers -}}
  {{- $type := $controller.type | default "deployment" | lower -}}
  {{- $object := dict -}}
  {{- include "app.metadata" (dict "app" $app "id" $id "values" $controller "among" $app.controllers "labels" (dict "app.kubernetes.io/controller" $id) "into" $object) -}}
  {{- $pods := dict -}}
  {{- include "app.podTemplate" (dict "app" $app "id" $id "controller" $controller "into" $pods) -}}
  {{- $selector := dict -}}
  {{- include "app.selectorLabels" (dict "app" $app "id" $id "into" $selector) -}}
  {{- $run := dict "app" $app "id" $id "controller" $controller "pods" $pods "selector" (dict "matchLabels" $selector.labels) "into" $object -}}
  {{- if eq $type "deployment" -}}{{- include "app.deployment" $run -}}
  {{- else if eq $type "statefulset" -}}{{- include "app.statefulSet" $run -}}
  {{- else if eq $type "daemonset" -}}{{- include "app.daemonSet" $run -}}
  {{- else if eq $type "cronjob" -}}{{- include "app.cronJob" $run -}}
  {{- else if eq $type "job" -}}{{- include "app.job" $run -}}
  {{- else -}}
    {{- fail (printf "controller %q has the unknown type %q: use deployment, statefulset, daemonset, cronjob or job" $id $type) -}}
  {{- end -}}
  {{- include "app.emit" $object }}
  {{- include "app.disruptionBudget" $run }}
  {{- include "app.autoscaler" $run }}
{{- end -}}
{{- end -}}

{{/*
app.replicas sets into.replicas: 1 where nothing is said, nothing at all where
null or an autoscaler leaves the number to someone else.
*/}}
{{- define "app.replicas" -}}
{{- $controller := .controller -}}
{{- if $controller.horizontalPodAutoscaler -}}
{{- else if not (hasKey $controller "replicas") -}}
  {{- $_ := set .into "replicas" 1 -}}
{{- else if not (kindIs "invalid" $controller.replicas) -}}
  {{- $_ := set .into "replicas" (int $controller.replicas) -}}
{{- end -}}
{{- end -}}

{{/* app.rollingUpdate sets into.rollingUpdate; surge and unavailable are older names of two keys. */}}
{{- define "app.rollingUpdate" -}}
{{- $given := .controller.rollingUpdate | default dict -}}
{{- $update := dict -}}
{{- with $given.unavailable -}}{{- $_ := set $update "maxUnavailable" . -}}{{- end -}}
{{- with $given.surge -}}{{- $_ := set $update "maxSurge" . -}}{{- end -}}
{{- include "app.pick" (dict "values" $given "into" $update "keys" (list "maxUnavailable" "maxSurge" "partition")) -}}
{{- if $update -}}{{- $_ := set .into "rollingUpdate" $update -}}{{- end -}}
{{- end -}}

{{/* app.strategy sets into.strategy: {type, rollingUpdate} from a type's name or an object of the API's own form. */}}
{{- define "app.strategy" -}}
{{- $given := .controller.strategy | default .controller.updateStrategy | default .default -}}
{{- if kindIs "map" $given -}}
  {{- $_ := set .into "strategy" $given -}}
{{- else -}}
  {{- if not (has $given .allowed) -}}
    {{- fail (printf "controller %q has the unknown strategy %q: use %s" .id $given (join " or " .allowed)) -}}
  {{- end -}}
  {{- $strategy := dict "type" $given -}}
  {{- if eq $given "RollingUpdate" -}}{{- include "app.rollingUpdate" (dict "controller" .controller "into" $strategy) -}}{{- end -}}
  {{- $_ := set .into "strategy" $strategy -}}
{{- end -}}
{{- end -}}

{{- define "app.deployment" -}}
{{- $spec := dict "selector" .selector "template" .pods "revisionHistoryLimit" (.controller.revisionHistoryLimit | default 3) -}}
{{- include "app.replicas" (dict "controller" .controller "into" $spec) -}}
{{- include "app.strategy" (dict "id" .id "controller" .controller "default" "Recreate" "allowed" (list "Recreate" "RollingUpdate") "into" $spec) -}}
{{- $_ := set .into "apiVersion" "apps/v1" -}}
{{- $_ := set .into "kind" "Deployment" -}}
{{- $_ := set .into "spec" $spec -}}
{{- end -}}

{{- define "app.daemonSet" -}}
{{- $box := dict -}}
{{- include "app.strategy" (dict "id" .id "controller" .controller "default" "RollingUpdate" "allowed" (list "OnDelete" "RollingUpdate") "into" $box) -}}
{{- $_ := set .into "apiVersion" "apps/v1" -}}
{{- $_ := set .into "kind" "DaemonSet" -}}
{{- $_ := set .into "spec" (dict "selector" .selector "template" .pods "revisionHistoryLimit" (.controller.revisionHistoryLimit | default 3) "updateStrategy" $box.strategy) -}}
{{- end -}}

{{- define "app.statefulSet" -}}
{{- $app := .app -}}
{{- $own := .controller.statefulset | default dict -}}
{{- $spec := dict "selector" .selector "template" .pods "revisionHistoryLimit" (.controller.revisionHistoryLimit | default 3) -}}
{{- include "app.replicas" (dict "controller" .controller "into" $spec) -}}
{{- $box := dict -}}
{{- include "app.strategy" (dict "id" .id "controller" .controller "default" "RollingUpdate" "allowed" (list "OnDelete" "RollingUpdate") "into" $box) -}}
{{- $_ := set $spec "updateStrategy" $box.strategy -}}
{{- include "app.pick" (dict "values" $own "into" $spec "keys" (list "podManagementPolicy" "persistentVolumeClaimRetentionPolicy")) -}}
{{- if hasKey $own "startOrdinal" -}}{{- $_ := set $spec "ordinals" (dict "start" (int $own.startOrdinal)) -}}{{- end -}}
{{- $service := $own.serviceName -}}
{{- if kindIs "map" $service -}}
  {{- $service = include "app.refer" (dict "app" $app "kind" "service" "id" $service.identifier "what" (printf "controller %q" .id)) -}}
{{- end -}}
{{- $_ := set $spec "serviceName" ($service | default .into.metadata.name) -}}
{{- $claims := list -}}
{{- range $claim := $own.volumeClaimTemplates -}}
  {{- if eq (include "app.isOn" $claim) "true" -}}
    {{- $metadata := dict "name" $claim.name -}}
    {{- include "app.pick" (dict "values" $claim "into" $metadata "keys" (list "annotations" "labels")) -}}
    {{- $claimSpec := dict -}}
    {{- include "app.claimSpec" (dict "item" $claim "what" (printf "volume claim template %q of controller %q" $claim.name $.id) "into" $claimSpec) -}}
    {{- $claims = append $claims (dict "apiVersion" "v1" "kind" "PersistentVolumeClaim" "metadata" $metadata "spec" $claimSpec) -}}
  {{- end -}}
{{- end -}}
{{- if $claims -}}{{- $_ := set $spec "volumeClaimTemplates" $claims -}}{{- end -}}
{{- $_ := set .into "apiVersion" "apps/v1" -}}
{{- $_ := set .into "kind" "StatefulSet" -}}
{{- $_ := set .into "spec" $spec -}}
{{- end -}}
