package externalsecret

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"hearth/internal/api/externalsecrets/keys"
	v1 "hearth/internal/api/externalsecrets/v1"
	"hearth/internal/api/externalsecrets/v1alpha1"
)

// push writes all values to all stores, and returns what stands there.
func (p *pusher) push(ctx context.Context, ps *v1alpha1.PushSecret, sources []*corev1.Secret) (written, error) {
	out := written{}
	sources, err := p.templated(ctx, ps, sources)
	if err != nil {
		return out, err
	}
	for _, ref := range ps.Spec.SecretStoreRefs {
		stores, err := p.stores(ctx, ps, ref)
		if err != nil {
			return out, err
		}
		for _, store := range stores {
			if err := p.pushTo(ctx, ps, store, sources, out); err != nil {
				return out, fmt.Errorf("set secret failed: %w", err)
			}
		}
	}
	if ps.Spec.DeletionPolicy != v1alpha1.DeletionDelete {
		return out, nil
	}
	if err := p.clear(ctx, ps, out); err != nil {
		return out, fmt.Errorf("%s: %w", messageNotCleared, err)
	}
	return out, nil
}

// stores returns the stores that a reference names or selects, by name.
func (p *pusher) stores(ctx context.Context, ps *v1alpha1.PushSecret, ref v1alpha1.PushSecretStoreRef) ([]storeObject, error) {
	kind := cmp.Or(ref.Kind, v1.SecretStoreKind)
	if ref.LabelSelector == nil {
		store, err := getStore(ctx, p.client, keyOfRef(v1.SecretStoreRef{Kind: kind, Name: ref.Name}, ps.Namespace))
		if err != nil {
			return nil, fmt.Errorf("could not get %s %q, %w", kind, ref.Name, err)
		}
		return []storeObject{store}, nil
	}
	selector, err := metav1.LabelSelectorAsSelector(ref.LabelSelector)
	if err != nil {
		return nil, fmt.Errorf("spec.secretStoreRefs.labelSelector: %w", err)
	}
	var out []storeObject
	for _, store := range listStores(ctx, p.client, kind) {
		if (store.GetNamespace() == "" || store.GetNamespace() == ps.Namespace) && selector.Matches(labels.Set(store.GetLabels())) {
			out = append(out, store)
		}
	}
	slices.SortFunc(out, func(a, b storeObject) int { return cmp.Compare(a.GetName(), b.GetName()) })
	return out, nil
}

// writerOf opens a store for writing.
func (p *pusher) writerOf(ctx context.Context, ps *v1alpha1.PushSecret, key storeKey) (writer, error) {
	if why, err := p.notReady(ctx, key); err != nil || why != "" {
		return nil, cmp.Or(err, errors.New(why))
	}
	store, err := getStore(ctx, p.client, key)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", key, err)
	}
	if err := p.admitted(ctx, ps.Namespace, store); err != nil {
		return nil, err
	}
	opened, err := p.providers.open(ctx, store)
	if err != nil {
		return nil, err
	}
	w, ok := asWriter(opened)
	if !ok {
		return nil, fmt.Errorf("%s can only be read from", key)
	}
	return w, nil
}

// pushTo writes the values to one store.
func (p *pusher) pushTo(ctx context.Context, ps *v1alpha1.PushSecret, store storeObject, sources []*corev1.Secret, out written) error {
	key := keyOf(store)
	w, err := p.writerOf(ctx, ps, key)
	if err != nil {
		return err
	}
	id := key.kind + "/" + key.name
	for _, secret := range sources {
		pushes, err := pushesOf(ctx, ps, store, secret)
		if err != nil {
			return err
		}
		for _, push := range pushes {
			place := placeOf(push.data.Match.RemoteRef)
			if err := p.pushOne(ctx, ps, w, push); err != nil {
				return fmt.Errorf("could not write remote ref %s to target secretstore %s: %w", place, key.name, err)
			}
			out.add(id, place, push.data)
		}
	}
	return nil
}

func (p *pusher) pushOne(ctx context.Context, ps *v1alpha1.PushSecret, w writer, v push) error {
	if ps.Spec.UpdatePolicy == v1alpha1.UpdateIfNotExists {
		if there, err := w.exists(ctx, v.data.Match.RemoteRef); there || err != nil {
			return err
		}
	}
	return w.push(ctx, v)
}

// pushesOf returns what of a Secret goes to a store: what dataTo selects, and
// what data names, which wins where both mean the same place.
func pushesOf(ctx context.Context, ps *v1alpha1.PushSecret, store storeObject, secret *corev1.Secret) ([]push, error) {
	places := map[string]push{}
	for i, to := range ps.Spec.DataTo {
		ok, err := leadsTo(to.StoreRef, store)
		if err != nil {
			return nil, fmt.Errorf("dataTo[%d]: %w", i, err)
		}
		if !ok {
			continue
		}
		selected, err := selectKeys(ctx, to, secret)
		if err != nil {
			return nil, fmt.Errorf("dataTo[%d]: %w", i, err)
		}
		for _, s := range selected {
			places[placeOf(s.data.Match.RemoteRef)] = s
		}
	}
	for i, data := range ps.Spec.Data {
		value, err := valueOf(data, secret)
		if err != nil {
			return nil, fmt.Errorf("data[%d]: %w", i, err)
		}
		places[placeOf(data.Match.RemoteRef)] = push{data, value, secret}
	}
	var out []push
	for _, place := range slices.Sorted(maps.Keys(places)) {
		out = append(out, places[place])
	}
	return out, nil
}

// leadsTo reports whether a reference means a store.
func leadsTo(ref *v1alpha1.PushSecretStoreRef, store storeObject) (bool, error) {
	if ref == nil || cmp.Or(ref.Kind, v1.SecretStoreKind) != keyOf(store).kind {
		return false, nil
	}
	if ref.LabelSelector == nil {
		return ref.Name == store.GetName(), nil
	}
	selector, err := metav1.LabelSelectorAsSelector(ref.LabelSelector)
	if err != nil {
		return false, fmt.Errorf("storeRef.labelSelector: %w", err)
	}
	return selector.Matches(labels.Set(store.GetLabels())), nil
}

// selectKeys returns the keys of a Secret that match, each under its new name.
func selectKeys(ctx context.Context, to v1alpha1.PushSecretDataTo, secret *corev1.Secret) ([]push, error) {
	keep, err := regexp.Compile("")
	if to.Match != nil {
		keep, err = regexp.Compile(to.Match.RegExp)
	}
	if err != nil {
		return nil, fmt.Errorf("match.regexp is no regular expression: %w", err)
	}
	var steps []v1.Rewrite
	for _, step := range to.Rewrite {
		steps = append(steps, v1.Rewrite{Regexp: step.Regexp, Transform: step.Transform})
	}
	var out []push
	from := map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(secret.Data)) {
		name := converted(to.ConversionStrategy, key)
		if !keep.MatchString(name) {
			continue
		}
		renamed, err := keys.Rename(ctx, steps, name)
		if err != nil {
			return nil, err
		}
		if other, twice := from[renamed]; twice {
			return nil, fmt.Errorf("the keys %q and %q both become %q: rewrite one of them", other, key, renamed)
		}
		from[renamed] = key
		out = append(out, push{
			data: v1alpha1.PushSecretData{
				Match:    v1alpha1.PushSecretMatch{SecretKey: key, RemoteRef: v1alpha1.PushSecretRemoteRef{RemoteKey: renamed}},
				Metadata: to.Metadata, ConversionStrategy: to.ConversionStrategy,
			},
			value: secret.Data[key], secret: secret,
		})
	}
	return out, nil
}

// valueOf returns the value of a key, or the whole Secret as JSON.
func valueOf(data v1alpha1.PushSecretData, secret *corev1.Secret) ([]byte, error) {
	wanted := data.Match.SecretKey
	if wanted == "" {
		renamed := make(map[string][]byte, len(secret.Data))
		for key, value := range secret.Data {
			renamed[converted(data.ConversionStrategy, key)] = value
		}
		return textJSON(renamed)
	}
	if value, ok := secret.Data[wanted]; ok {
		return value, nil
	}
	for _, key := range slices.Sorted(maps.Keys(secret.Data)) {
		if converted(data.ConversionStrategy, key) == wanted {
			return secret.Data[key], nil
		}
	}
	return nil, fmt.Errorf("secret key %s does not exist", wanted)
}

// unicodeMark is a character as the conversion strategy Unicode writes it.
var unicodeMark = regexp.MustCompile(`_U([0-9A-Fa-f]{4,6})_`)

// converted returns what a key is called in a store.
func converted(strategy v1alpha1.ConversionStrategy, key string) string {
	if strategy != v1alpha1.ConversionReverseUnicode {
		return key
	}
	return unicodeMark.ReplaceAllStringFunc(key, func(mark string) string {
		code, err := strconv.ParseUint(unicodeMark.FindStringSubmatch(mark)[1], 16, 32)
		if err != nil || !utf8.ValidRune(rune(code)) {
			return mark
		}
		return string(rune(code))
	})
}

// templated returns the sources as the template, if there is one, makes them.
func (p *pusher) templated(ctx context.Context, ps *v1alpha1.PushSecret, sources []*corev1.Secret) ([]*corev1.Secret, error) {
	if ref := ps.Spec.Selector.GeneratorRef; ref != nil {
		values, err := generate(ctx, p.live, ps.Namespace, *ref)
		if err != nil {
			return nil, err
		}
		sources = []*corev1.Secret{{ObjectMeta: metav1.ObjectMeta{Namespace: ps.Namespace, Name: ref.Name}, Type: corev1.SecretTypeOpaque, Data: values}}
	}
	if ps.Spec.Template == nil {
		return sources, nil
	}
	form := &v1.ExternalSecret{ObjectMeta: metav1.ObjectMeta{Namespace: ps.Namespace, Name: ps.Name}}
	form.Spec.Target.Template = ps.Spec.Template
	var out []*corev1.Secret
	for _, s := range sources {
		made, err := p.render(ctx, form, s.Data)
		if err != nil {
			return nil, fmt.Errorf("the template cannot be applied to the Secret %s: %w", s.Name, err)
		}
		s = s.DeepCopy()
		s.Data, s.Labels, s.Annotations = made.data, joined(s.Labels, made.labels), joined(s.Annotations, made.annotations)
		s.Type = cmp.Or(made.secretType, s.Type)
		out = append(out, s)
	}
	return out, nil
}
