package externalsecret

import (
	"crypto/sha3"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "hearth/internal/api/externalsecrets/v1"
)

// mutate makes a Secret what an ExternalSecret wants of it. What others put
// there stays: labels and annotations always, keys where the policy is Merge.
func mutate(secret *corev1.Secret, es *v1.ExternalSecret, made *rendering) error {
	merge := es.Spec.Target.CreationPolicy == v1.CreateMerge
	if !merge || secret.Data == nil {
		data := map[string][]byte{}
		if merge {
			maps.Copy(data, secret.Data)
		}
		secret.Data = data
	}
	maps.Copy(secret.Data, made.data)
	secret.Labels = joined(secret.Labels, made.labels)
	secret.Annotations = joined(secret.Annotations, made.annotations)
	secret.Annotations[dataHashAnnotation] = hash(secret.Data)
	for _, finalizer := range made.finalizers {
		if !slices.Contains(secret.Finalizers, finalizer) {
			secret.Finalizers = append(secret.Finalizers, finalizer)
		}
	}
	if made.secretType != "" {
		secret.Type = made.secretType
	} else if secret.Type == "" {
		secret.Type = corev1.SecretTypeOpaque
	}
	if merge {
		return nil
	}
	secret.Labels[managedLabel] = "true"
	if es.Spec.Target.Immutable {
		immutable := true
		secret.Immutable = &immutable
	}
	if es.Spec.Target.CreationPolicy == v1.CreateOrphan {
		disown(secret, es)
		return nil
	}
	return own(secret, es)
}

// own makes the ExternalSecret the Secret's owner.
func own(secret *corev1.Secret, es *v1.ExternalSecret) error {
	secret.Labels[createdByLabel] = ownerHash(es)
	if metav1.IsControlledBy(secret, es) {
		return nil
	}
	if owner := metav1.GetControllerOf(secret); owner != nil {
		if owner.Kind == v1.ExternalSecretKind {
			return fmt.Errorf("the Secret %s is owned by another ExternalSecret, %s", secret.Name, owner.Name)
		}
		return fmt.Errorf("could not become the owner of the Secret %s, which is %s %s's", secret.Name, owner.Kind, owner.Name)
	}
	secret.OwnerReferences = append(secret.OwnerReferences,
		*metav1.NewControllerRef(es, v1.GroupVersion.WithKind(v1.ExternalSecretKind)))
	return nil
}

// disown leaves the Secret to nobody, if it was the ExternalSecret's.
func disown(secret *corev1.Secret, es *v1.ExternalSecret) {
	delete(secret.Labels, createdByLabel)
	secret.OwnerReferences = slices.DeleteFunc(secret.OwnerReferences, func(o metav1.OwnerReference) bool { return o.UID == es.UID })
}

// ownerHash identifies an ExternalSecret in a label, which may be shorter than
// its name.
func ownerHash(es *v1.ExternalSecret) string {
	return fmt.Sprintf("%x", sha3.Sum224([]byte(es.Namespace+"/"+es.Name)))
}

func joined(old, more map[string]string) map[string]string {
	out := maps.Clone(old)
	if out == nil {
		out = map[string]string{}
	}
	maps.Copy(out, more)
	return out
}

// dropOwned takes away what a field manager wrote: keys, labels and
// annotations that are still wanted are put back by mutate.
func dropOwned(secret *corev1.Secret, manager string) {
	for _, entry := range secret.ManagedFields {
		if entry.Manager != manager || entry.FieldsV1 == nil {
			continue
		}
		var owned struct {
			Data     map[string]json.RawMessage `json:"f:data"`
			Metadata struct {
				Labels      map[string]json.RawMessage `json:"f:labels"`
				Annotations map[string]json.RawMessage `json:"f:annotations"`
			} `json:"f:metadata"`
		}
		if json.Unmarshal(entry.FieldsV1.GetRawBytes(), &owned) != nil {
			continue
		}
		drop(secret.Data, owned.Data)
		drop(secret.Labels, owned.Metadata.Labels)
		drop(secret.Annotations, owned.Metadata.Annotations)
	}
}

// drop removes the keys that a set of managed fields lists as "f:key".
func drop[V any](from map[string]V, fields map[string]json.RawMessage) {
	for field := range fields {
		if len(field) > 2 && field[:2] == "f:" {
			delete(from, field[2:])
		}
	}
}
