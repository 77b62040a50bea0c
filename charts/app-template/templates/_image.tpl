{{/* app.image prints an image reference; image is a string or {repository, tag, digest}. */}}
{{- define "app.image" -}}
{{- $image := .image -}}
{{- if kindIs "string" $image -}}
  {{- $image -}}
{{- else -}}
  {{- if not (and $image $image.repository) -}}
    {{- fail (printf "%s has no image: set image.repository and image.tag" .what) -}}
  {{- end -}}
  {{- $tag := "" -}}
  {{- if not (kindIs "invalid" $image.tag) -}}{{- $tag = include "app.scalar" $image.tag -}}{{- end -}}
  {{- if not (or $tag $image.digest) -}}
    {{- fail (printf "%s has an image without tag or digest: %s" .what $image.repository) -}}
  {{- end -}}
  {{- $image.repository -}}
  {{- if $tag -}}
    {{- if hasPrefix "sha256:" $tag -}}@{{- else -}}:{{- end -}}{{- $tag -}}
  {{- end -}}
  {{- if $image.digest -}}
    {{- if not (contains "@" $tag) -}}@{{- $image.digest -}}{{- end -}}
  {{- end -}}
{{- end -}}
{{- end -}}
