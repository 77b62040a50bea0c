{{/*
app.loadServiceAccounts fills serviceAccounts. Two layouts are in use: a map of
entries, and the older single object with create, name and
extraServiceAccounts. Where neither lists one, the release gets its own.
*/}}
{{- define "app.loadServiceAccounts" -}}
{{- $app := . -}}
{{- $given := .values.serviceAccount | default dict -}}
{{- $_ := set $app "givenServiceAccount" "" -}}
{{- if or (kindIs "bool" $given.create) (kindIs "string" $given.name) -}}
  {{- if $given.create -}}
    {{- $own := omit $given "create" "name" "extraServiceAccounts" -}}
    {{- if $given.name -}}{{- $_ := set $own "forceRename" $given.name -}}{{- end -}}
    {{- $_ := set $app.serviceAccounts "default" (mergeOverwrite (dict "suffix" $app.fullname) $own) -}}
  {{- end -}}
  {{- $_ := set $app "givenServiceAccount" ($given.name | default (ternary $app.fullname "default" ($given.create | default false))) -}}
  {{- include "app.enabled" (dict "items" $given.extraServiceAccounts "into" $app.serviceAccounts) -}}
{{- else -}}
  {{- include "app.enabled" (dict "items" $given "into" $app.serviceAccounts) -}}
  {{- if and (not $given) $app.global.createDefaultServiceAccount -}}
    {{- $_ := set $app.serviceAccounts $app.fullname dict -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{/* app.serviceAccounts emits the service accounts, and the lasting token of one that asks for it. */}}
{{- define "app.serviceAccounts" -}}
{{- $app := . -}}
{{- range $id, $account := .serviceAccounts -}}
  {{- $object := dict "apiVersion" "v1" "kind" "ServiceAccount" -}}
  {{- include "app.metadata" (dict "app" $app "id" $id "values" $account "among" $app.serviceAccounts "into" $object) -}}
  {{- include "app.emit" $object }}
  {{- if $account.staticToken -}}
    {{- $token := dict "apiVersion" "v1" "kind" "Secret" "type" "kubernetes.io/service-account-token" -}}
    {{- include "app.metadata" (dict "app" $app "id" $id "values" $account "among" $app.serviceAccounts "annotations" (dict "kubernetes.io/service-account.name" $object.metadata.name) "into" $token) -}}
    {{- $_ := set $token.metadata "name" (printf "%s-sa-token" $object.metadata.name) -}}
    {{- include "app.emit" $token }}
  {{- end -}}
{{- end -}}
{{- end -}}

{{/* app.rbac emits roles and bindings of either scope. */}}
{{- define "app.rbac" -}}
{{- $app := . -}}
{{- range $id, $role := .roles -}}
  {{- $kind := $role.type | default "Role" -}}
  {{- $object := dict "apiVersion" "rbac.authorization.k8s.io/v1" "kind" $kind "rules" ($role.rules | default list) -}}
  {{- include "app.metadata" (dict "app" $app "id" $id "values" $role "among" $app.roles "clusterScoped" (eq $kind "ClusterRole") "into" $object) -}}
  {{- include "app.emit" $object }}
{{- end -}}
{{- range $id, $binding := .bindings -}}
  {{- $what := printf "rbac binding %q" $id -}}
  {{- $kind := $binding.type | default "RoleBinding" -}}
  {{- $ref := $binding.roleRef | default dict -}}
  {{- $role := dict "apiGroup" "rbac.authorization.k8s.io" "kind" ($ref.kind | default "Role") "name" ($ref.name | default "") -}}
  {{- if $ref.identifier -}}
    {{- $_ := set $role "name" (include "app.refer" (dict "app" $app "kind" "roles" "id" $ref.identifier "what" $what)) -}}
    {{- $_ := set $role "kind" ((get $app.roles $ref.identifier).type | default "Role") -}}
  {{- end -}}
  {{- $subjects := list -}}
  {{- range $subject := $binding.subjects -}}
    {{- if $subject.identifier -}}
      {{- $subject = dict "kind" "ServiceAccount" "namespace" $app.root.Release.Namespace "name" (include "app.refer" (dict "app" $app "kind" "serviceAccounts" "id" $subject.identifier "what" $what)) -}}
    {{- end -}}
    {{- $subjects = append $subjects $subject -}}
  {{- end -}}
  {{- $object := dict "apiVersion" "rbac.authorization.k8s.io/v1" "kind" $kind "roleRef" $role "subjects" $subjects -}}
  {{- include "app.metadata" (dict "app" $app "id" $id "values" $binding "among" $app.bindings "clusterScoped" (eq $kind "ClusterRoleBinding") "into" $object) -}}
  {{- include "app.emit" $object }}
{{- end -}}
{{- end -}}
