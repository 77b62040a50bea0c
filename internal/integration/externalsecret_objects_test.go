package integration_test

import (
	"context"
	"sync/atomic"
	"testing"

	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	esv1 "hearth/internal/api/externalsecrets/v1"
	"hearth/internal/engine/externalsecret"
	"hearth/internal/onepassword"
)

const objectsVault = `
vaults:
  - name: Homelab
    items:
      - {title: app, fields: [{label: host, value: db.home.lan}, {label: level, value: info}]}
`

// configMap reads a ConfigMap that an ExternalSecret is to make.
func (s *secrets) configMap(name string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: s.namespace}}
}

// TestExternalSecretObjects makes objects of other kinds than Secret.
func TestExternalSecretObjects(t *testing.T) {
	t.Parallel()
	var allowed atomic.Bool
	s := startSecrets(t, func(o *externalsecret.Options, _ *onepassword.ServerOptions) {
		o.OtherKinds = func(context.Context) bool { return allowed.Load() }
	})
	s.vault(objectsVault)
	s.connectStore(true)
	const configMap = `manifest: {apiVersion: v1, kind: ConfigMap}`
	plain := s.externalSecret("plain", `{target: {`+configMap+`, deletionPolicy: Delete}, dataFrom: [{extract: {key: app}}]}`)
	s.awaitReady(plain, corev1.ConditionFalse, "set genericTargets.enabled")
	allowed.Store(true)
	s.trigger.Poke()
	s.synced(plain)

	made := s.configMap("plain")
	want := map[string]string{"host": "db.home.lan", "level": "info"}
	s.await(made, "made", func() bool { return cmp.Equal(want, made.Data) })
	if c := esv1.GetCondition(plain.Status.Conditions, esv1.ConditionReady); c.Reason != "ResourceSynced" || plain.Status.Binding.Name != "" {
		t.Errorf("condition %v, binding %q", c, plain.Status.Binding.Name)
	}
	if made.Labels["reconcile.external-secrets.io/managed"] != "true" || len(made.OwnerReferences) != 0 {
		t.Errorf("labels %v, owners %v", made.Labels, made.OwnerReferences)
	}
	// What others change is put right; what they add beside the content stays.
	made.Data, made.Labels["mine"] = map[string]string{"host": "elsewhere"}, "yes"
	if err := s.client.Update(t.Context(), made); err != nil {
		t.Fatal(err)
	}
	s.await(made, "put right", func() bool { return cmp.Equal(want, made.Data) && made.Labels["mine"] == "yes" })
	version := made.ResourceVersion
	s.forceSync(plain)
	s.await(made, "left alone", func() bool { return true })
	if made.ResourceVersion != version {
		t.Error("a sync without changes wrote the object")
	}

	es := s.externalSecret("repository", `
target:
  manifest: {apiVersion: source.toolkit.fluxcd.io/v1, kind: GitRepository}
  template:
    metadata: {labels: {app: "{{ literally }}"}, annotations: {by: hand}}
    templateFrom:
      - {target: spec, literal: "url: https://{{ .host }}/x\ninterval: 1h\nref: {tag: v1}"}
      - {target: spec.ref, literal: "branch: {{ .level }}"}
      - {target: spec.suspend, configMap: {name: templates, items: [{key: suspend}]}}
dataFrom: [{extract: {key: app}}]
`)
	s.awaitReady(es, corev1.ConditionFalse, "the ConfigMap templates, which holds templates, does not exist")
	s.create(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "templates", Namespace: s.namespace}, Data: map[string]string{"suspend": `{{ eq .level "info" }}`}})
	s.awaitReady(es, corev1.ConditionFalse, "the API server refuses metadata.labels") // they are no templates
	s.update(es, func() { es.Spec.Target.Template.Metadata.Labels["app"] = "x" })
	repository := &sourcev1.GitRepository{ObjectMeta: metav1.ObjectMeta{Name: "repository", Namespace: s.namespace}}
	s.await(repository, "made", func() bool { return true })
	if spec := repository.Spec; spec.URL != "https://db.home.lan/x" || spec.Reference.Branch != "info" || spec.Reference.Tag != "v1" || !spec.Suspend || repository.Annotations["by"] != "hand" {
		t.Errorf("spec %+v, annotations %v", spec, repository.Annotations)
	}

	merged := s.externalSecret("merged", `{target: {`+configMap+`, creationPolicy: Merge, template: {data: {url: "https://{{ .host }}"}}}, dataFrom: [{extract: {key: app}}]}`)
	s.awaitReady(merged, corev1.ConditionTrue, "resource will not be created due to CreationPolicy=Merge")
	shared := s.configMap("merged")
	shared.Data = map[string]string{"theirs": "1"}
	s.create(shared)
	s.forceSync(merged)
	s.await(shared, "merged", func() bool {
		return cmp.Equal(map[string]string{"theirs": "1", "url": "https://db.home.lan"}, shared.Data)
	})

	for name, tt := range map[string]struct{ target, message string }{
		"unknown":   {`manifest: {apiVersion: example.com/v1, kind: Nothing}`, "the cluster has no kind Nothing of example.com/v1"},
		"wide":      {`manifest: {apiVersion: v1, kind: Namespace}`, "lives in no namespace"},
		"elsewhere": {configMap + `, template: {templateFrom: [{target: metadata.namespace, literal: kube-system}]}`, "may not write"},
		"through":   {configMap + `, template: {data: {x: "1"}, templateFrom: [{target: a, literal: "1"}, {target: a.b, literal: "2"}]}`, "no mapping"},
		"missing":   {configMap + `, template: {data: {x: "{{ .nope }}"}}`, `1Password item "app" has no field nope`},
		"large":     {configMap + `, template: {data: {x: "{{ repeat 60000 .host }}", z: "{{ repeat 60000 .host }}"}}`, "more than 1048576"},
	} {
		es := s.externalSecret(name, `{target: {`+tt.target+`}, dataFrom: [{extract: {key: app}}]}`)
		s.awaitReady(es, corev1.ConditionFalse, tt.message)
		if c := esv1.GetCondition(es.Status.Conditions, esv1.ConditionReady); c.Reason != "ResourceSyncedError" {
			t.Errorf("%s: reason %s", name, c.Reason)
		}
	}

	if err := s.client.Delete(t.Context(), plain); err != nil {
		t.Fatal(err)
	}
	s.awaitGone(made)
	s.awaitGone(plain)
}
