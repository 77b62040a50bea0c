{{/* app.mounts sets into.volumeMounts of container key of controller id. */}}
{{- define "app.mounts" -}}
{{- $run := . -}}
{{- $box := dict "mounts" list -}}
{{- range $name, $item := .app.persistence -}}
  {{- $path := printf "/%s" $name -}}
  {{- if eq (include "app.volumeType" $item) "hostPath" -}}{{- $path = $item.hostPath -}}{{- end -}}
  {{- $mounts := $item.globalMounts | default list -}}
  {{- if not (or $item.globalMounts $item.advancedMounts) -}}{{- $mounts = list dict -}}{{- end -}}
  {{- $ours := get ($item.advancedMounts | default dict) $run.id | default dict -}}
  {{- $mounts = concat $mounts (get $ours $run.key | default list) -}}
  {{- include "app.addMounts" (dict "name" $name "path" $path "mounts" $mounts "into" $box) -}}
{{- end -}}
{{- $claims := dig "statefulset" "volumeClaimTemplates" list .controller -}}
{{- range $claim := $claims -}}
  {{- $mounts := $claim.globalMounts | default list -}}
  {{- if not (or $claim.globalMounts $claim.advancedMounts) -}}{{- $mounts = list dict -}}{{- end -}}
  {{- $ours := $claim.advancedMounts | default dict -}}
  {{- if kindIs "map" (get $ours $run.id) -}}{{- $ours = get $ours $run.id -}}{{- end -}}
  {{- $mine := get $ours $run.key -}}
  {{- if kindIs "slice" $mine -}}{{- $mounts = concat $mounts $mine -}}{{- end -}}
  {{- include "app.addMounts" (dict "name" $claim.name "path" (printf "/%s" $claim.name) "mounts" $mounts "into" $box) -}}
{{- end -}}
{{- if $box.mounts -}}{{- $_ := set .into "volumeMounts" $box.mounts -}}{{- end -}}
{{- end -}}

{{/* app.addMounts appends mounts of one volume to into.mounts. A list of sub-paths makes one mount each. */}}
{{- define "app.addMounts" -}}
{{- $run := . -}}
{{- range $mount := .mounts -}}
  {{- $mount = $mount | default dict -}}
  {{- $base := dict "name" $run.name "mountPath" ($mount.path | default $run.path) -}}
  {{- include "app.pick" (dict "values" $mount "into" $base "keys" (list "readOnly" "recursiveReadOnly" "subPathExpr" "mountPropagation")) -}}
  {{- if kindIs "slice" $mount.subPath -}}
    {{- range $sub := $mount.subPath -}}
      {{- $one := deepCopy $base -}}
      {{- if kindIs "map" $sub -}}
        {{- $_ := set $one "subPath" ($sub.subPath | default $sub.path) -}}
        {{- $_ := set $one "mountPath" ($sub.mountPath | default $base.mountPath) -}}
        {{- include "app.pick" (dict "values" $sub "into" $one "keys" (list "readOnly")) -}}
      {{- else -}}
        {{- $_ := set $one "subPath" $sub -}}
        {{- $_ := set $one "mountPath" (printf "%s/%s" (trimSuffix "/" $base.mountPath) $sub) -}}
      {{- end -}}
      {{- $_ := set $run.into "mounts" (append $run.into.mounts $one) -}}
    {{- end -}}
  {{- else -}}
    {{- with $mount.subPath -}}{{- $_ := set $base "subPath" . -}}{{- end -}}
    {{- $_ := set $run.into "mounts" (append $run.into.mounts $base) -}}
  {{- end -}}
{{- end -}}
{{- end -}}
