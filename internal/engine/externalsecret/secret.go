package externalsecret

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/api/externalsecrets/keys"
	v1 "hearth/internal/api/externalsecrets/v1"
)

// What External Secrets Operator marks its Secrets with.
const (
	createdByLabel     = "reconcile.external-secrets.io/created-by"
	managedLabel       = "reconcile.external-secrets.io/managed"
	dataHashAnnotation = "reconcile.external-secrets.io/data-hash"
)

// outcome is what a sync came to.
type outcome struct {
	reason  string
	message string
	event   string // of the Secret: Created, Updated, Deleted; empty if it was not touched
	told    string // what the event says, if not that of a Secret
}

// messages, as External Secrets Operator writes them.
const (
	messageSynced   = "secret synced"
	messageRetained = "secret retained due to DeletionPolicy=Retain"
	messageDeleted  = "secret deleted due to DeletionPolicy=Delete"
	messageMissing  = "secret will not be created due to CreationPolicy=Merge"
)

func keptWithoutData(c *v1.Condition) bool { return c.Message == messageRetained }

var synced = outcome{reason: v1.ReasonSecretSynced, message: messageSynced}

// existing returns the Secret of an ExternalSecret, or nil.
func (r *reconciler) existing(ctx context.Context, from client.Reader, es *v1.ExternalSecret) (*corev1.Secret, error) {
	secret := &corev1.Secret{}
	err := from.Get(ctx, types.NamespacedName{Namespace: es.Namespace, Name: es.TargetName()}, secret)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the Secret %s/%s: %w", es.Namespace, es.TargetName(), err)
	}
	return secret, nil
}

// write brings the Secret to what was read.
func (r *reconciler) write(ctx context.Context, es *v1.ExternalSecret, read map[string][]byte) (outcome, error) {
	if len(read) == 0 && es.Spec.Target.DeletionPolicy != v1.DeletionMerge {
		return r.writeNothing(ctx, es)
	}
	made, err := r.render(ctx, es, read)
	if err != nil {
		return outcome{}, explained(ctx, es, err)
	}
	if err := check(made.data); err != nil {
		return outcome{}, err
	}
	if es.Spec.Target.CreationPolicy == v1.CreateNone {
		return synced, nil
	}
	// The cache does for finding that nothing changed; it knows nothing of who
	// wrote what, so that a write starts from what the server has.
	cached, err := r.existing(ctx, r.client, es)
	if err != nil {
		return outcome{}, err
	}
	if cached != nil && es.Status.SyncedResourceVersion == version(es) {
		same := cached.DeepCopy()
		if mutate(same, es, made) == nil && equality.Semantic.DeepEqual(cached, same) {
			return synced, nil
		}
	}
	if cached == nil {
		if o, err := r.create(ctx, es, made); !apierrors.IsAlreadyExists(err) {
			return o, err
		}
	}
	live, err := r.existing(ctx, r.live, es)
	if err != nil {
		return outcome{}, err
	}
	if live == nil {
		return r.create(ctx, es, made)
	}
	return r.update(ctx, es, live, made)
}

// writeNothing is what happens to the Secret when the stores have no value.
func (r *reconciler) writeNothing(ctx context.Context, es *v1.ExternalSecret) (outcome, error) {
	if es.Spec.Target.DeletionPolicy != v1.DeletionDelete {
		return outcome{reason: v1.ReasonSecretSynced, message: messageRetained}, nil
	}
	done := outcome{reason: v1.ReasonSecretDeleted, message: messageDeleted}
	if p := es.Spec.Target.CreationPolicy; p != v1.CreateOwner && p != "" {
		return outcome{}, errors.New("deletionPolicy Delete needs creationPolicy Owner: the Secret is not deleted")
	}
	live, err := r.existing(ctx, r.live, es)
	if err != nil || live == nil {
		return done, err
	}
	if !metav1.IsControlledBy(live, es) {
		return outcome{}, fmt.Errorf("the Secret %s is not this ExternalSecret's own: it is not deleted", live.Name)
	}
	err = r.client.Delete(ctx, live, client.Preconditions{UID: &live.UID, ResourceVersion: &live.ResourceVersion})
	if client.IgnoreNotFound(err) != nil {
		return outcome{}, fmt.Errorf("delete the Secret %s: %w", live.Name, err)
	}
	done.event = "Deleted"
	return done, nil
}

// check finds what the API server would refuse.
func check(data map[string][]byte) error {
	size := 0
	for _, key := range slices.Sorted(maps.Keys(data)) {
		if !keys.Valid(key) {
			return fmt.Errorf("%q cannot be a key of a Secret", key)
		}
		size += len(data[key])
	}
	if size > corev1.MaxSecretSize {
		return fmt.Errorf("the Secret would hold %d bytes, more than the %d that a Secret may", size, corev1.MaxSecretSize)
	}
	return nil
}

func (r *reconciler) create(ctx context.Context, es *v1.ExternalSecret, made *rendering) (outcome, error) {
	if es.Spec.Target.CreationPolicy == v1.CreateMerge {
		return outcome{reason: v1.ReasonSecretMissing, message: messageMissing}, nil
	}
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: es.Namespace, Name: es.TargetName()}}
	if err := mutate(secret, es, made); err != nil {
		return outcome{}, err
	}
	if err := r.client.Create(ctx, secret, client.FieldOwner(managerOf(es))); err != nil {
		return outcome{}, refusal("create", secret, err)
	}
	done := synced
	done.event = "Created"
	return done, nil
}

func (r *reconciler) update(ctx context.Context, es *v1.ExternalSecret, live *corev1.Secret, made *rendering) (outcome, error) {
	before := live.DeepCopy()
	dropOwned(live, managerOf(es))
	if err := mutate(live, es, made); err != nil {
		return outcome{}, err
	}
	if equality.Semantic.DeepEqual(before, live) {
		return synced, nil
	}
	if before.Immutable != nil && *before.Immutable {
		if maps.EqualFunc(before.Data, live.Data, bytes.Equal) && before.Type == live.Type {
			live.Immutable = before.Immutable
		} else {
			return outcome{}, errors.New("could not update secret, target is immutable: delete the Secret " + live.Name + " to have it made anew")
		}
	}
	if err := r.client.Update(ctx, live, client.FieldOwner(managerOf(es))); err != nil {
		return outcome{}, refusal("update", live, err)
	}
	done := synced
	done.event = "Updated"
	return done, nil
}

// managerOf is how the API server records what an ExternalSecret wrote.
func managerOf(es *v1.ExternalSecret) string {
	const longest = 128 // of a field manager's name
	name := fieldManager + "/" + es.Name
	return name[:min(len(name), longest)]
}

// refusal tells a refused write. Of an invalid object it names the fields only:
// the rest of the server's message may cite what is in them.
func refusal(verb string, obj client.Object, err error) error {
	var status apierrors.APIStatus
	if apierrors.IsBadRequest(err) {
		return fmt.Errorf("%s %s: the API server cannot read it: a field has a value of another type than it should", verb, nameOf(obj))
	}
	if !apierrors.IsInvalid(err) || !errors.As(err, &status) || status.Status().Details == nil {
		return fmt.Errorf("%s %s: %w", verb, nameOf(obj), err)
	}
	var fields []string
	for _, cause := range status.Status().Details.Causes {
		fields = append(fields, fmt.Sprintf("%s (%s)", cause.Field, cause.Type))
	}
	return fmt.Errorf("%s %s: the API server refuses %s", verb, nameOf(obj), strings.Join(fields, ", "))
}
