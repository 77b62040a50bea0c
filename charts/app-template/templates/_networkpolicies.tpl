{{/* app.networkPolicies emits network policies, native ones or Cilium's. */}}
{{- define "app.networkPolicies" -}}
{{- $app := . -}}
{{- range $id, $policy := .networkpolicies -}}
  {{- $rules := $policy.rules | default dict -}}
  {{- $object := dict "apiVersion" "networking.k8s.io/v1" "kind" "NetworkPolicy" -}}
  {{- include "app.metadata" (dict "app" $app "id" $id "values" $policy "among" $app.networkpolicies "into" $object) -}}
  {{- $pods := $policy.podSelector | default $policy.endpointSelector -}}
  {{- if not (or (hasKey $policy "podSelector") (hasKey $policy "endpointSelector")) -}}
    {{- $controller := include "app.soleController" (dict "app" $app "id" $id "named" $policy.controller "what" (printf "network policy %q" $id)) -}}
    {{- $box := dict -}}
    {{- include "app.selectorLabels" (dict "app" $app "id" $controller "into" $box) -}}
    {{- $pods = dict "matchLabels" $box.labels -}}
  {{- end -}}
  {{- $spec := dict -}}
  {{- if eq ($policy.type | default "native") "cilium" -}}
    {{- $_ := set $object "apiVersion" "cilium.io/v2" -}}
    {{- $_ := set $object "kind" "CiliumNetworkPolicy" -}}
    {{- $_ := set $spec "endpointSelector" ($pods | default dict) -}}
    {{- include "app.pick" (dict "values" $rules "into" $spec "keys" (list "ingress" "egress" "ingressDeny" "egressDeny")) -}}
  {{- else -}}
    {{- $_ := set $spec "podSelector" ($pods | default dict) -}}
    {{- include "app.pick" (dict "values" $rules "into" $spec "keys" (list "ingress" "egress")) -}}
    {{- with $policy.policyTypes -}}{{- $_ := set $spec "policyTypes" . -}}{{- end -}}
  {{- end -}}
  {{- $_ := set $object "spec" $spec -}}
  {{- include "app.emit" $object }}
{{- end -}}
{{- end -}}
