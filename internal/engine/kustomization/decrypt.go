package kustomization

import (
	"context"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"hearth/internal/render/kustomize"
	"hearth/internal/render/sops"
)

// sopsProvider is the only one that spec.decryption knows.
const sopsProvider = "sops"

// decrypter reads the keys that spec.decryption names; nil decrypts nothing.
func (w *walk) decrypter(ctx context.Context) (kustomize.Decrypter, error) {
	spec := w.obj.Spec.Decryption
	if spec == nil || spec.Provider != sopsProvider {
		return nil, nil
	}
	d := &sops.Build{Keys: &sops.Keys{}, Hide: w.hide}
	if spec.SecretRef == nil {
		return d, nil // what needs a key says so
	}
	name := types.NamespacedName{Namespace: w.key.Namespace, Name: spec.SecretRef.Name}
	var secret corev1.Secret
	err := w.client.Get(ctx, name, &secret)
	if apierrors.IsNotFound(err) {
		err = at(fmt.Errorf("decryption Secret '%s' not found", name), w.place("spec", "decryption", "secretRef"))
		if w.o.LateKeys {
			d.Missing = err
			return d, nil
		}
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("cannot get the decryption Secret '%s': %w", name, err)
	}
	for _, entry := range slices.Sorted(maps.Keys(secret.Data)) {
		if err := d.Keys.Add(entry, secret.Data[entry]); err != nil {
			return nil, fmt.Errorf("import the keys of the decryption Secret '%s': %w", name, err)
		}
	}
	return d, nil
}

// hide keeps values out of messages, the longest first, so that no part of one
// stays behind where it contains another.
func (w *walk) hide(values []string) {
	for _, value := range values {
		if value != "" {
			w.secrets = append(w.secrets, value)
		}
	}
	slices.SortFunc(w.secrets, func(a, b string) int { return len(b) - len(a) })
}
