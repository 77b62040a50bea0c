package schema

import (
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const benchedDeployment = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: home, labels: {app: web}, annotations: {example.test/a: b}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      serviceAccountName: web
      securityContext: {runAsUser: 1000, runAsNonRoot: true, fsGroup: 1000}
      containers:
        - name: web
          image: example.test/web:1.0.0
          env: [{name: A, value: b}, {name: C, valueFrom: {secretKeyRef: {name: web, key: c}}}]
          envFrom: [{secretRef: {name: web}}]
          ports: [{name: http, containerPort: 80}, {name: metrics, containerPort: 9090}]
          resources: {requests: {cpu: 10m, memory: 64Mi}, limits: {memory: 1Gi}}
          livenessProbe: {httpGet: {path: /, port: http}}
          readinessProbe: {httpGet: {path: /, port: http}}
          volumeMounts: [{name: data, mountPath: /data}, {name: config, mountPath: /config}]
      volumes: [{name: data, persistentVolumeClaim: {claimName: web}}, {name: config, configMap: {name: web}}]
`

// BenchmarkLoad unpacks the schemas and validates a first object.
func BenchmarkLoad(b *testing.B) {
	obj := object(b, benchedDeployment)
	b.ReportAllocs()
	for b.Loop() {
		set := &Set{archive: unpack()}
		if problems, known := set.Validate(obj, Options{}); len(problems) > 0 || !known {
			b.Fatal(problems)
		}
	}
}

// BenchmarkLoadCarried unpacks the definitions of an operator as well, and
// validates a first object of it.
func BenchmarkLoadCarried(b *testing.B) {
	obj := object(b, "{apiVersion: monitoring.coreos.com/v1, kind: ServiceMonitor, metadata: {name: a}, spec: {selector: {}, endpoints: []}}")
	b.ReportAllocs()
	for b.Loop() {
		set := &Set{archive: unpack()}
		if problems, known := set.Validate(obj, Options{}); len(problems) > 0 || !known {
			b.Fatal(problems)
		}
	}
}

// BenchmarkValidate validates 2,000 Deployments.
func BenchmarkValidate(b *testing.B) {
	objects := make([]*unstructured.Unstructured, 2000)
	for i := range objects {
		objects[i] = object(b, benchedDeployment)
		objects[i].SetName(fmt.Sprintf("web-%d", i))
	}
	b.ReportAllocs()
	for b.Loop() {
		set := Embedded()
		for _, obj := range objects {
			if problems, known := set.Validate(obj, Options{}); len(problems) > 0 || !known {
				b.Fatal(problems)
			}
		}
	}
}
