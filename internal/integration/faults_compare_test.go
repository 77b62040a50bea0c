package integration_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
)

// equalsUndisturbed waits until a lab holds what a lab of the same site holds
// that never saw a fault: every object of the namespace, and those that
// Kustomizations of the namespace applied elsewhere. begin brings the other
// lab to the state that is compared.
func (l *lab) equalsUndisturbed(begin func(other *lab)) {
	l.t.Helper()
	other := l.site.newLab(l.t)
	other.start(nil)
	begin(other)
	diff := ""
	comesTo(l.t, func() bool {
		diff = cmp.Diff(everything(l.t, other.namespace), everything(l.t, l.namespace))
		return diff == ""
	}, func() string { return "the lab differs from an undisturbed one (-undisturbed +this):\n" + diff })
}

// everything returns the objects of a lab by their kind and name, less what
// differs between two labs that hold the same.
func everything(t testing.TB, ns string) map[string]any {
	t.Helper()
	config := rest.CopyConfig(cluster(t).Config())
	config.QPS = -1
	config.WarningHandler = rest.NoWarnings{}
	found, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	kinds, err := found.ServerPreferredResources()
	if err != nil && !discovery.IsGroupDiscoveryFailedError(err) {
		t.Fatal(err)
	}
	c, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]any{}
	releases := map[string]map[string]any{}
	for _, group := range kinds {
		gv, err := schema.ParseGroupVersion(group.GroupVersion)
		if err != nil {
			t.Fatal(err)
		}
		for _, kind := range group.APIResources {
			if kind.Kind == "Event" || strings.Contains(kind.Name, "/") || !slices.Contains(kind.Verbs, "list") {
				continue
			}
			resource, options := c.Resource(gv.WithResource(kind.Name)), metav1.ListOptions{}
			var list *unstructured.UnstructuredList
			if kind.Namespaced {
				list, err = resource.Namespace(ns).List(t.Context(), options)
			} else {
				options.LabelSelector = "kustomize.toolkit.fluxcd.io/namespace=" + ns
				list, err = resource.List(t.Context(), options)
			}
			// Other tests' kinds come and go.
			if apierrors.IsNotFound(err) || apierrors.IsMethodNotSupported(err) || apierrors.IsServiceUnavailable(err) {
				continue
			}
			if err != nil {
				t.Fatalf("list %s: %v", kind.Name, err)
			}
			for i := range list.Items {
				if obj := &list.Items[i]; !noteRelease(t, releases, obj) {
					key := strings.ReplaceAll(kind.Kind+"."+gv.Group+" "+normalName(obj), ns, "NS")
					all[key] = normal(t, obj, ns)
				}
			}
		}
	}
	for name, release := range releases {
		delete(release, "newest") // a fault may cost a revision
		all["release "+name] = release
	}
	return all
}

// normalName is an object's name less what a controller drew by lot.
func normalName(obj *unstructured.Unstructured) string {
	if prefix := obj.GetGenerateName(); prefix != "" {
		return prefix + "*"
	}
	return obj.GetName()
}

// marks are identities, times and durations inside of texts.
var marks = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT[0-9:.]+Z|\b\d+(\.\d+)?(µs|ms|s|m|h)\b`)

// normal returns an object's content less what tells when and how it came
// about: identities, times, and the history that Flux's objects keep.
func normal(t testing.TB, obj *unstructured.Unstructured, ns string) any {
	t.Helper()
	obj = obj.DeepCopy()
	flux := strings.HasSuffix(obj.GroupVersionKind().Group, ".toolkit.fluxcd.io")
	metadata := obj.Object["metadata"].(map[string]any)
	for _, field := range []string{"uid", "resourceVersion", "generation", "creationTimestamp", "selfLink"} {
		delete(metadata, field)
	}
	if metadata["generateName"] != nil {
		metadata["name"] = "*"
	}
	if flux {
		delete(metadata, "managedFields") // status and finalizers are written when there is news
		unstructured.RemoveNestedField(obj.Object, "metadata", "annotations", "reconcile.fluxcd.io/requestedAt")
		if len(obj.GetAnnotations()) == 0 {
			delete(metadata, "annotations")
		}
		for _, field := range []string{"history", "observedGeneration", "lastHandledReconcileAt", "lastAttemptedGeneration", "lastAttemptedRevisionDigest", "installFailures", "upgradeFailures", "failures", "lastAttemptedReleaseAction", "lastAttemptedReleaseActionDuration"} {
			unstructured.RemoveNestedField(obj.Object, "status", field)
		}
	}
	data, err := json.Marshal(strip(obj.Object, obj.GetKind() == "HelmRelease"))
	if err != nil {
		t.Fatal(err)
	}
	text := marks.ReplaceAllString(strings.ReplaceAll(string(data), ns, "NS"), "*")
	var content any
	if err := json.Unmarshal([]byte(text), &content); err != nil {
		t.Fatal(err)
	}
	return content
}

// strip removes times and identities wherever they stand. Which way a release
// went is told by its conditions; that it is ready is what counts.
func strip(content any, wayToo bool) any {
	switch content := content.(type) {
	case map[string]any:
		for _, field := range []string{"time", "lastTransitionTime", "lastUpdateTime", "uid", "url", "clusterIP", "clusterIPs", "observedGeneration"} {
			delete(content, field)
		}
		if _, condition := content["status"].(string); condition && wayToo {
			delete(content, "reason")
			delete(content, "message")
		}
		for key, value := range content {
			content[key] = strip(value, wayToo)
		}
	case []any:
		for i := range content {
			content[i] = strip(content[i], wayToo)
		}
	}
	return content
}

// noteRelease keeps what the newest record of a Helm release says, and how many
// records say that they are deployed.
func noteRelease(t testing.TB, releases map[string]map[string]any, obj *unstructured.Unstructured) bool {
	t.Helper()
	if kind, _, _ := unstructured.NestedString(obj.Object, "type"); kind != "helm.sh/release.v1" {
		return false
	}
	release, err := decodeRelease(obj)
	if err != nil {
		t.Fatal(err)
	}
	name := release.Name
	if releases[name] == nil {
		releases[name] = map[string]any{"newest": 0, "deployed": 0}
	}
	noted := releases[name]
	if release.Info.Status == "deployed" {
		noted["deployed"] = noted["deployed"].(int) + 1
	}
	if release.Version > noted["newest"].(int) {
		noted["newest"] = release.Version
		noted["chart"] = release.Chart.Metadata.Name + " " + release.Chart.Metadata.Version
		noted["values"] = fmt.Sprint(release.Config)
		noted["status"] = release.Info.Status
		noted["manifest"] = strings.ReplaceAll(release.Manifest, obj.GetNamespace(), "NS")
	}
	return true
}

// labRelease is what is compared of a Helm release.
type labRelease struct {
	Name     string
	Version  int
	Manifest string
	Config   map[string]any
	Info     struct{ Status string }
	Chart    struct {
		Metadata struct{ Name, Version string }
	}
}

// decodeRelease reads a release as Helm keeps it in a Secret.
func decodeRelease(obj *unstructured.Unstructured) (labRelease, error) {
	var record labRelease
	text, _, _ := unstructured.NestedString(obj.Object, "data", "release")
	secret, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return record, err
	}
	packed, err := base64.StdEncoding.DecodeString(string(secret))
	if err != nil {
		return record, err
	}
	zip, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return record, err
	}
	data, err := io.ReadAll(zip)
	if err != nil {
		return record, err
	}
	return record, json.Unmarshal(data, &record)
}
