{{/*
Volumes and where they are mounted. An item of persistence without mounts is
mounted at /<key> in every container; globalMounts say where in every container;
advancedMounts say where in one container of one controller.
*/}}

{{- define "app.volumeType" -}}
{{- .type | default "persistentVolumeClaim" -}}
{{- end -}}

{{/* app.usesVolume prints "true" if controller id mounts item. */}}
{{- define "app.usesVolume" -}}
{{- or (not (empty .item.globalMounts)) (empty .item.advancedMounts) (hasKey (.item.advancedMounts | default dict) .id) -}}
{{- end -}}

{{/* app.volumes sets into.volumes: the volumes of controller id. */}}
{{- define "app.volumes" -}}
{{- $run := . -}}
{{- $volumes := list -}}
{{- range $key, $item := .app.persistence -}}
  {{- if eq (include "app.usesVolume" (dict "item" $item "id" $run.id)) "true" -}}
    {{- $volume := dict "name" $key -}}
    {{- include "app.volume" (dict "app" $run.app "key" $key "item" $item "into" $volume) -}}
    {{- $volumes = append $volumes $volume -}}
  {{- end -}}
{{- end -}}
{{- if $volumes -}}{{- $_ := set .into "volumes" $volumes -}}{{- end -}}
{{- end -}}

{{/* app.volume adds the volume source of item to into. */}}
{{- define "app.volume" -}}
{{- $app := .app -}}
{{- $item := .item -}}
{{- $what := printf "persistence %q" .key -}}
{{- $type := include "app.volumeType" $item -}}
{{- $source := dict -}}
{{- if eq $type "persistentVolumeClaim" -}}
  {{- $claim := $item.existingClaim -}}
  {{- if not $claim -}}{{- $claim = include "app.refer" (dict "app" $app "kind" "claims" "id" .key "what" $what) -}}{{- end -}}
  {{- $_ := set .into "persistentVolumeClaim" (dict "claimName" $claim) -}}
{{- else if has $type (list "configMap" "secret") -}}
  {{- $kind := ternary "configMaps" "secrets" (eq $type "configMap") -}}
  {{- $name := $item.name -}}
  {{- if $item.identifier -}}{{- $name = include "app.refer" (dict "app" $app "kind" $kind "id" $item.identifier "what" $what) -}}{{- end -}}
  {{- if not $name -}}{{- fail (printf "%s of type %s needs a name or an identifier" $what $type) -}}{{- end -}}
  {{- $source = dict (ternary "name" "secretName" (eq $type "configMap")) $name -}}
  {{- include "app.pick" (dict "values" $item "into" $source "keys" (list "defaultMode" "items" "optional")) -}}
  {{- $_ := set .into $type $source -}}
{{- else if eq $type "emptyDir" -}}
  {{- include "app.pick" (dict "values" $item "into" $source "keys" (list "medium" "sizeLimit")) -}}
  {{- $_ := set .into "emptyDir" $source -}}
{{- else if eq $type "nfs" -}}
  {{- if not (and $item.server $item.path) -}}{{- fail (printf "%s of type nfs needs a server and a path" $what) -}}{{- end -}}
  {{- $_ := set .into "nfs" (dict "server" $item.server "path" $item.path) -}}
{{- else if eq $type "hostPath" -}}
  {{- if not $item.hostPath -}}{{- fail (printf "%s of type hostPath needs a hostPath" $what) -}}{{- end -}}
  {{- $source = dict "path" $item.hostPath -}}
  {{- with $item.hostPathType -}}{{- $_ := set $source "type" . -}}{{- end -}}
  {{- $_ := set .into "hostPath" $source -}}
{{- else if eq $type "image" -}}
  {{- $source = dict "reference" (include "app.image" (dict "image" $item.image "what" $what)) -}}
  {{- with $item.pullPolicy -}}{{- $_ := set $source "pullPolicy" . -}}{{- end -}}
  {{- $_ := set .into "image" $source -}}
{{- else if eq $type "ephemeral" -}}
  {{- $spec := dict -}}
  {{- include "app.claimSpec" (dict "item" $item "what" $what "into" $spec) -}}
  {{- $_ := set .into "ephemeral" (dict "volumeClaimTemplate" (dict "spec" $spec)) -}}
{{- else if eq $type "custom" -}}
  {{- if not $item.volumeSpec -}}{{- fail (printf "%s of type custom needs a volumeSpec" $what) -}}{{- end -}}
  {{- include "app.pick" (dict "values" $item.volumeSpec "into" .into "keys" (keys $item.volumeSpec)) -}}
{{- else -}}
  {{- fail (printf "%s has the unknown type %q" $what $type) -}}
{{- end -}}
{{- end -}}

{{/* app.claimSpec fills into with the spec of a claim. A storage class of "-" asks for none. */}}
{{- define "app.claimSpec" -}}
{{- if not .item.size -}}{{- fail (printf "%s needs a size" .what) -}}{{- end -}}
{{- $modes := .item.accessModes | default (list (.item.accessMode | default "ReadWriteOnce")) -}}
{{- $_ := set .into "accessModes" $modes -}}
{{- $_ := set .into "resources" (dict "requests" (dict "storage" (include "app.scalar" .item.size))) -}}
{{- with .item.storageClass -}}{{- $_ := set $.into "storageClassName" (ternary "" . (eq . "-")) -}}{{- end -}}
{{- include "app.pick" (dict "values" .item "into" .into "keys" (list "dataSource" "dataSourceRef" "selector" "volumeMode" "volumeName" "volumeAttributesClassName")) -}}
{{- end -}}

{{/* app.claims emits the claims that the release makes. */}}
{{- define "app.claims" -}}
{{- $app := . -}}
{{- range $id, $item := .claims -}}
  {{- $claim := dict "apiVersion" "v1" "kind" "PersistentVolumeClaim" -}}
  {{- $keep := dict -}}
  {{- if $item.retain -}}{{- $keep = dict "helm.sh/resource-policy" "keep" -}}{{- end -}}
  {{- include "app.metadata" (dict "app" $app "id" $id "values" $item "among" $app.claims "annotations" $keep "into" $claim) -}}
  {{- $spec := dict -}}
  {{- include "app.claimSpec" (dict "item" $item "what" (printf "persistence %q" $id) "into" $spec) -}}
  {{- $_ := set $claim "spec" $spec -}}
  {{- include "app.emit" $claim }}
{{- end -}}
{{- end -}}
