package charts

const web = "controllers: {main: {containers: {app: {image: a:1}}}}\nservice: {web: {ports: {http: {port: 80}}}}\n"

var networkCases = []appCase{
	{
		name: "service with every option",
		values: `controllers: {main: {containers: {app: {image: a:1}}}}
service:
  web:
    controller: main
    type: LoadBalancer
    annotations: {lbipam.cilium.io/ips: 192.0.2.5}
    labels: {a: b}
    loadBalancerIP: 192.0.2.5
    externalTrafficPolicy: Local
    ipFamilyPolicy: SingleStack
    extraSelectorLabels: {tier: front}
    ports:
      http: {port: 80, targetPort: 8080, nodePort: 30080, appProtocol: http}
      dns: {port: 53, protocol: UDP}
      off: {enabled: false, port: 1}`,
		want: expectation{
			"Service/tea metadata.annotations":                       "{lbipam.cilium.io/ips: 192.0.2.5}",
			"Service/tea metadata.labels./app.kubernetes.io/service": "tea",
			"Service/tea spec": `{type: LoadBalancer, loadBalancerIP: 192.0.2.5, externalTrafficPolicy: Local, ipFamilyPolicy: SingleStack,
				selector: {app.kubernetes.io/controller: main, app.kubernetes.io/instance: tea, app.kubernetes.io/name: tea, tier: front},
				ports: [{name: dns, port: 53, targetPort: 53, protocol: UDP}, {name: http, port: 80, targetPort: 8080, nodePort: 30080, protocol: TCP, appProtocol: http}]}`,
		},
	}, {
		name:   "headless and external services",
		values: "controllers: {main: {containers: {app: {image: a:1}}}}\nservice: {a: {clusterIP: None, ports: {x: {port: 1}}}, b: {type: ExternalName, externalName: nas.example.com}}",
		want:   expectation{"Service/tea-a spec.clusterIP": "None", "Service/tea-b spec": "{type: ExternalName, externalName: nas.example.com}"},
	}, {
		name:   "a route to the primary service by default",
		values: web + "route: {main: {annotations: {a: b}, hostnames: ['{{ .Release.Name }}.example.com'], parentRefs: [{name: internal, namespace: network, sectionName: https}]}}",
		want: expectation{
			"HTTPRoute/tea apiVersion":           "gateway.networking.k8s.io/v1",
			"HTTPRoute/tea metadata.annotations": "{a: b}",
			"HTTPRoute/tea spec": `{hostnames: [tea.example.com], parentRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: internal, namespace: network, sectionName: https}],
				rules: [{matches: [{path: {type: PathPrefix, value: /}}], backendRefs: [{group: "", kind: Service, name: tea, namespace: home, port: 80, weight: 1}]}]}`,
		},
	}, {
		name: "backends by name, by key, by port name and empty",
		values: `controllers: {main: {containers: {app: {image: a:1}}}}
service: {a: {ports: {http: {port: 80}}}, b: {primary: true, ports: {admin: {port: 81}, http: {port: 82, primary: true}}}}
route: {main: {rules: [{backendRefs: [{name: other, port: 8080}]}, {backendRefs: [{identifier: a}]}, {backendRefs: [{identifier: b, port: admin}]}, {backendRefs: [{}]}]}}`,
		want: expectation{
			"HTTPRoute/tea spec.rules.0.backendRefs.0.name": "other",
			"HTTPRoute/tea spec.rules.0.backendRefs.0.port": "8080",
			"HTTPRoute/tea spec.rules.1.backendRefs.0.name": "tea-a",
			"HTTPRoute/tea spec.rules.1.backendRefs.0.port": "80",
			"HTTPRoute/tea spec.rules.2.backendRefs.0.port": "81",
			"HTTPRoute/tea spec.rules.3.backendRefs.0.name": "tea-b",
			"HTTPRoute/tea spec.rules.3.backendRefs.0.port": "82",
		},
	}, {
		name: "matches, filters, and a redirect that needs no backend",
		values: web + "route: {main: {rules: [{matches: [{path: {type: Exact, value: /x}}], filters: [{type: RequestRedirect, requestRedirect: {statusCode: 301}}]}, " +
			"{filters: [{type: URLRewrite, urlRewrite: {hostname: a.example.com}}], timeouts: {request: 5s}}]}}",
		want: expectation{
			"HTTPRoute/tea spec.rules.0":                    "{matches: [{path: {type: Exact, value: /x}}], filters: [{type: RequestRedirect, requestRedirect: {statusCode: 301}}]}",
			"HTTPRoute/tea spec.rules.1.backendRefs.0.name": "tea",
			"HTTPRoute/tea spec.rules.1.timeouts":           "{request: 5s}",
		},
	}, {
		name:    "routes of other kinds",
		values:  web + "route: {a: {kind: GRPCRoute, hostnames: [a.example.com]}, b: {kind: TCPRoute, hostnames: [x]}, c: {kind: TLSRoute, hostnames: [x.example.com]}}",
		objects: []string{"Deployment/tea", "GRPCRoute/tea-a", "Service/tea", "ServiceAccount/tea", "TCPRoute/tea-b", "TLSRoute/tea-c"},
		want: expectation{
			"GRPCRoute/tea-a spec.rules.0.matches": "absent",
			"TCPRoute/tea-b spec.hostnames":        "absent",
			"TLSRoute/tea-c spec.hostnames":        "[x.example.com]",
			"TCPRoute/tea-b apiVersion":            "gateway.networking.k8s.io/v1alpha2",
		},
	}, {
		name: "ingress",
		values: web + "ingress: {main: {className: nginx, hosts: [{host: '{{ .Release.Name }}.example.com', paths: [{path: /}, {path: /x, pathType: Exact, service: {name: other, port: 9}}]}], " +
			"tls: [{hosts: [a.example.com], secretName: s}]}}",
		want: expectation{"Ingress/tea spec": `{ingressClassName: nginx, tls: [{hosts: [a.example.com], secretName: s}], rules: [{host: tea.example.com, http: {paths: [
			{path: /, pathType: Prefix, backend: {service: {name: tea, port: {number: 80}}}}, {path: /x, pathType: Exact, backend: {service: {name: other, port: {number: 9}}}}]}}]}`},
	}, {
		name:   "network policies",
		values: web + "networkpolicies: {a: {policyTypes: [Ingress], rules: {ingress: [{}]}}, b: {type: cilium, podSelector: {}, rules: {egress: [{toEntities: [world]}]}}}",
		want: expectation{
			"NetworkPolicy/tea-a spec":       "{podSelector: {matchLabels: {app.kubernetes.io/controller: main, app.kubernetes.io/instance: tea, app.kubernetes.io/name: tea}}, policyTypes: [Ingress], ingress: [{}]}",
			"CiliumNetworkPolicy/tea-b spec": "{endpointSelector: {}, egress: [{toEntities: [world]}]}",
		},
	},
}
