{{/*
app.containers sets into.containers: a list made of the enabled entries of
items, in the order dependsOn asks for.
*/}}
{{- define "app.containers" -}}
{{- $run := . -}}
{{- $enabled := dict -}}
{{- include "app.enabled" (dict "items" .items "into" $enabled) -}}
{{- $order := dict -}}
{{- include "app.order" (dict "items" $enabled "what" (printf "controller %q: containers" .id) "into" $order) -}}
{{- $containers := list -}}
{{- range $key := $order.keys -}}
  {{- $container := dict -}}
  {{- include "app.container" (dict "app" $run.app "controller" $run.controller "id" $run.id "key" $key "values" (get $enabled $key) "init" $run.init "into" $container) -}}
  {{- $containers = append $containers $container -}}
{{- end -}}
{{- if $containers -}}{{- $_ := set .into "containers" $containers -}}{{- end -}}
{{- end -}}

{{/* app.container fills into with one container of controller id. */}}
{{- define "app.container" -}}
{{- $app := .app -}}
{{- $values := dict -}}
{{- include "app.withDefaults" (dict "app" $app "controller" .controller "values" .values "init" .init "into" $values) -}}
{{- $what := printf "container %q of controller %q" .key .id -}}
{{- $c := .into -}}
{{- $_ := set $c "name" ($values.nameOverride | default .key) -}}
{{- $_ := set $c "image" (include "app.image" (dict "image" $values.image "what" $what)) -}}
{{- if kindIs "map" $values.image -}}
  {{- with $values.image.pullPolicy -}}{{- $_ := set $c "imagePullPolicy" . -}}{{- end -}}
{{- end -}}
{{- range $key := list "command" "args" -}}
  {{- $words := get $values $key -}}
  {{- if and $words (kindIs "string" $words) -}}{{- $words = list $words -}}{{- end -}}
  {{- if $words -}}
    {{- $texts := list -}}
    {{- range $word := $words -}}{{- $texts = append $texts (include "app.scalar" $word) -}}{{- end -}}
    {{- $_ := set $c $key $texts -}}
  {{- end -}}
{{- end -}}
{{- include "app.pick" (dict "values" $values "into" $c "keys" (list
      "workingDir" "ports" "securityContext" "lifecycle" "restartPolicy" "resizePolicy"
      "terminationMessagePath" "terminationMessagePolicy" "stdin" "stdinOnce" "tty" "volumeDevices")) -}}
{{- with $values.resources -}}{{- $_ := set $c "resources" . -}}{{- end -}}
{{- include "app.env" (dict "app" $app "env" $values.env "what" $what "into" $c) -}}
{{- include "app.envFrom" (dict "app" $app "envFrom" $values.envFrom "what" $what "into" $c) -}}
{{- include "app.probes" (dict "app" $app "controller" .id "probes" $values.probes "what" $what "into" $c) -}}
{{- include "app.mounts" (dict "app" $app "controller" .controller "id" .id "key" .key "into" $c) -}}
{{- end -}}

{{/* app.withDefaults fills into with a container's values over the default container options. */}}
{{- define "app.withDefaults" -}}
{{- $into := .into -}}
{{- $values := .values -}}
{{- $defaults := .controller.defaultContainerOptions | default .app.values.defaultContainerOptions | default dict -}}
{{- $strategy := .controller.defaultContainerOptionsStrategy | default .app.values.defaultContainerOptionsStrategy -}}
{{- if and .init (hasKey .controller "applyDefaultContainerOptionsToInitContainers") -}}
  {{- if not .controller.applyDefaultContainerOptionsToInitContainers -}}{{- $defaults = dict -}}{{- end -}}
{{- end -}}
{{- if eq $strategy "merge" -}}{{- $defaults = deepCopy $defaults -}}{{- end -}}
{{- range $key, $value := $defaults -}}{{- $_ := set $into $key $value -}}{{- end -}}
{{- range $key, $value := $values -}}
  {{- if and (eq $strategy "merge") (kindIs "map" $value) (kindIs "map" (get $into $key)) -}}
    {{- $_ := set $into $key (mergeOverwrite (get $into $key) (deepCopy $value)) -}}
  {{- else -}}
    {{- $_ := set $into $key $value -}}
  {{- end -}}
{{- end -}}
{{- end -}}
