package charts

var namingCases = []appCase{
	{
		name:    "one of a kind is named as the release",
		values:  "controllers: {main: {containers: {app: " + one + "}}}\nservice: {web: {ports: {http: {port: 80}}}}\npersistence: {config: {size: 1Gi}}",
		objects: []string{"Deployment/tea", "PersistentVolumeClaim/tea", "Service/tea", "ServiceAccount/tea"},
		want: expectation{
			"Deployment/tea metadata.labels": `{app.kubernetes.io/name: tea, app.kubernetes.io/instance: tea, app.kubernetes.io/managed-by: Helm,
				app.kubernetes.io/controller: main, app.kubernetes.io/version: 5.0.0, helm.sh/chart: app-template-5.0.0}`,
			"Deployment/tea metadata.namespace":        "home",
			"Deployment/tea spec.selector.matchLabels": "{app.kubernetes.io/controller: main, app.kubernetes.io/instance: tea, app.kubernetes.io/name: tea}",
		},
	}, {
		name: "several of a kind carry their key",
		values: "controllers: {main: {containers: {app: " + one + "}}, worker: {containers: {app: " + one + "}}}\n" +
			"service: {main: {ports: {http: {port: 80}}}, metrics: {controller: worker, ports: {http: {port: 9}}}}\n" +
			"persistence: {config: {size: 1Gi}, data: {size: 2Gi}, old: {existingClaim: mine}}",
		objects: []string{"Deployment/tea-main", "Deployment/tea-worker", "PersistentVolumeClaim/tea-config", "PersistentVolumeClaim/tea-data",
			"Service/tea-main", "Service/tea-metrics", "ServiceAccount/tea"},
		want: expectation{
			"Service/tea-metrics spec.selector./app.kubernetes.io/controller": "worker",
			"Service/tea-main spec.selector./app.kubernetes.io/controller":    "main",
		},
	}, {
		name: "a key that the name already has is not repeated",
		values: "controllers: {tea: {containers: {app: " + one + "}}, pot: {containers: {app: " + one + "}}}\n" +
			"global: {createDefaultServiceAccount: false}",
		objects: []string{"Deployment/tea", "Deployment/tea-pot"},
	}, {
		name: "disabled entries do not count",
		values: "controllers: {main: {containers: {app: " + one + "}}, off: {enabled: false, containers: {app: " + one + "}}, gone: null}\n" +
			"service: {web: {ports: {http: {port: 80}}}, off: {enabled: false}}",
		objects: []string{"Deployment/tea", "Service/tea", "ServiceAccount/tea"},
	}, {
		name: "renamed, prefixed and suffixed",
		values: "controllers: {a: {forceRename: '{{ .Release.Name }}Pot', containers: {app: " + one + "}}, b: {prefix: my, containers: {app: " + one + "}}, " +
			"c: {suffix: spoon, containers: {app: " + one + "}}, d: {nameOverride: cup, containers: {app: " + one + "}}}\nglobal: {createDefaultServiceAccount: false}",
		objects: []string{"Deployment/my-tea-b", "Deployment/tea-cup", "Deployment/tea-spoon", "Deployment/teapot"},
	}, {
		name:    "the key is always appended where asked for",
		values:  "controllers: {main: {containers: {app: " + one + "}}}\nglobal: {alwaysAppendIdentifierToResourceName: true, createDefaultServiceAccount: false}",
		objects: []string{"Deployment/tea-main"},
	}, {
		name:    "another full name",
		values:  "controllers: {main: {containers: {app: " + one + "}}}\nglobal: {fullnameOverride: kettle}",
		objects: []string{"Deployment/kettle", "ServiceAccount/kettle"},
	}, {
		name:   "another name",
		values: "controllers: {main: {containers: {app: " + one + "}}}\nglobal: {nameOverride: pot}",
		want:   expectation{"Deployment/tea-pot metadata.labels./app.kubernetes.io/name": "pot"},
	}, {
		name: "global metadata, on pods too where propagated",
		values: "controllers: {main: {containers: {app: " + one + "}}}\n" +
			"global: {labels: {team: '{{ .Release.Name }}s'}, annotations: {note: x}, propagateGlobalMetadataToPods: true}",
		want: expectation{
			"Deployment/tea metadata.labels.team":                    "teas",
			"Deployment/tea metadata.annotations":                    "{note: x}",
			"Deployment/tea spec.template.metadata.labels.team":      "teas",
			"Deployment/tea spec.template.metadata.annotations.note": "x",
		},
	},
}
