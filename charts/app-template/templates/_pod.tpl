{{/* app.podTemplate fills into with metadata and spec of the pods of controller id. */}}
{{- define "app.podTemplate" -}}
{{- $app := .app -}}
{{- $controller := .controller -}}
{{- $options := dict -}}
{{- include "app.podOptions" (dict "app" $app "controller" $controller "into" $options) -}}
{{- include "app.podMetadata" (dict "app" $app "id" .id "options" $options "into" .into) -}}
{{- $spec := dict -}}
{{- include "app.pick" (dict "values" $options "into" $spec "keys" (list
      "automountServiceAccountToken" "dnsConfig" "enableServiceLinks" "hostAliases" "hostIPC" "hostNetwork" "hostPID"
      "hostUsers" "hostname" "hostnameOverride" "imagePullSecrets" "os" "overhead" "preemptionPolicy" "priorityClassName" "readinessGates"
      "resizePolicy" "resourceClaims" "resources" "runtimeClassName" "schedulerName" "schedulingGates"
      "setHostnameAsFQDN" "shareProcessNamespace" "subdomain" "terminationGracePeriodSeconds"
      "affinity" "nodeSelector" "securityContext" "tolerations")) -}}
{{- range $key := keys $spec -}}
  {{- $value := get $spec $key -}}
  {{- if or (and (kindIs "map" $value) (not $value)) (and (kindIs "slice" $value) (not $value)) -}}{{- $_ := unset $spec $key -}}{{- end -}}
{{- end -}}
{{- $_ := set $spec "serviceAccountName" (include "app.serviceAccountName" (dict "app" $app "id" .id "controller" $controller)) -}}
{{- $_ := set $spec "dnsPolicy" ($options.dnsPolicy | default (ternary "ClusterFirstWithHostNet" "ClusterFirst" ($options.hostNetwork | default false))) -}}
{{- $restart := $options.restartPolicy -}}
{{- if and (not $restart) (has ($controller.type | default "deployment") (list "cronjob" "job")) -}}{{- $restart = "Never" -}}{{- end -}}
{{- with $restart -}}{{- $_ := set $spec "restartPolicy" . -}}{{- end -}}
{{- include "app.spread" (dict "app" $app "id" .id "constraints" $options.topologySpreadConstraints "into" $spec) -}}
{{- $init := dict -}}
{{- include "app.containers" (dict "app" $app "id" .id "controller" $controller "items" $controller.initContainers "init" true "into" $init) -}}
{{- with $init.containers -}}{{- $_ := set $spec "initContainers" . -}}{{- end -}}
{{- include "app.containers" (dict "app" $app "id" .id "controller" $controller "items" $controller.containers "init" false "into" $spec) -}}
{{- include "app.volumes" (dict "app" $app "id" .id "into" $spec) -}}
{{- $_ := set .into "spec" $spec -}}
{{- end -}}

{{/* app.podOptions fills into with a controller's pod options over the defaults. */}}
{{- define "app.podOptions" -}}
{{- $into := .into -}}
{{- $merge := eq (.app.values.defaultPodOptionsStrategy | default "overwrite") "merge" -}}
{{- $defaults := .app.values.defaultPodOptions | default dict -}}
{{- if $merge -}}{{- $defaults = deepCopy $defaults -}}{{- end -}}
{{- range $key, $value := $defaults -}}{{- $_ := set $into $key $value -}}{{- end -}}
{{- range $key, $value := .controller.pod -}}
  {{- if and $merge (kindIs "map" $value) (kindIs "map" (get $into $key)) -}}
    {{- $_ := set $into $key (mergeOverwrite (get $into $key) (deepCopy $value)) -}}
  {{- else -}}
    {{- $_ := set $into $key $value -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{/* app.podMetadata sets into.metadata. Checksums make pods follow the config maps and secrets of the same release. */}}
{{- define "app.podMetadata" -}}
{{- $app := .app -}}
{{- $box := dict -}}
{{- include "app.selectorLabels" (dict "app" $app "id" .id "into" $box) -}}
{{- $labels := dict -}}
{{- $annotations := dict -}}
{{- with $app.configMaps -}}{{- $_ := set $annotations "checksum/configMaps" (toJson . | sha256sum) -}}{{- end -}}
{{- with $app.secrets -}}{{- $_ := set $annotations "checksum/secrets" (toJson . | sha256sum) -}}{{- end -}}
{{- $everywhere := ternary $app.global dict ($app.global.propagateGlobalMetadataToPods | default false) -}}
{{- range $more := list $everywhere.labels .options.labels $box.labels -}}
  {{- range $key, $value := $more -}}{{- $_ := set $labels $key (include "app.scalar" $value) -}}{{- end -}}
{{- end -}}
{{- range $more := list $everywhere.annotations .options.annotations -}}
  {{- range $key, $value := $more -}}{{- $_ := set $annotations $key (include "app.scalar" $value) -}}{{- end -}}
{{- end -}}
{{- $metadata := dict "labels" $labels -}}
{{- if $annotations -}}{{- $_ := set $metadata "annotations" $annotations -}}{{- end -}}
{{- $_ := set .into "metadata" $metadata -}}
{{- end -}}

{{/* app.spread sets into.topologySpreadConstraints; a constraint without selector means the controller's own pods. */}}
{{- define "app.spread" -}}
{{- $run := . -}}
{{- $constraints := list -}}
{{- range $constraint := .constraints -}}
  {{- $one := deepCopy $constraint -}}
  {{- if not $one.labelSelector -}}
    {{- $box := dict -}}
    {{- include "app.selectorLabels" (dict "app" $run.app "id" $run.id "into" $box) -}}
    {{- $_ := set $one "labelSelector" (dict "matchLabels" $box.labels) -}}
  {{- end -}}
  {{- $constraints = append $constraints $one -}}
{{- end -}}
{{- if $constraints -}}{{- $_ := set .into "topologySpreadConstraints" $constraints -}}{{- end -}}
{{- end -}}
