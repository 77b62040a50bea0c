{{/* app.jobSpec fills into with what Jobs and CronJobs have in common. */}}
{{- define "app.jobSpec" -}}
{{- $_ := set .into "template" .pods -}}
{{- $_ := set .into "backoffLimit" (ternary (.own.backoffLimit | int) 6 (hasKey .own "backoffLimit")) -}}
{{- include "app.pick" (dict "values" .own "into" .into "keys" (list
      "activeDeadlineSeconds" "backoffLimitPerIndex" "completionMode" "completions" "maxFailedIndexes"
      "parallelism" "podFailurePolicy" "podReplacementPolicy" "ttlSecondsAfterFinished")) -}}
{{- end -}}

{{- define "app.job" -}}
{{- $own := .controller.job | default dict -}}
{{- $spec := dict -}}
{{- include "app.jobSpec" (dict "own" $own "pods" .pods "into" $spec) -}}
{{- if hasKey $own "suspend" -}}{{- $_ := set $spec "suspend" $own.suspend -}}{{- end -}}
{{- $_ := set .into "apiVersion" "batch/v1" -}}
{{- $_ := set .into "kind" "Job" -}}
{{- $_ := set .into "spec" $spec -}}
{{- end -}}

{{- define "app.cronJob" -}}
{{- $own := .controller.cronjob | default dict -}}
{{- if not $own.schedule -}}
  {{- fail (printf "controller %q is a cronjob without schedule: set controllers.%s.cronjob.schedule" .id .id) -}}
{{- end -}}
{{- $job := dict -}}
{{- include "app.jobSpec" (dict "own" $own "pods" .pods "into" $job) -}}
{{- $spec := dict
      "schedule" $own.schedule
      "concurrencyPolicy" ($own.concurrencyPolicy | default "Forbid")
      "startingDeadlineSeconds" 30
      "successfulJobsHistoryLimit" 1
      "failedJobsHistoryLimit" 1
      "suspend" ($own.suspend | default false)
      "jobTemplate" (dict "spec" $job) -}}
{{- range $key, $field := dict "startingDeadlineSeconds" "startingDeadlineSeconds" "successfulJobsHistory" "successfulJobsHistoryLimit" "failedJobsHistory" "failedJobsHistoryLimit" -}}
  {{- if hasKey $own $key -}}{{- $_ := set $spec $field (int (get $own $key)) -}}{{- end -}}
{{- end -}}
{{- with $own.timeZone -}}{{- $_ := set $spec "timeZone" . -}}{{- end -}}
{{- $_ := set .into "apiVersion" "batch/v1" -}}
{{- $_ := set .into "kind" "CronJob" -}}
{{- $_ := set .into "spec" $spec -}}
{{- end -}}
