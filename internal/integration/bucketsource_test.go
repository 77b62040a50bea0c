package integration_test

import (
	"fmt"
	"strings"
	"testing"

	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/source/bucket/buckettest"
)

// TestBucket has a Kustomization apply what a bucket holds, and follow it.
func TestBucket(t *testing.T) {
	s := startComposing(t)
	server := buckettest.New()
	server.Keys = map[string]string{"owner": "hunter2"}
	server.Put("home", map[string]string{"apps/a.yaml": fmt.Sprintf(configMapYAML, "a", "one")})
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "keys"}, Data: map[string][]byte{"accesskey": []byte("owner"), "secretkey": []byte("hunter2")}}
	if err := s.client.Create(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	bucket := &sourcev1.Bucket{}
	s.create(bucket, "home", fmt.Sprintf("{interval: 1h, bucketName: home, endpoint: %q, insecure: true, secretRef: {name: keys}}", server.Start(t)))
	k := &kustomizev1.Kustomization{}
	s.create(k, "apps", fmt.Sprintf("{interval: 1h, prune: true, path: ./apps, targetNamespace: %s, sourceRef: {kind: Bucket, name: home}}", s.namespace))
	s.until(k, "apps", "ready", ready(k))
	first := k.Status.LastAppliedRevision
	s.until(bucket, "home", "ready", ready(bucket))
	if first != bucket.Status.Artifact.Revision || !strings.HasPrefix(first, "sha256:") {
		t.Errorf("applied %s, want %s", first, bucket.Status.Artifact.Revision)
	}

	// What the bucket then holds is applied once somebody asks to look.
	server.Put("home", map[string]string{"apps/b.yaml": fmt.Sprintf(configMapYAML, "b", "two")})
	server.Delete("home", "apps/a.yaml")
	before := bucket.DeepCopy()
	bucket.Annotations = map[string]string{meta.ReconcileRequestAnnotation: "now"}
	if err := s.client.Patch(t.Context(), bucket, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
	s.until(&corev1.ConfigMap{}, "b", "applied", func() bool { return true })
	s.gone(&corev1.ConfigMap{}, "a")
	s.until(bucket, "home", "ready", func() bool { return bucket.Status.LastHandledReconcileAt == "now" && conditions.IsReady(bucket) })

	// A bucket that vanishes leaves everything as it is.
	server.Drop("home")
	before = bucket.DeepCopy()
	bucket.Annotations[meta.ReconcileRequestAnnotation] = "again"
	if err := s.client.Patch(t.Context(), bucket, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
	s.until(bucket, "home", "failed", func() bool { return conditions.IsFalse(bucket, meta.ReadyCondition) })
	if bucket.Status.Artifact == nil || bucket.Status.Artifact.Revision != before.Status.Artifact.Revision {
		t.Errorf("the artifact is %+v", bucket.Status.Artifact)
	}
	s.until(&corev1.ConfigMap{}, "b", "there", func() bool { return true })
}
