package integration_test

import (
	"io/fs"
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/loader/archive"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"hearth/charts"
)

// wide has something of most of what the app-template chart can make.
const wide = `
defaultPodOptions: {securityContext: {fsGroup: 1000}, dnsConfig: {options: [{name: ndots, value: "1"}]}}
controllers:
  web:
    strategy: RollingUpdate
    podDisruptionBudget: {minAvailable: 1}
    initContainers: {vpn: {image: example.com/vpn:1, restartPolicy: Always}}
    containers:
      app:
        image: {repository: example.com/app, tag: 1}
        env: {A: 1, B: {fieldRef: {fieldPath: spec.nodeName}}, C: {secretKeyRef: {name: s, key: k}}}
        envFrom: [{secret: s}, {configMapRef: {identifier: conf}}]
        probes: {liveness: {enabled: true}, readiness: {enabled: true, type: GRPC}, startup: {enabled: true, type: HTTP}}
        resources: {requests: {cpu: 10m}, limits: {memory: 1Gi}}
  store: {type: statefulset, statefulset: {volumeClaimTemplates: [{name: state, size: 1Gi}]}, containers: {app: {image: example.com/app:1}}}
  every: {type: daemonset, pod: {hostNetwork: true}, containers: {app: {image: example.com/app:1}}}
  nightly: {type: cronjob, cronjob: {schedule: "@daily", timeZone: Etc/UTC}, containers: {app: {image: example.com/app:1}}}
  once: {type: job, containers: {app: {image: example.com/app:1}}}
service:
  web: {type: LoadBalancer, ports: {http: {port: 80, targetPort: 8080}, dns: {port: 53, protocol: UDP}}}
route:
  http: {hostnames: [a.example.com], parentRefs: [{name: internal}]}
  grpc: {kind: GRPCRoute, parentRefs: [{name: internal}]}
  tcp: {kind: TCPRoute, parentRefs: [{name: internal}]}
  tls: {kind: TLSRoute, hostnames: [a.example.com], parentRefs: [{name: internal}]}
ingress: {main: {hosts: [{host: a.example.com, paths: [{path: /}]}]}}
persistence:
  data: {size: 1Gi, storageClass: fast}
  share: {type: nfs, server: 192.0.2.1, path: /x}
  tmp: {type: emptyDir, medium: Memory, sizeLimit: 1Gi}
  dev: {type: hostPath, hostPath: /dev/dri}
  conf: {type: configMap, identifier: conf, items: [{key: k, path: p}]}
  files: {type: image, image: example.com/files:1}
  scratch: {type: ephemeral, size: 1Gi}
configMaps: {conf: {data: {k: v}}}
secrets: {s: {stringData: {k: v}}}
serviceAccount: {me: {staticToken: true}}
rbac:
  roles: {read: {type: Role, rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]}}
  bindings: {read: {type: RoleBinding, roleRef: {identifier: read}, subjects: [{identifier: me}]}}
networkpolicies: {web: {controller: web, policyTypes: [Ingress], rules: {ingress: [{}]}}}
`

// TestTheServerAcceptsWhatChartsMake holds what the charts render against the
// API's own schema, where an unknown field is an error.
func TestTheServerAcceptsWhatChartsMake(t *testing.T) {
	api, err := client.New(cluster(t).Config(), client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for chart, values := range map[string]string{"app-template": wide, "workload": "{replicas: x, image: {}}"} {
		objects := rendered(t, chart, namespace(t), values)
		if len(objects) < 3 {
			t.Errorf("chart %s made %d objects", chart, len(objects))
		}
		for _, object := range objects {
			if err := api.Create(t.Context(), object, client.DryRunAll, client.FieldValidation("Strict")); err != nil {
				t.Errorf("chart %s: %s %s: %v", chart, object.GetKind(), object.GetName(), err)
			}
		}
	}
}

// rendered renders one of Hearth's own charts as release "tea".
func rendered(t *testing.T, name, namespace, text string) []*unstructured.Unstructured {
	t.Helper()
	root, err := fs.Sub(charts.FS, name)
	if err != nil {
		t.Fatal(err)
	}
	var files []*archive.BufferedFile
	err = fs.WalkDir(root, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := fs.ReadFile(root, path)
		files = append(files, &archive.BufferedFile{Name: path, Data: data})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	chart, err := loader.LoadFiles(files)
	if err != nil {
		t.Fatal(err)
	}
	given := map[string]any{}
	if err := yaml.Unmarshal([]byte(text), &given); err != nil {
		t.Fatal(err)
	}
	values, err := util.ToRenderValues(chart, given, common.ReleaseOptions{Name: "tea", Namespace: namespace, IsInstall: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	manifests, err := engine.Render(chart, values)
	if err != nil {
		t.Fatal(err)
	}
	var objects []*unstructured.Unstructured
	for path, manifest := range manifests {
		for _, document := range strings.Split("\n"+manifest, "\n---") {
			object := &unstructured.Unstructured{}
			if err := yaml.Unmarshal([]byte(document), &object.Object); err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			if len(object.Object) > 0 {
				objects = append(objects, object)
			}
		}
	}
	return objects
}
