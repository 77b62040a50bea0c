package observe

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	esv1 "hearth/internal/api/externalsecrets/v1"
	"hearth/internal/domain"
)

var connect = domain.Ref{Kind: "ClusterSecretStore", Name: "onepassword-connect"}

// aStore returns the store as External Secrets leaves it after a validation.
func aStore(status corev1.ConditionStatus, message string, at time.Time) Store {
	return Store{Ref: connect, Exists: true, Ready: &esv1.Condition{
		Type: esv1.ConditionReady, Status: status, Message: message, LastTransitionTime: metav1.NewTime(at),
	}}
}

func TestExternalSecretState(t *testing.T) {
	noon := time.Date(2024, 1, 1, 12, 0, 0, 0, time.UTC)
	valid := aStore(corev1.ConditionTrue, "store validated", noon)
	down := aStore(corev1.ConditionFalse, "unable to validate store", noon)
	const failed = `
status:
  conditions:
  - {type: Ready, status: "False", reason: SecretSyncedError, message: 'error processing spec.dataFrom[0].extract, err: key "immich" not found', lastTransitionTime: "2024-01-01T12:00:00Z"}`

	for _, test := range []struct {
		name, object string
		store        Store
		want         standing
	}{
		{
			name: "no store", object: `{}`, store: Store{Ref: connect},
			want: standing{State: domain.SecretPending, Message: "ClusterSecretStore onepassword-connect does not exist"},
		},
		{
			name: "store not validated", object: `{}`, store: Store{Ref: connect, Exists: true},
			want: standing{State: domain.SecretPending, Message: "ClusterSecretStore onepassword-connect has not been validated yet"},
		},
		{
			name: "store down", object: `{}`, store: down,
			want: standing{State: domain.SecretPending, Message: "ClusterSecretStore onepassword-connect is not ready: unable to validate store"},
		},
		{
			name: "store up", object: `{}`, store: valid,
			want: standing{State: domain.SecretSyncing, Message: "not synced yet"},
		},
		{
			name: "generators only", object: `{}`, store: Store{},
			want: standing{State: domain.SecretSyncing, Message: "not synced yet"},
		},
		{
			name: "told to wait for the store", store: down,
			object: `
status:
  conditions:
  - {type: Ready, status: Unknown, reason: SecretStoreNotReady, message: waits, lastTransitionTime: "2024-01-01T12:00:00Z"}`,
			want: standing{State: domain.SecretPending, Message: "ClusterSecretStore onepassword-connect is not ready: unable to validate store"},
		},
		{
			name: "item missing", object: failed, store: valid,
			want: standing{State: domain.SecretFailed, Message: `error processing spec.dataFrom[0].extract, err: key "immich" not found`, Passed: []domain.State{domain.SecretSyncing}},
		},
		{
			name: "failed because the store is down, never synced", object: failed, store: down,
			want: standing{State: domain.SecretPending, Message: `error processing spec.dataFrom[0].extract, err: key "immich" not found`},
		},
		{
			name: "item missing, and the store went down later", object: failed, store: aStore(corev1.ConditionFalse, "down", noon.Add(time.Minute)),
			want: standing{State: domain.SecretFailed, Message: `error processing spec.dataFrom[0].extract, err: key "immich" not found`, Passed: []domain.State{domain.SecretSyncing}},
		},
		{
			name: "synced before, store down now", store: down,
			object: `
status:
  refreshTime: "2024-01-01T00:00:00Z"
  conditions:
  - {type: Ready, status: "False", reason: SecretSyncedError, message: could not get secret data from provider, lastTransitionTime: "2024-01-01T12:00:00Z"}`,
			want: standing{State: domain.SecretFailed, Message: "could not get secret data from provider", Passed: []domain.State{domain.SecretSyncing}},
		},
		{
			name: "ready", store: valid,
			object: `
metadata: {generation: 2}
status:
  refreshTime: "2024-01-01T00:00:00Z"
  syncedResourceVersion: 2-6f0d2c
  binding: {name: immich-secret}
  conditions:
  - {type: Ready, status: "True", reason: SecretSynced, message: secret synced, lastTransitionTime: "2024-01-01T12:00:00Z"}`,
			want: standing{State: domain.SecretReady, Message: "secret synced", Ready: true},
		},
		{
			name: "ready, changed since", store: valid,
			object: `
metadata: {generation: 3}
status:
  refreshTime: "2024-01-01T00:00:00Z"
  syncedResourceVersion: 2-6f0d2c
  conditions:
  - {type: Ready, status: "True", reason: SecretSynced, message: secret synced, lastTransitionTime: "2024-01-01T12:00:00Z"}`,
			want: standing{State: domain.SecretRefreshing, Message: "its spec has changed and waits to be synced", Ready: true},
		},
		{
			name: "deleted", object: `metadata: {deletionTimestamp: "2024-01-01T00:00:00Z"}`, store: valid,
			want: standing{State: domain.SecretDeleting},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := read[esv1.ExternalSecret](t, test.object)
			if diff := cmp.Diff(test.want, exposed(ExternalSecretState(e, test.store))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestStoreOf(t *testing.T) {
	e := &esv1.ExternalSecret{}
	e.Namespace = "media"
	if got := StoreOf(e); got != (domain.Ref{}) {
		t.Errorf("without a reference: %s", got)
	}
	e.Spec.SecretStoreRef = esv1.SecretStoreRef{Name: "vault"}
	if got, want := StoreOf(e), (domain.Ref{Kind: "SecretStore", Namespace: "media", Name: "vault"}); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	e.Spec.SecretStoreRef = esv1.SecretStoreRef{Kind: "ClusterSecretStore", Name: "onepassword-connect"}
	if got := StoreOf(e); got != connect {
		t.Errorf("got %s, want %s", got, connect)
	}
}
