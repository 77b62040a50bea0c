package externalsecret

import (
	"crypto/sha3"
	"encoding/json"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "hearth/internal/api/externalsecrets/v1"
	"hearth/internal/domain"
)

// turn says when an ExternalSecret is to be synced next: never by itself,
// after a wait, or now (zero wait) with items no older than since, nor than the
// round that it is part of.
type turn struct {
	never bool
	after time.Duration
	since time.Time
}

// next decides on the turn of an ExternalSecret; whole says that what it made
// still is what the last sync left.
func (r *reconciler) next(es *v1.ExternalSecret, whole bool, now time.Time) turn {
	known, asked := r.memory.about(client.ObjectKeyFromObject(es)), r.o.Trigger.refreshed()
	switch {
	case !v1.IsReady(es.Status.Conditions):
		return turn{since: later(known.failed, asked)}
	case !whole:
		return turn{since: asked}
	case es.Spec.RefreshPolicy == v1.RefreshCreatedOnce:
		return turn{never: true}
	case es.Status.SyncedResourceVersion != version(es):
		return turn{since: now}
	}
	synced := known.synced
	if synced.IsZero() {
		synced = es.Status.RefreshTime.Time
	}
	if synced.Before(asked) {
		return turn{since: asked}
	}
	interval := refreshInterval(es)
	if es.Spec.RefreshPolicy == v1.RefreshOnChange || interval <= 0 {
		return turn{never: true}
	}
	due := es.Status.RefreshTime.Add(interval + r.jitter(es, interval))
	if wait := due.Sub(now); wait > 0 {
		return turn{after: wait}
	}
	return turn{since: now.Add(-interval / 2)}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// defaultInterval is the API's own, for objects that came without one.
const defaultInterval = time.Hour

func refreshInterval(es *v1.ExternalSecret) time.Duration {
	if es.Spec.RefreshInterval == nil {
		return defaultInterval
	}
	return es.Spec.RefreshInterval.Duration
}

// jitter spreads refreshes by up to a minute, or a tenth of short intervals,
// by the seed.
func (r *reconciler) jitter(es *v1.ExternalSecret, interval time.Duration) time.Duration {
	spread := domain.Range{Max: min(domain.SecretRefreshJitter, interval/10)}
	return spread.Draw(r.o.Seed, "refresh/"+es.Namespace+"/"+es.Name)
}

// version identifies what of an ExternalSecret a sync takes into account: its
// generation, and its labels and annotations by a hash.
func version(es *v1.ExternalSecret) string {
	return fmt.Sprintf("%d-%s", es.Generation, hash(struct {
		Annotations, Labels map[string]string
	}{es.Annotations, es.Labels}))
}

// hash returns a digest of a value that has a JSON form.
func hash(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		panic("hashing: " + err.Error()) // texts and bytes always have one
	}
	return fmt.Sprintf("%x", sha3.Sum224(data))
}

// intact reports whether a Secret still is what the last sync left.
func intact(es *v1.ExternalSecret, existing *corev1.Secret) bool {
	c := v1.GetCondition(es.Status.Conditions, v1.ConditionReady)
	if es.Spec.Target.CreationPolicy == v1.CreateNone || c != nil && (c.Reason == v1.ReasonSecretDeleted || keptWithoutData(c)) {
		return true
	}
	if c != nil && c.Reason == v1.ReasonSecretMissing {
		return existing == nil
	}
	return existing != nil && existing.Annotations[dataHashAnnotation] == hash(existing.Data)
}

// statusTime is the time that statuses carry.
func statusTime() metav1.Time { return metav1.NewTime(time.Now().Truncate(time.Second)) }
