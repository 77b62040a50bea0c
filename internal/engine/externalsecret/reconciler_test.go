package externalsecret

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation/field"

	v1 "hearth/internal/api/externalsecrets/v1"
	"hearth/internal/onepassword"
)

func TestNextTurn(t *testing.T) {
	now := time.Now()
	synced := func(ago, interval time.Duration, change func(*v1.ExternalSecret)) *v1.ExternalSecret {
		es := &v1.ExternalSecret{ObjectMeta: metav1.ObjectMeta{Name: "app", Namespace: "ns", Generation: 1}}
		es.Spec.RefreshInterval = &metav1.Duration{Duration: interval}
		es.Status = v1.ExternalSecretStatus{
			RefreshTime: metav1.NewTime(now.Add(-ago)), SyncedResourceVersion: version(es),
			Conditions: []v1.Condition{{Type: v1.ConditionReady, Status: corev1.ConditionTrue, Reason: v1.ReasonSecretSynced}},
		}
		if change != nil {
			change(es)
		}
		return es
	}
	same := func(*v1.ExternalSecret) {}
	tests := []struct {
		name  string
		es    *v1.ExternalSecret
		spoil bool
		want  string
	}{
		{"fresh", synced(time.Hour, 12*time.Hour, same), false, "wait"},
		{"overdue", synced(13*time.Hour, 12*time.Hour, same), false, "now"},
		{"within the jitter", synced(12*time.Hour, 12*time.Hour, same), false, "wait"},
		{"never", synced(time.Hour, 0, same), false, "never"},
		{"annotated", synced(time.Hour, 0, func(es *v1.ExternalSecret) { es.Annotations = map[string]string{"force-sync": "1"} }), false, "now"},
		{"changed", synced(time.Hour, 12*time.Hour, func(es *v1.ExternalSecret) { es.Generation++ }), false, "now"},
		{"created once, changed", synced(time.Hour, time.Minute, func(es *v1.ExternalSecret) { es.Generation++; es.Spec.RefreshPolicy = v1.RefreshCreatedOnce }), false, "never"},
		{"on change, overdue", synced(time.Hour, time.Minute, func(es *v1.ExternalSecret) { es.Spec.RefreshPolicy = v1.RefreshOnChange }), false, "never"},
		{"the Secret was tampered with", synced(time.Hour, 12*time.Hour, same), true, "now"},
		{"failed", synced(time.Hour, 12*time.Hour, func(es *v1.ExternalSecret) { es.Status.Conditions[0].Status = corev1.ConditionFalse }), false, "now"},
		{"no interval", synced(50*time.Minute, 0, func(es *v1.ExternalSecret) { es.Spec.RefreshInterval = nil }), false, "wait"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := &reconciler{o: Options{Seed: 1, Trigger: &Trigger{}}, memory: &memory{}}
			secret := &corev1.Secret{Data: map[string][]byte{"k": []byte("v")}}
			secret.Annotations = map[string]string{dataHashAnnotation: hash(secret.Data)}
			if tt.spoil {
				secret.Data["k"] = []byte("w")
			}
			turn := r.next(tt.es, intact(tt.es, secret), now)
			got := "now"
			switch {
			case turn.never:
				got = "never"
			case turn.after > 0:
				got = "wait"
			}
			if got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

func TestJitterFollowsFromTheSeed(t *testing.T) {
	r := &reconciler{o: Options{Seed: 1}}
	draws := map[time.Duration]bool{}
	for _, name := range []string{"a", "b", "c", "d"} {
		es := &v1.ExternalSecret{ObjectMeta: metav1.ObjectMeta{Name: name}}
		d := r.jitter(es, 12*time.Hour)
		if d < 0 || d > time.Minute || d != r.jitter(es, 12*time.Hour) {
			t.Errorf("%s: jitter %s", name, d)
		}
		if short := r.jitter(es, 10*time.Second); short > time.Second {
			t.Errorf("%s: jitter %s of 10s", name, short)
		}
		draws[d] = true
	}
	if len(draws) < 2 {
		t.Error("all refresh at once")
	}
}

func TestTriggerRefresh(t *testing.T) {
	trigger := &Trigger{}
	r := &reconciler{o: Options{Trigger: trigger}, memory: &memory{}}
	es := &v1.ExternalSecret{ObjectMeta: metav1.ObjectMeta{Name: "app"}}
	es.Spec.Target.CreationPolicy = v1.CreateNone
	es.Status = v1.ExternalSecretStatus{
		RefreshTime: metav1.Now(), SyncedResourceVersion: version(es),
		Conditions: []v1.Condition{{Type: v1.ConditionReady, Status: corev1.ConditionTrue}},
	}
	began := time.Now()
	r.memory.succeed(types.NamespacedName{Name: "app"}, began)
	if turn := r.next(es, true, time.Now()); turn.after <= 0 {
		t.Errorf("before Refresh: %+v", turn)
	}
	trigger.Refresh()
	if turn := r.next(es, true, time.Now()); turn.after > 0 || turn.since != trigger.refreshed() {
		t.Errorf("after Refresh: %+v", turn)
	}
	// A sync that began before the vault changed has not read what it holds now.
	r.memory.succeed(types.NamespacedName{Name: "app"}, began)
	if turn := r.next(es, true, time.Now()); turn.after > 0 {
		t.Errorf("after a sync that began before Refresh: %+v", turn)
	}
	// One that failed meanwhile, or whose Secret is gone, must not have what was read before.
	if turn := r.next(es, false, time.Now()); turn.since != trigger.refreshed() {
		t.Errorf("without its Secret: %+v", turn)
	}
	es.Status.Conditions[0].Status = corev1.ConditionFalse
	if turn := r.next(es, true, time.Now()); turn.since != trigger.refreshed() {
		t.Errorf("after a failure: %+v", turn)
	}
	for range 3 {
		trigger.Poke() // nobody listens, and it does not wait
	}
}

func TestDropOwned(t *testing.T) {
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Labels: map[string]string{"ours": "", "theirs": ""},
			ManagedFields: []metav1.ManagedFieldsEntry{
				{Manager: "us", FieldsV1: metav1.NewFieldsV1(`{"f:data":{".":{},"f:a":{}},"f:metadata":{"f:labels":{"f:ours":{}}}}`)},
				{Manager: "them", FieldsV1: metav1.NewFieldsV1(`{"f:data":{"f:b":{}},"f:metadata":{"f:labels":{"f:theirs":{}}}}`)},
			},
		},
		Data: map[string][]byte{"a": nil, "b": nil},
	}
	dropOwned(secret, "us")
	if diff := cmp.Diff(map[string][]byte{"b": nil}, secret.Data); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]string{"theirs": ""}, secret.Labels); diff != "" {
		t.Error(diff)
	}
}

func TestRefusalCitesNoValue(t *testing.T) {
	invalid := apierrors.NewInvalid(schema.GroupKind{Kind: "Secret"}, "app", field.ErrorList{
		field.Invalid(field.NewPath("metadata", "labels"), "c4n4ry", "c4n4ry is too odd"),
	})
	err := refusal("create", &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "app"}}, invalid)
	if strings.Contains(err.Error(), "c4n4ry") || !strings.Contains(err.Error(), "metadata.labels (FieldValueInvalid)") {
		t.Error(err)
	}
	other := errors.New("connection refused")
	if err := refusal("create", &corev1.Secret{}, other); !errors.Is(err, other) {
		t.Error(err)
	}
}

func TestDecode(t *testing.T) {
	tests := []struct {
		strategy v1.DecodingStrategy
		in, want string
		fails    bool
	}{
		{v1.DecodeNone, "eA==", "eA==", false},
		{"", "eA==", "eA==", false},
		{v1.DecodeBase64, "eA==", "x", false},
		{v1.DecodeBase64, "-_8=", "", true},
		{v1.DecodeBase64URL, "-_8=", "\xfb\xff", false},
		{v1.DecodeAuto, "eA==", "x", false},
		{v1.DecodeAuto, "-_8=", "\xfb\xff", false},
		{v1.DecodeAuto, "plain!", "plain!", false},
	}
	for _, tt := range tests {
		got, err := decode(tt.strategy, "k", []byte(tt.in))
		if string(got) != tt.want || (err != nil) != tt.fails {
			t.Errorf("decode(%s, %s) = %q, %v", tt.strategy, tt.in, got, err)
		}
	}
}

func TestServiceOfAStore(t *testing.T) {
	tests := map[string]types.NamespacedName{
		"http://connect.secrets.svc.cluster.local:8080": {Namespace: "secrets", Name: "connect"},
		"http://connect.secrets.svc":                    {Namespace: "secrets", Name: "connect"},
		"https://connect.secrets":                       {Namespace: "secrets", Name: "connect"},
		"http://connect":                                {Namespace: "here", Name: "connect"},
		"https://connect.example.com":                   {},
		"http://localhost:8080":                         {},
		"http://[":                                      {},
	}
	for host, want := range tests {
		store := &v1.SecretStore{ObjectMeta: metav1.ObjectMeta{Namespace: "here"}}
		store.Spec.Provider = &v1.SecretStoreProvider{OnePassword: &v1.OnePasswordProvider{ConnectHost: host}}
		if got, ok := service(store); got != want || ok != (want.Name != "") {
			t.Errorf("service(%s) = %s, %v", host, got, ok)
		}
	}
}

func TestExplained(t *testing.T) {
	missing := onepassword.NoFieldError{Items: []string{"a"}, Field: "f"}
	if !isMissing(lackingError([]error{&missing, missingError("x"), &missing})) {
		t.Error("joined errors are no longer missing ones")
	}
	if got := lackingError([]error{&missing, &missing}).Error(); strings.Contains(got, "\n") {
		t.Errorf("told twice: %s", got)
	}
}

func TestVersionTakesLabelsAndAnnotationsIntoAccount(t *testing.T) {
	es := &v1.ExternalSecret{}
	seen := map[string]bool{}
	for _, change := range []string{`{}`, `{"annotations":{"a":"b"}}`, `{"labels":{"a":"b"}}`, `{"generation":2}`} {
		es.ObjectMeta = metav1.ObjectMeta{}
		if err := json.Unmarshal([]byte(change), &es.ObjectMeta); err != nil {
			t.Fatal(err)
		}
		seen[version(es)] = true
	}
	if len(seen) != 4 {
		t.Errorf("%d versions of 4", len(seen))
	}
}
