package charts

import "testing"

var otherCases = []appCase{
	{
		name:   "config maps and secrets, and pods that follow them",
		values: in("{image: a:1}") + "configMaps: {a: {data: {x: '{{ .Release.Name }}', n: 5}}, off: {enabled: false}}\nsecrets: {a: {stringData: {p: q}}}",
		want: expectation{
			"ConfigMap/tea data":    "{x: tea, n: '5'}",
			"Secret/tea stringData": "{p: q}",
			"Secret/tea type":       "Opaque",
		},
	}, {
		name:    "service accounts as a map",
		values:  "controllers: {main: {serviceAccount: {identifier: b}, containers: {app: {image: a:1}}}}\nserviceAccount: {a: {}, b: {staticToken: true, annotations: {x: z}}}",
		objects: []string{"Deployment/tea", "Secret/tea-b-sa-token", "ServiceAccount/tea-a", "ServiceAccount/tea-b"},
		want:    expectation{pod + "serviceAccountName": "tea-b", "ServiceAccount/tea-b metadata.annotations": "{x: z}"},
	}, {
		name:    "the only service account is everyone's",
		values:  in("{image: a:1}") + "serviceAccount: {a: {}}",
		objects: []string{"Deployment/tea", "ServiceAccount/tea"},
		want:    expectation{pod + "serviceAccountName": "tea"},
	}, {
		name:    "the older single service account",
		values:  in("{image: a:1}") + "serviceAccount: {create: true, name: mine, annotations: {x: z}}",
		objects: []string{"Deployment/tea", "ServiceAccount/mine"},
		want:    expectation{pod + "serviceAccountName": "mine", "ServiceAccount/mine metadata.annotations": "{x: z}"},
	}, {
		name:    "the older single service account, made elsewhere or not at all",
		values:  in("{image: a:1}") + "serviceAccount: {create: false}",
		objects: []string{"Deployment/tea"},
		want:    expectation{pod + "serviceAccountName": "default"},
	}, {
		name:    "no service account of its own",
		values:  in("{image: a:1}") + "global: {createDefaultServiceAccount: false}",
		objects: []string{"Deployment/tea"},
		want:    expectation{pod + "serviceAccountName": "default"},
	}, {
		name: "roles and bindings",
		values: in("{image: a:1}") + `serviceAccount: {me: {}}
rbac:
  roles: {read: {type: ClusterRole, rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]}}
  bindings:
    a: {type: ClusterRoleBinding, roleRef: {identifier: read}, subjects: [{identifier: me}]}
    b: {type: RoleBinding, roleRef: {kind: ClusterRole, name: view}, subjects: [{kind: User, name: u}]}`,
		want: expectation{
			"ClusterRole/tea metadata.namespace": "absent",
			"ClusterRole/tea rules":              `[{apiGroups: [""], resources: [pods], verbs: [get]}]`,
			"ClusterRoleBinding/tea-a roleRef":   "{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: tea}",
			"ClusterRoleBinding/tea-a subjects":  "[{kind: ServiceAccount, name: tea, namespace: home}]",
			"RoleBinding/tea-b roleRef":          "{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}",
			"RoleBinding/tea-b subjects":         "[{kind: User, name: u}]",
		},
	}, {
		name:   "monitors",
		values: web + "serviceMonitor: {a: {serviceName: '{{ .Release.Name }}', endpoints: [{port: http}]}, b: {enabled: false}}\npodMonitor: {a: {podMetricsEndpoints: [{port: x}]}}",
		want: expectation{
			"ServiceMonitor/tea spec.selector.matchLabels": "{app.kubernetes.io/name: tea, app.kubernetes.io/instance: tea, app.kubernetes.io/service: tea}",
			"ServiceMonitor/tea spec.endpoints":            "[{port: http}]",
			"ServiceMonitor/tea spec.jobLabel":             "app.kubernetes.io/name",
			"PodMonitor/tea spec.podMetricsEndpoints":      "[{port: x}]",
		},
	}, {
		name: "raw resources in both layouts",
		values: in("{image: a:1}") + `rawResources:
  new: {manifest: {apiVersion: example.com/v1, kind: Cup, metadata: {name: mug, labels: {a: b}}, spec: {size: "{{ .Release.Name }}"}}}
  old: {apiVersion: example.com/v1, kind: Pot, labels: {c: d}, spec: {spec: {size: 2}}}`,
		want: expectation{
			"Cup/mug spec":                  "{size: tea}",
			"Cup/mug metadata.labels.a":     "b",
			"Pot/tea-old spec":              "{size: 2}",
			"Pot/tea-old metadata.labels.c": "d",
		},
	},
}

// TestPodsFollowTheirConfiguration holds that a changed config map or secret
// changes the pod template, and that the same values give the same objects.
func TestPodsFollowTheirConfiguration(t *testing.T) {
	c := load(t, "app-template")
	sum := func(text string, key string) any {
		objects, err := render(c, "tea", values(t, in("{image: a:1}")+text))
		if err != nil {
			t.Fatal(err)
		}
		return field(find(objects, "Deployment", "tea"), "spec.template.metadata.annotations./"+key)
	}
	for key, texts := range map[string][2]string{
		"checksum/configMaps": {"configMaps: {a: {data: {x: one}}}", "configMaps: {a: {data: {x: two}}}"},
		"checksum/secrets":    {"secrets: {a: {stringData: {x: one}}}", "secrets: {a: {stringData: {x: two}}}"},
	} {
		before, again, after := sum(texts[0], key), sum(texts[0], key), sum(texts[1], key)
		if before == nil || before != again || before == after {
			t.Errorf("%s: first %v, repeated %v, changed %v", key, before, again, after)
		}
	}
}
