{{/* app.disruptionBudget emits the PodDisruptionBudget of a controller that sets one. */}}
{{- define "app.disruptionBudget" -}}
{{- with .controller.podDisruptionBudget -}}
  {{- $budget := dict "apiVersion" "policy/v1" "kind" "PodDisruptionBudget" "metadata" (omit $.into.metadata "annotations") -}}
  {{- $spec := dict "selector" $.selector -}}
  {{- include "app.pick" (dict "values" . "into" $spec "keys" (list "minAvailable" "maxUnavailable" "unhealthyPodEvictionPolicy")) -}}
  {{- $_ := set $budget "spec" $spec -}}
  {{- include "app.emit" $budget }}
{{- end -}}
{{- end -}}

{{/* app.autoscaler emits the HorizontalPodAutoscaler of a controller that sets one. */}}
{{- define "app.autoscaler" -}}
{{- $kind := .into.kind -}}
{{- with .controller.horizontalPodAutoscaler -}}
  {{- if not (has $kind (list "Deployment" "StatefulSet")) -}}
    {{- fail (printf "controller %q cannot be scaled: a %s has no number of replicas" $.id $kind) -}}
  {{- end -}}
  {{- $scaler := dict "apiVersion" "autoscaling/v2" "kind" "HorizontalPodAutoscaler" "metadata" (omit $.into.metadata "annotations") -}}
  {{- $spec := dict
        "scaleTargetRef" (dict "apiVersion" "apps/v1" "kind" $kind "name" $.into.metadata.name)
        "maxReplicas" (int .maxReplicas)
        "minReplicas" (ternary (int .minReplicas) ($.controller.replicas | default 1 | int) (hasKey . "minReplicas")) -}}
  {{- include "app.pick" (dict "values" . "into" $spec "keys" (list "metrics" "behavior")) -}}
  {{- $_ := set $scaler "spec" $spec -}}
  {{- include "app.emit" $scaler }}
{{- end -}}
{{- end -}}
