package integration_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"hearth/internal/engine/reloader"
	"hearth/internal/kube/scheme"
	"hearth/internal/kube/work"
)

// reloading runs Reloader in a namespace of its own.
type reloading struct {
	t         *testing.T
	namespace string
	client    client.Client
	gate      *work.Gate
}

func startReloader(t *testing.T, change ...func(*reloader.Options)) *reloading {
	t.Helper()
	r := &reloading{t: t, namespace: namespace(t), gate: work.NewGate(4)}
	o := reloader.Options{Gate: r.gate, Settle: 200 * time.Millisecond}
	for _, f := range change {
		f(&o)
	}
	ctrllog.SetLogger(logr.Discard())
	mgr, err := manager.New(cluster(t).Config(), manager.Options{
		Scheme: scheme.New(), Logger: logr.Discard(), Metrics: metricsserver.Options{BindAddress: "0"},
		Cache: cache.Options{DefaultNamespaces: map[string]cache.Config{r.namespace: {}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := reloader.Setup(mgr, o); err != nil {
		t.Fatal(err)
	}
	if r.client, err = client.New(cluster(t).Config(), client.Options{Scheme: scheme.New()}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the manager: %v", err)
		}
	})
	if !mgr.GetCache().WaitForCacheSync(ctx) {
		t.Fatal("the caches do not fill")
	}
	return r
}

const reloadedFrom = "reloader.stakater.com/last-reloaded-from"

func (r *reloading) create(obj client.Object) {
	r.t.Helper()
	obj.SetNamespace(r.namespace)
	if err := r.client.Create(r.t.Context(), obj); err != nil {
		r.t.Fatal(err)
	}
}

func (r *reloading) secret(name string, annotations map[string]string) *corev1.Secret {
	r.t.Helper()
	s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: annotations}, StringData: map[string]string{"a": "c4n4ry-1", "b": "c4n4ry-1"}}
	r.create(s)
	return s
}

// rotate changes all keys of a Secret.
func (r *reloading) rotate(s *corev1.Secret, value string) {
	r.t.Helper()
	for key := range s.Data {
		s.Data[key] = []byte(value)
	}
	if err := r.client.Update(r.t.Context(), s); err != nil {
		r.t.Fatal(err)
	}
}

// reloadingDeployment returns a Deployment with annotations whose pods read a Secret.
func reloadingDeployment(namespace, name, secret string, annotations map[string]string) *appsv1.Deployment {
	d := deploymentReading(namespace, name, secret)
	d.Annotations = annotations
	return d
}

func deploymentReading(namespace, name, secret string) *appsv1.Deployment {
	one := int32(1)
	labels := map[string]string{"app": name}
	return &appsv1.Deployment{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"},
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec:       appsv1.DeploymentSpec{Replicas: &one, Selector: &metav1.LabelSelector{MatchLabels: labels}, Template: podsReading(labels, secret)},
	}
}

func podsReading(labels map[string]string, secret string) corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: labels},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{
			Name: "app", Image: "example.org/app:1",
			EnvFrom: []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: secret}}}},
		}}},
	}
}

// until reads an object until ok says so.
func (r *reloading) until(obj client.Object, what string, ok func() bool) {
	r.t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	for {
		if err := r.client.Get(r.t.Context(), client.ObjectKeyFromObject(obj), obj); err != nil {
			r.t.Fatal(err)
		}
		if ok() {
			return
		}
		if time.Now().After(deadline) {
			r.t.Fatalf("%T %s: not %s", obj, obj.GetName(), what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// restarted waits until the Deployment is restarted for the Secret.
func (r *reloading) restarted(d *appsv1.Deployment, secret *corev1.Secret) {
	r.t.Helper()
	r.until(d, "restarted for "+secret.Name, func() bool {
		said := d.Spec.Template.Annotations[reloadedFrom]
		return strings.Contains(said, `"name":"`+secret.Name+`"`) && strings.Contains(said, secret.ResourceVersion)
	})
	if strings.Contains(d.Spec.Template.Annotations[reloadedFrom], secretCanary) {
		r.t.Error("the annotation tells a value")
	}
}

func TestReloaderRestartsOnce(t *testing.T) {
	t.Parallel()
	r := startReloader(t)
	app, other := r.secret("app", nil), r.secret("other", nil)
	auto := reloadingDeployment(r.namespace, "auto", "app", map[string]string{"reloader.stakater.com/auto": "true"})
	named := reloadingDeployment(r.namespace, "named", "app", map[string]string{"secret.reloader.stakater.com/reload": "app,other"})
	silent := reloadingDeployment(r.namespace, "silent", "app", nil)
	for _, d := range []*appsv1.Deployment{auto, named, silent} {
		r.create(d)
	}
	stateful := &appsv1.StatefulSet{
		ObjectMeta: metav1.ObjectMeta{Name: "stateful", Annotations: map[string]string{"secret.reloader.stakater.com/auto": "true"}},
		Spec:       appsv1.StatefulSetSpec{Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "s"}}, Template: podsReading(map[string]string{"app": "s"}, "app")},
	}
	daemon := &appsv1.DaemonSet{
		ObjectMeta: metav1.ObjectMeta{Name: "daemon", Annotations: map[string]string{"reloader.stakater.com/auto": "true"}},
		Spec:       appsv1.DaemonSetSpec{Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "d"}}, Template: podsReading(map[string]string{"app": "d"}, "app")},
	}
	cron := &batchv1.CronJob{
		ObjectMeta: metav1.ObjectMeta{Name: "cron", Annotations: map[string]string{"reloader.stakater.com/auto": "true"}},
		Spec:       batchv1.CronJobSpec{Schedule: "0 0 1 1 *", JobTemplate: batchv1.JobTemplateSpec{Spec: batchv1.JobSpec{Template: podsReading(nil, "app")}}},
	}
	cron.Spec.JobTemplate.Spec.Template.Spec.RestartPolicy = corev1.RestartPolicyNever
	asleep := cron.DeepCopy()
	asleep.Name, asleep.Spec.Suspend = "asleep", new(bool)
	*asleep.Spec.Suspend = true
	for _, obj := range []client.Object{stateful, daemon, cron, asleep} {
		r.create(obj)
	}
	r.seen("auto", "named", "silent")

	generation := map[string]int64{"auto": auto.Generation, "named": named.Generation}
	r.rotate(app, "c4n4ry-2") // two keys
	r.restarted(auto, app)
	r.restarted(named, app)
	r.until(stateful, "restarted", func() bool { return stateful.Spec.Template.Annotations[reloadedFrom] != "" })
	r.until(daemon, "restarted", func() bool { return daemon.Spec.Template.Annotations[reloadedFrom] != "" })
	r.jobs(1)

	// What only one follows restarts only that one.
	r.rotate(other, "c4n4ry-2")
	r.restarted(named, other)
	for _, d := range []*appsv1.Deployment{auto, named, silent} {
		if err := r.client.Get(t.Context(), client.ObjectKeyFromObject(d), d); err != nil {
			t.Fatal(err)
		}
	}
	if silent.Spec.Template.Annotations[reloadedFrom] != "" {
		t.Error("a workload without annotations is restarted")
	}
	if auto.Generation != generation["auto"]+1 || named.Generation != generation["named"]+2 {
		t.Errorf("generations %d, %d after %v: not one restart a rotation", auto.Generation, named.Generation, generation)
	}
	r.jobs(1)

	// Labels are no content; a Secret made anew with other content is.
	app.Labels = map[string]string{"x": "y"}
	if err := r.client.Update(t.Context(), app); err != nil {
		t.Fatal(err)
	}
	if err := r.client.Delete(t.Context(), app); err != nil {
		t.Fatal(err)
	}
	anew := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "app"}, StringData: map[string]string{"a": "c4n4ry-3"}}
	r.create(anew)
	r.restarted(auto, anew)
	if auto.Generation != generation["auto"]+2 {
		t.Errorf("generation %d: a label restarts a workload", auto.Generation)
	}
	r.reported("auto")
}

// seen waits until Reloader's cache has the Deployments: it lists them when
// something changes.
func (r *reloading) seen(names ...string) {
	r.t.Helper()
	probe := r.secret("probe", nil)
	d := reloadingDeployment(r.namespace, "probe", "probe", map[string]string{"reloader.stakater.com/auto": "true"})
	r.create(d) // made after the others: who sees it, sees them
	value := 0
	r.until(d, "seen", func() bool {
		if d.Spec.Template.Annotations[reloadedFrom] != "" {
			return true
		}
		value++
		r.rotate(probe, fmt.Sprint("c4n4ry-", value))
		return false
	})
	for _, name := range names {
		got := &appsv1.Deployment{}
		if err := r.client.Get(r.t.Context(), client.ObjectKey{Namespace: r.namespace, Name: name}, got); err != nil {
			r.t.Fatal(err)
		}
		if got.Spec.Template.Annotations[reloadedFrom] != "" {
			r.t.Fatalf("%s is restarted for what it does not use", name)
		}
	}
}

// jobs waits until there are so many Jobs.
func (r *reloading) jobs(want int) {
	r.t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	for {
		var list batchv1.JobList
		if err := r.client.List(r.t.Context(), &list, client.InNamespace(r.namespace)); err != nil {
			r.t.Fatal(err)
		}
		if len(list.Items) == want && list.Items[0].OwnerReferences[0].Name == "cron" {
			return
		}
		if len(list.Items) > want || time.Now().After(deadline) {
			r.t.Fatalf("%d Jobs, want %d", len(list.Items), want)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// reported waits for the event of a restart, and looks for values in all.
func (r *reloading) reported(name string) {
	r.t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	for {
		var events corev1.EventList
		if err := r.client.List(r.t.Context(), &events, client.InNamespace(r.namespace)); err != nil {
			r.t.Fatal(err)
		}
		found := false
		for _, e := range events.Items {
			if strings.Contains(e.Message, secretCanary) {
				r.t.Errorf("an event tells a value: %s", e.Message)
			}
			found = found || e.Reason == "Reloaded" && e.InvolvedObject.Name == name && strings.Contains(e.Message, "Changes detected in 'app' of type 'SECRET'")
		}
		if found {
			return
		}
		if time.Now().After(deadline) {
			r.t.Fatal("no event Reloaded")
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func TestReloaderSurvivesAnApply(t *testing.T) {
	t.Parallel()
	r := startReloader(t)
	app := r.secret("app", nil)
	d := reloadingDeployment(r.namespace, "app", "app", map[string]string{"reloader.stakater.com/auto": "true"})
	raw, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	apply := func() {
		t.Helper()
		desired := &unstructured.Unstructured{}
		if err := json.Unmarshal(raw, &desired.Object); err != nil {
			t.Fatal(err)
		}
		unstructured.RemoveNestedField(desired.Object, "status")
		err := r.client.Apply(t.Context(), client.ApplyConfigurationFromUnstructured(desired), client.FieldOwner("kustomize-controller"), client.ForceOwnership)
		if err != nil {
			t.Fatal(err)
		}
	}
	apply()
	r.seen("app")
	r.rotate(app, "c4n4ry-2")
	r.restarted(d, app)
	restarts, generation := d.Spec.Template.Annotations[reloadedFrom], d.Generation
	apply() // what Flux does each interval
	if err := r.client.Get(t.Context(), client.ObjectKeyFromObject(d), d); err != nil {
		t.Fatal(err)
	}
	if d.Spec.Template.Annotations[reloadedFrom] != restarts || d.Generation != generation {
		t.Error("an apply undoes the restart, which restarts once more")
	}
}

// TestReloaderPauses changes what a Deployment uses twice within its period.
func TestReloaderPauses(t *testing.T) {
	t.Parallel()
	r := startReloader(t)
	app, other := r.secret("app", nil), r.secret("other", nil)
	d := reloadingDeployment(r.namespace, "paused", "app", map[string]string{
		"secret.reloader.stakater.com/reload": "app,other", "deployment.reloader.stakater.com/pause-period": "1h",
	})
	r.create(d)
	r.seen("paused")
	r.rotate(app, "c4n4ry-2")
	r.restarted(d, app)
	since := d.Annotations["deployment.reloader.stakater.com/paused-at"]
	if !d.Spec.Paused || since == "" {
		t.Errorf("paused: %v, at %q", d.Spec.Paused, since)
	}
	r.rotate(other, "c4n4ry-2")
	r.restarted(d, other)
	if !d.Spec.Paused || d.Annotations["deployment.reloader.stakater.com/paused-at"] != since {
		t.Error("the second change ends the pause, or begins it anew")
	}
	patch := client.MergeFrom(d.DeepCopy())
	d.Annotations["deployment.reloader.stakater.com/paused-at"] = "2024-01-01T12:00:00Z"
	if err := r.client.Patch(t.Context(), d, patch); err != nil {
		t.Fatal(err)
	}
	r.until(d, "resumed", func() bool {
		now := &appsv1.Deployment{} // what is left out of an answer stays in what it is read into
		if err := r.client.Get(t.Context(), client.ObjectKeyFromObject(d), now); err != nil {
			t.Fatal(err)
		}
		return !now.Spec.Paused && now.Annotations["deployment.reloader.stakater.com/paused-at"] == ""
	})
}

func TestReloaderSearchIgnoreAndAll(t *testing.T) {
	t.Parallel()
	r := startReloader(t, func(o *reloader.Options) { o.All = true })
	matched := r.secret("matched", map[string]string{"reloader.stakater.com/match": "true"})
	ignored := r.secret("ignored", map[string]string{"reloader.stakater.com/ignore": "true"})
	searching := reloadingDeployment(r.namespace, "searching", "matched", map[string]string{"reloader.stakater.com/auto": "false", "reloader.stakater.com/search": "true"})
	plain := reloadingDeployment(r.namespace, "plain", "matched", nil)
	refusing := reloadingDeployment(r.namespace, "refusing", "matched", map[string]string{"reloader.stakater.com/auto": "false"})
	ignoring := reloadingDeployment(r.namespace, "ignoring", "ignored", nil)
	for _, d := range []*appsv1.Deployment{searching, plain, refusing, ignoring} {
		r.create(d)
	}
	config := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "config"}, Data: map[string]string{"a": "1"}}
	r.create(config)
	configured := reloadingDeployment(r.namespace, "configured", "none", map[string]string{"configmap.reloader.stakater.com/reload": "conf.*"})
	r.create(configured)
	r.seen("searching", "plain", "refusing", "ignoring", "configured")
	r.rotate(ignored, "c4n4ry-2")
	r.rotate(matched, "c4n4ry-2")
	r.restarted(searching, matched)
	r.restarted(plain, matched)
	config.Data["a"] = "2"
	if err := r.client.Update(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	r.until(configured, "restarted", func() bool {
		return strings.Contains(configured.Spec.Template.Annotations[reloadedFrom], `"type":"CONFIGMAP"`)
	})
	for _, d := range []*appsv1.Deployment{refusing, ignoring} {
		if err := r.client.Get(t.Context(), client.ObjectKeyFromObject(d), d); err != nil {
			t.Fatal(err)
		}
		if d.Spec.Template.Annotations[reloadedFrom] != "" {
			t.Errorf("%s is restarted", d.Name)
		}
	}
}
