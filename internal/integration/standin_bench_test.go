package integration_test

import (
	"fmt"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/standin"
	"hearth/internal/standin/kubelet"
)

// BenchmarkPods measures how long 500 pods on 20 nodes take from the moment
// their ReplicaSets may make them until all are ready, at instant pace. Run it
// with -benchtime 1x.
func BenchmarkPods(b *testing.B) {
	var nodes []kubelet.Node
	for i := range 20 {
		nodes = append(nodes, kubelet.Node{Name: fmt.Sprintf("node-%02d", i+1)})
	}
	s := openStage(b, standin.Options{Nodes: nodes})
	const deployments, replicas = 50, 10
	for b.Loop() {
		ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "bench-"}}
		s.make(b, ns)
		for i := range deployments {
			s.make(b, deploymentOf(ns.Name, fmt.Sprintf("app-%02d", i), replicas))
		}
		for i := range deployments {
			d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: ns.Name, Name: fmt.Sprintf("app-%02d", i)}}
			await(b, s, d, &appsv1.DeploymentList{}, "available", func(d *appsv1.Deployment) bool {
				return d.Status.AvailableReplicas == replicas
			})
		}
		b.StopTimer()
		if err := s.Delete(b.Context(), ns, client.PropagationPolicy(metav1.DeletePropagationBackground)); err != nil {
			b.Fatal(err)
		}
		s.awaitGone(b, ns)
		b.StartTimer()
	}
	b.ReportMetric(deployments*replicas*float64(b.N)/b.Elapsed().Seconds(), "pods/s")
}
