package externalsecret

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "hearth/internal/api/externalsecrets/v1"
	"hearth/internal/api/externalsecrets/v1alpha1"
	"hearth/internal/onepassword"
)

// writer is a provider that takes values, too. What is there already as it
// should be is not written again.
type writer interface {
	// push writes a value, or a whole Secret where the push names no key.
	push(ctx context.Context, p push) error
	// exists reports whether a place holds something.
	exists(ctx context.Context, at v1alpha1.PushSecretRemoteRef) (bool, error)
	// remove empties a place; one that is empty is no error.
	remove(ctx context.Context, at v1alpha1.PushSecretRemoteRef) error
}

// push is one value on its way to a store.
type push struct {
	data   v1alpha1.PushSecretData
	value  []byte         // of the key, or the whole Secret as JSON
	secret *corev1.Secret // that it comes from
}

// asWriter returns the writing side of a provider.
func asWriter(p provider) (writer, bool) {
	if r, ok := p.(*retrying); ok {
		p = r.provider
	}
	w, ok := p.(writer)
	return w, ok && p.capabilities() != v1.ReadOnly
}

func (p *fakeProvider) push(_ context.Context, v push) error {
	return p.pushed.set(v.data.Match.RemoteRef.RemoteKey, v.value)
}

func (p *fakeProvider) exists(_ context.Context, at v1alpha1.PushSecretRemoteRef) (bool, error) {
	_, err := p.text(v1.RemoteRef{Key: at.RemoteKey})
	return err == nil, nil
}

func (p *fakeProvider) remove(_ context.Context, at v1alpha1.PushSecretRemoteRef) error {
	p.pushed.delete(at.RemoteKey)
	return nil
}

// push writes a field of an item, which is made if there is none.
func (p *connectProvider) push(ctx context.Context, v push) error {
	if err := p.reachable(ctx); err != nil {
		return err
	}
	at := v.data.Match.RemoteRef
	field := onepassword.Field{Label: fieldLabel(at), Type: "CONCEALED", Value: onepassword.NewValue(string(v.value))}
	item, err := p.client.Item(ctx, at.RemoteKey, time.Now())
	var none *onepassword.NoItemError
	switch {
	case errors.As(err, &none):
		_, err = p.client.Create(ctx, "", onepassword.Item{Title: at.RemoteKey, Category: "API_CREDENTIAL", Fields: []onepassword.Field{field}})
	case err == nil:
		_, err = p.client.Change(ctx, item, onepassword.Change{Set: []onepassword.Field{field}})
	}
	return err
}

func fieldLabel(at v1alpha1.PushSecretRemoteRef) string {
	if at.Property == "" {
		return onepassword.DefaultField
	}
	return at.Property
}

func (p *connectProvider) exists(ctx context.Context, at v1alpha1.PushSecretRemoteRef) (bool, error) {
	item, err := p.item(ctx, at.RemoteKey, time.Now())
	if err != nil {
		if isMissing(err) {
			return false, nil
		}
		return false, err
	}
	_, err = item.Lookup(fieldLabel(at))
	return err == nil, nil
}

// remove takes a field out of its item, and the item with its last field.
func (p *connectProvider) remove(ctx context.Context, at v1alpha1.PushSecretRemoteRef) error {
	item, err := p.item(ctx, at.RemoteKey, time.Now())
	if err != nil {
		if isMissing(err) {
			return nil
		}
		return err
	}
	label, others := fieldLabel(at), len(item.Files)
	for _, f := range item.Fields {
		if f.Label != label && f.Value.Reveal() != "" {
			others++
		}
	}
	if others == 0 {
		return p.client.Delete(ctx, item)
	}
	_, err = p.client.Change(ctx, item, onepassword.Change{Remove: []string{label}})
	return err
}

// secretMetadata is what a push to a cluster may say of the Secret's metadata.
type secretMetadata struct {
	Spec struct {
		Labels            map[string]string `json:"labels"`
		Annotations       map[string]string `json:"annotations"`
		SourceMergePolicy string            `json:"sourceMergePolicy"`
		TargetMergePolicy string            `json:"targetMergePolicy"`
		RemoteNamespace   string            `json:"remoteNamespace"`
	} `json:"spec"`
}

// target returns where a push leads to, and what is said of its metadata.
func (p *clusterProvider) target(data v1alpha1.PushSecretData) (types.NamespacedName, *secretMetadata, error) {
	name := types.NamespacedName{Namespace: p.namespace, Name: data.Match.RemoteRef.RemoteKey}
	said := &secretMetadata{}
	if data.Metadata != nil && json.Unmarshal(data.Metadata.Raw, said) != nil {
		return name, nil, errors.New("metadata is no PushSecretMetadata of kubernetes.external-secrets.io")
	}
	if said.Spec.RemoteNamespace != "" {
		if !p.global {
			return name, nil, errors.New("metadata.spec.remoteNamespace needs a ClusterSecretStore")
		}
		name.Namespace = said.Spec.RemoteNamespace
	}
	return name, said, nil
}

// push writes a key of a Secret, or all of it.
func (p *clusterProvider) push(ctx context.Context, v push) error {
	if v.data.Match.RemoteRef.Property == "" && v.data.Match.SecretKey != "" {
		return errors.New("remoteRef has no property, which is the key of the Secret to write")
	}
	name, said, err := p.target(v.data)
	if err != nil {
		return err
	}
	secret := &corev1.Secret{}
	err = p.live.Get(ctx, name, secret)
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("read the Secret %s: %w", name, err)
	}
	isNew := err != nil
	before := secret.DeepCopy()
	if isNew {
		secret.ObjectMeta = metav1.ObjectMeta{Namespace: name.Namespace, Name: name.Name}
		secret.Type = v.secret.Type
	}
	secret.Labels = mergedMetadata(secret.Labels, v.secret.Labels, said.Spec.Labels, said)
	secret.Annotations = mergedMetadata(secret.Annotations, withoutOwn(v.secret.Annotations), said.Spec.Annotations, said)
	switch property := v.data.Match.RemoteRef.Property; {
	case property == "":
		secret.Data = maps.Clone(v.secret.Data)
	case secret.Data == nil:
		secret.Data = map[string][]byte{property: v.value}
	default:
		secret.Data[property] = v.value
	}
	switch {
	case isNew:
		err = p.client.Create(ctx, secret, client.FieldOwner(fieldManager))
	case !equality.Semantic.DeepEqual(before, secret):
		err = p.client.Update(ctx, secret, client.FieldOwner(fieldManager))
	}
	if err != nil {
		return refusal("write", secret, err)
	}
	return nil
}

// withoutOwn leaves out what only says things of the Secret that a push comes from.
func withoutOwn(annotations map[string]string) map[string]string {
	out := maps.Clone(annotations)
	delete(out, corev1.LastAppliedConfigAnnotation)
	delete(out, dataHashAnnotation)
	return out
}

// mergedMetadata joins what the target has, what the source has and what the
// push says, in the order in which later ones win.
func mergedMetadata(target, source, said map[string]string, policy *secretMetadata) map[string]string {
	if policy.Spec.SourceMergePolicy == "Replace" {
		source = nil
	}
	more := joined(source, said)
	switch policy.Spec.TargetMergePolicy {
	case "Replace":
		return more
	case "Ignore":
		return target
	}
	return joined(target, more)
}

func (p *clusterProvider) exists(ctx context.Context, at v1alpha1.PushSecretRemoteRef) (bool, error) {
	var secret corev1.Secret
	err := p.live.Get(ctx, types.NamespacedName{Namespace: p.namespace, Name: at.RemoteKey}, &secret)
	if err != nil {
		return false, client.IgnoreNotFound(err)
	}
	_, has := secret.Data[at.Property]
	return has || at.Property == "", nil
}

// remove takes a key out of a Secret, and the Secret with its last key.
func (p *clusterProvider) remove(ctx context.Context, at v1alpha1.PushSecretRemoteRef) error {
	secret := &corev1.Secret{}
	err := p.live.Get(ctx, types.NamespacedName{Namespace: p.namespace, Name: at.RemoteKey}, secret)
	if err != nil {
		return client.IgnoreNotFound(err)
	}
	_, has := secret.Data[at.Property]
	switch {
	case at.Property != "" && !has:
		return nil
	case at.Property != "" && len(secret.Data) > 1:
		delete(secret.Data, at.Property)
		err = p.client.Update(ctx, secret, client.FieldOwner(fieldManager))
	default:
		err = p.client.Delete(ctx, secret, client.Preconditions{UID: &secret.UID, ResourceVersion: &secret.ResourceVersion})
	}
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
