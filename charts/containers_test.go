package charts

// in wraps one container's values (YAML flow style) in an application.
func in(container string) string {
	return "controllers: {main: {containers: {app: " + container + "}}}\n"
}

const first = "Deployment/tea spec.template.spec.containers.0."

var containerCases = []appCase{
	{
		name:   "image in parts",
		values: in("{image: {repository: r.example.com/a, tag: 1.10.0, digest: 'sha256:ab', pullPolicy: Always}}"),
		want:   expectation{first + "image": "r.example.com/a:1.10.0@sha256:ab", first + "imagePullPolicy": "Always", first + "name": "app"},
	}, {
		name:   "image with the digest in the tag, and a renamed container",
		values: in("{nameOverride: other, image: {repository: r.example.com/a, tag: 'v1@sha256:ab'}}"),
		want:   expectation{first + "image": "r.example.com/a:v1@sha256:ab", first + "name": "other"},
	}, {
		name:   "image as text, with a template",
		values: in("{image: 'r.example.com/{{ .Release.Name }}:1'}"),
		want:   expectation{first + "image": "r.example.com/tea:1"},
	}, {
		name:   "command and args as text or list",
		values: in("{image: a:1, command: /run, args: [--port, 80, '{{ .Release.Namespace }}'], workingDir: /w, stdin: true, tty: true, terminationMessagePath: /t}"),
		want: expectation{first + "command": "[/run]", first + "args": "[--port, '80', home]", first + "workingDir": "/w",
			first + "stdin": "true", first + "tty": "true", first + "terminationMessagePath": "/t"},
	}, {
		name:   "nothing that was not said",
		values: in("{image: a:1}"),
		want:   expectation{"Deployment/tea spec.template.spec.containers": "[{name: app, image: 'a:1'}]"},
	}, {
		name: "env as a map, in every form",
		values: in(`{image: a:1, env: {A_TEXT: x, B_BOOL: true, C_INT: 1000000, D_FLOAT: 4.2, E_TPL: "{{ .Release.Name }}-db", F_VALUE: {value: 5},
			G_FROM: {valueFrom: {secretKeyRef: {name: "{{ .Release.Name }}", key: k}}}, H_SECRET: {secretKeyRef: {name: s, key: k, optional: true}},
			I_CONFIG: {configMapKeyRef: {name: c, key: k}}, J_FIELD: {fieldRef: {fieldPath: spec.nodeName}}, K_NULL: null, L_EMPTY: ""}}`),
		want: expectation{first + "env": `[{name: A_TEXT, value: x}, {name: B_BOOL, value: "true"}, {name: C_INT, value: "1000000"}, {name: D_FLOAT, value: "4.2"},
			{name: E_TPL, value: tea-db}, {name: F_VALUE, value: "5"}, {name: G_FROM, valueFrom: {secretKeyRef: {name: tea, key: k}}},
			{name: H_SECRET, valueFrom: {secretKeyRef: {name: s, key: k, optional: true}}}, {name: I_CONFIG, valueFrom: {configMapKeyRef: {name: c, key: k}}},
			{name: J_FIELD, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}, {name: L_EMPTY, value: ""}]`},
	}, {
		name:   "env as a list keeps its order",
		values: in("{image: a:1, env: [{name: Z, value: 1}, {name: A, secretKeyRef: {name: s, key: k}}, {name: B, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}]}"),
		want:   expectation{first + "env": `[{name: Z, value: "1"}, {name: A, valueFrom: {secretKeyRef: {name: s, key: k}}}, {name: B, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}]`},
	}, {
		name:   "env ordered by what it depends on",
		values: in("{image: a:1, env: {URL: {value: $(HOST)/x, dependsOn: HOST}, ADDRESS: {value: $(URL), dependsOn: [URL]}, HOST: h}}"),
		want:   expectation{first + "env": `[{name: HOST, value: h}, {name: URL, value: $(HOST)/x}, {name: ADDRESS, value: $(URL)}]`},
	}, {
		name: "envFrom by name, key and short form",
		values: in("{image: a:1, envFrom: [{secretRef: {name: '{{ .Release.Name }}-secret'}}, {configMapRef: {identifier: conf}}, {secret: plain}, {config: conf}, {secretRef: {name: s, optional: true}, prefix: P_}]}") +
			"configMaps: {conf: {data: {a: b}}}",
		want: expectation{first + "envFrom": `[{secretRef: {name: tea-secret}}, {configMapRef: {name: tea}}, {secretRef: {name: plain}}, {configMapRef: {name: tea}}, {prefix: P_, secretRef: {name: s, optional: true}}]`},
	}, {
		name:   "custom probe as it stands",
		values: in("{image: a:1, probes: {liveness: {enabled: true, custom: true, spec: {exec: {command: [x]}}}, readiness: {enabled: false}}}"),
		want:   expectation{first + "livenessProbe": "{exec: {command: [x]}}", first + "readinessProbe": "absent"},
	}, {
		name: "probes made from the primary port of the primary service",
		values: in("{image: a:1, probes: {liveness: {enabled: true}, readiness: {enabled: true, type: HTTP, path: /ready}, startup: {enabled: true, type: GRPC, port: 99, spec: {failureThreshold: 30}}}}") +
			"service: {web: {ports: {admin: {port: 9}, http: {primary: true, port: 80, targetPort: 8080}}}}",
		want: expectation{
			first + "livenessProbe":  "{tcpSocket: {port: 8080}, initialDelaySeconds: 0, failureThreshold: 3, timeoutSeconds: 1, periodSeconds: 10}",
			first + "readinessProbe": "{httpGet: {path: /ready, port: 8080, scheme: HTTP}, initialDelaySeconds: 0, failureThreshold: 3, timeoutSeconds: 1, periodSeconds: 10}",
			first + "startupProbe":   "{grpc: {port: 99}, initialDelaySeconds: 0, failureThreshold: 30, timeoutSeconds: 1, periodSeconds: 10}",
		},
	}, {
		name:   "an automatic probe speaks the port's protocol",
		values: in("{image: a:1, probes: {liveness: {enabled: true}}}") + "service: {web: {ports: {http: {port: 80, protocol: HTTPS}}}}",
		want:   expectation{first + "livenessProbe.httpGet": "{path: /, port: 80, scheme: HTTPS}", "Service/tea spec.ports.0.protocol": "TCP"},
	}, {
		name:   "a probe with nothing to ask is left out",
		values: in("{image: a:1, probes: {liveness: {enabled: true}}}"),
		want:   expectation{first + "livenessProbe": "absent"},
	}, {
		name: "containers ordered by what they depend on, sidecars among the init containers",
		values: "controllers: {main: {initContainers: {a-migrate: {image: a:1, dependsOn: vpn}, vpn: {image: b:1, restartPolicy: Always, lifecycle: {postStart: {exec: {command: [x]}}}}, z: {enabled: false, image: c:1}}, " +
			"containers: {app: {image: a:1, dependsOn: [helper]}, helper: {image: a:1}}}}",
		want: expectation{
			"Deployment/tea spec.template.spec.initContainers": "[{name: vpn, image: 'b:1', restartPolicy: Always, lifecycle: {postStart: {exec: {command: [x]}}}}, {name: a-migrate, image: 'a:1'}]",
			"Deployment/tea spec.template.spec.containers":     "[{name: helper, image: 'a:1'}, {name: app, image: 'a:1'}]",
		},
	}, {
		name: "default container options replaced",
		values: "controllers: {main: {defaultContainerOptions: {image: {repository: a, tag: 1}, resources: {limits: {memory: 1Gi}, requests: {cpu: 1m}}, securityContext: {privileged: false}}, " +
			"initContainers: {i: {}}, containers: {app: {resources: {limits: {memory: 2Gi}}}}}}",
		want: expectation{
			first + "resources":       "{limits: {memory: 2Gi}}",
			first + "image":           "a:1",
			first + "securityContext": "{privileged: false}",
			"Deployment/tea spec.template.spec.initContainers.0.image": "a:1",
		},
	}, {
		name: "default container options merged, init containers left alone",
		values: "controllers: {main: {defaultContainerOptionsStrategy: merge, applyDefaultContainerOptionsToInitContainers: false, defaultContainerOptions: {env: {A: x, B: x}, resources: {limits: {memory: 1Gi}, requests: {cpu: 1m}}}, " +
			"initContainers: {i: {image: a:1}}, containers: {app: {image: a:1, env: {B: z}, resources: {limits: {memory: 2Gi}}}}}}",
		want: expectation{
			first + "resources": "{limits: {memory: 2Gi}, requests: {cpu: 1m}}",
			first + "env":       "[{name: A, value: x}, {name: B, value: z}]",
			"Deployment/tea spec.template.spec.initContainers.0": "{name: i, image: 'a:1'}",
		},
	}, {
		name:   "a template that yields braces is not run again",
		values: in("{image: a:1, env: {A: 'x {{`{{PORTS}}`}}'}}"),
		want:   expectation{first + "env.0.value": "'x {{PORTS}}'"},
	}, {
		name: "strings excluded from templating",
		values: in("{image: a:1, env: {A: '{{PORTS}}', B: '{{ .Release.Name }}'}}") +
			"global: {templateEvaluation: {excludePaths: [[controllers, main, containers, app, env, A]]}}",
		want: expectation{first + "env": "[{name: A, value: '{{PORTS}}'}, {name: B, value: tea}]"},
	},
}
