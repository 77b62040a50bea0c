package reloader

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// using returns pods that take a Secret and a ConfigMap in every way.
func using(secret, configMap string) corev1.PodSpec {
	return corev1.PodSpec{Containers: []corev1.Container{{
		EnvFrom: []corev1.EnvFromSource{
			{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: secret}}},
			{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: configMap}}},
		},
	}}}
}

func changeOf(kind, name string, annotations map[string]string) change {
	return change{source{kind, types.NamespacedName{Namespace: "ns", Name: name}}, "1", annotations}
}

func TestFollows(t *testing.T) {
	secret := changeOf("Secret", "app-secret", nil)
	matched := changeOf("Secret", "app-secret", map[string]string{matchAnnotation: "true"})
	ignored := changeOf("Secret", "app-secret", map[string]string{ignoreAnnotation: "true"})
	config := changeOf("ConfigMap", "app-config", nil)
	other := changeOf("Secret", "other", nil)
	tests := []struct {
		name      string
		own, pods map[string]string
		change    change
		all, want bool
	}{
		{"says nothing", nil, nil, secret, false, false},
		{"all", nil, nil, secret, true, true},
		{"all, but unused", nil, nil, other, true, false},
		{"all, but refused", map[string]string{autoAnnotation: "false"}, nil, secret, true, false},
		{"auto", map[string]string{autoAnnotation: "true"}, nil, secret, false, true},
		{"auto, config map", map[string]string{autoAnnotation: "true"}, nil, config, false, true},
		{"auto, unused", map[string]string{autoAnnotation: "true"}, nil, other, false, false},
		{"auto, ignored", map[string]string{autoAnnotation: "true"}, nil, ignored, false, false},
		{"auto of the pods", nil, map[string]string{autoAnnotation: "true"}, secret, false, true},
		{"own before the pods'", map[string]string{autoAnnotation: "false"}, map[string]string{autoAnnotation: "true"}, secret, false, false},
		{"auto of Secrets", map[string]string{"secret.reloader.stakater.com/auto": "true"}, nil, secret, false, true},
		{"auto of Secrets, config map", map[string]string{"secret.reloader.stakater.com/auto": "true"}, nil, config, false, false},
		{"auto of ConfigMaps", map[string]string{"configmap.reloader.stakater.com/auto": "true"}, nil, config, false, true},
		{"auto, excluded", map[string]string{autoAnnotation: "true", "secrets.exclude.reloader.stakater.com/reload": "x, app-secret"}, nil, secret, false, false},
		{"auto, config map excluded", map[string]string{autoAnnotation: "true", "configmaps.exclude.reloader.stakater.com/reload": "app-config"}, nil, config, false, false},
		{"named", map[string]string{"secret.reloader.stakater.com/reload": "a, app-secret"}, nil, secret, false, true},
		{"named, unused", map[string]string{"secret.reloader.stakater.com/reload": "other"}, nil, other, false, true},
		{"named, another", map[string]string{"secret.reloader.stakater.com/reload": "app"}, nil, secret, false, false},
		{"named by an expression", map[string]string{"secret.reloader.stakater.com/reload": "app-.*|x"}, nil, secret, false, true},
		{"named by what is none", map[string]string{"secret.reloader.stakater.com/reload": "app-("}, nil, secret, false, false},
		{"named config map", map[string]string{"configmap.reloader.stakater.com/reload": "app-config"}, nil, config, false, true},
		{"searching", map[string]string{searchAnnotation: "true"}, nil, matched, false, true},
		{"searching, not matched", map[string]string{searchAnnotation: "true"}, nil, secret, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Annotations: tt.own}}
			d.Spec.Template = corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Annotations: tt.pods}, Spec: using("app-secret", "app-config")}
			if got := follows(workload{object: d, pods: &d.Spec.Template}, tt.change, tt.all); got != tt.want {
				t.Errorf("follows: %v", got)
			}
		})
	}
}

func TestUses(t *testing.T) {
	ref := corev1.LocalObjectReference{Name: "x"}
	projected := func(p corev1.VolumeProjection) corev1.PodSpec {
		return corev1.PodSpec{Volumes: []corev1.Volume{{VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{p}}}}}}
	}
	env := func(v corev1.EnvVarSource) corev1.PodSpec {
		return corev1.PodSpec{InitContainers: []corev1.Container{{Env: []corev1.EnvVar{{}, {ValueFrom: &v}}}}}
	}
	for name, tt := range map[string]struct {
		pods corev1.PodSpec
		kind string
	}{
		"environment":         {using("x", "y"), "Secret"},
		"environment, config": {using("y", "x"), "ConfigMap"},
		"variable":            {env(corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: ref}}), "Secret"},
		"variable, config":    {env(corev1.EnvVarSource{ConfigMapKeyRef: &corev1.ConfigMapKeySelector{LocalObjectReference: ref}}), "ConfigMap"},
		"volume":              {corev1.PodSpec{Volumes: []corev1.Volume{{VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "x"}}}}}, "Secret"},
		"volume, config":      {corev1.PodSpec{Volumes: []corev1.Volume{{VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: ref}}}}}, "ConfigMap"},
		"projected":           {projected(corev1.VolumeProjection{Secret: &corev1.SecretProjection{LocalObjectReference: ref}}), "Secret"},
		"projected, config":   {projected(corev1.VolumeProjection{ConfigMap: &corev1.ConfigMapProjection{LocalObjectReference: ref}}), "ConfigMap"},
	} {
		for _, kind := range []string{"Secret", "ConfigMap"} {
			if got := uses(&tt.pods, changeOf(kind, "x", nil).source); got != (kind == tt.kind) {
				t.Errorf("%s: uses the %s: %v", name, kind, got)
			}
		}
	}
}

func secretWith(name, value string) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name}, Data: map[string][]byte{"k": []byte(value)}}
}

func TestLedgerSeesChanges(t *testing.T) {
	l := newLedger()
	labelled := secretWith("s", "b")
	labelled.Labels = map[string]string{"x": "y"}
	helm := secretWith("h", "1")
	helm.Type = "helm.sh/release.v1"
	helmAgain := helm.DeepCopy()
	helmAgain.Data["k"] = []byte("2")
	for i, step := range []struct {
		secret *corev1.Secret
		want   bool
	}{
		{secretWith("s", "a"), false}, {secretWith("s", "a"), false}, {secretWith("s", "b"), true}, {labelled, false}, {helm, false}, {helmAgain, false},
	} {
		if got := l.see(step.secret); got != step.want {
			t.Errorf("step %d: changed %v", i, got)
		}
	}
	// One that is made anew is compared with the one before it.
	l.gone(labelled)
	if l.see(secretWith("s", "b")) || !l.see(secretWith("s", "c")) {
		t.Error("deletion: a change without one, or none with one")
	}
	if got := l.take("ns"); len(got) != 1 || got[0].Name != "s" || len(l.take("ns")) != 0 {
		t.Errorf("changes %v", got)
	}
	config := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "s"}, Data: map[string]string{"a": "bc"}}
	l.see(config)
	moved := config.DeepCopy()
	moved.Data = map[string]string{"ab": "c"}
	binary := config.DeepCopy()
	binary.Data, binary.BinaryData = nil, map[string][]byte{"ab": []byte("c")}
	if !l.see(moved) || !l.see(binary) {
		t.Error("a change of a ConfigMap is not seen")
	}
}

func TestLedgerForgetsTheOldestDeleted(t *testing.T) {
	l := newLedger()
	for i := range maxGone + 10 {
		s := secretWith(fmt.Sprint(i), "a")
		l.see(s)
		l.gone(s)
	}
	if len(l.digests) != maxGone || len(l.left) != maxGone {
		t.Errorf("%d digests, %d deleted", len(l.digests), len(l.left))
	}
	if l.see(secretWith("0", "b")) || !l.see(secretWith(fmt.Sprint(maxGone), "b")) {
		t.Error("not the oldest ones are forgotten")
	}
}

func TestLedgerDebts(t *testing.T) {
	l := newLedger()
	w := workloadKey{"Deployment", types.NamespacedName{Namespace: "ns", Name: "app"}}
	later := changeOf("Secret", "b", nil)
	later.version = "2"
	l.owe(w, []change{changeOf("Secret", "b", nil), changeOf("ConfigMap", "a", nil)})
	l.owe(w, []change{later})
	var got []string
	for _, c := range l.owed("ns")[w] {
		got = append(got, c.kind+"/"+c.Name+"@"+c.version)
	}
	if diff := cmp.Diff([]string{"ConfigMap/a@1", "Secret/b@2"}, got); diff != "" {
		t.Error(diff)
	}
	l.settle(w)
	if len(l.owed("ns")) != 0 || len(l.debts) != 0 {
		t.Error("a settled debt stays")
	}
}

func TestLedgerWaits(t *testing.T) {
	l := newLedger()
	running := 0
	timer := func() func() { running++; return func() { running-- } }
	l.await("ns", timer)
	l.await("ns", timer)
	if running != 1 {
		t.Errorf("%d timers", running)
	}
	l.take("ns")
	if running != 0 {
		t.Errorf("%d timers after the changes were taken", running)
	}
}
