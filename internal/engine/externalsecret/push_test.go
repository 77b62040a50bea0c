package externalsecret

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "hearth/internal/api/externalsecrets/v1"
	"hearth/internal/api/externalsecrets/v1alpha1"
)

func TestPushedNames(t *testing.T) {
	secret := &corev1.Secret{Data: map[string][]byte{"a_U0020_b": []byte("c4n4ry"), "plain": []byte("c4n4ry-p"), "x_UFFFFFF_": nil}}
	store := &v1.SecretStore{ObjectMeta: metav1.ObjectMeta{Name: "store"}}
	ps := &v1alpha1.PushSecret{Spec: v1alpha1.PushSecretSpec{
		DataTo: []v1alpha1.PushSecretDataTo{
			{StoreRef: &v1alpha1.PushSecretStoreRef{Name: "other"}},
			{StoreRef: &v1alpha1.PushSecretStoreRef{Name: "store"}, ConversionStrategy: v1alpha1.ConversionReverseUnicode, Metadata: &apiextensionsv1.JSON{Raw: []byte(`{"m":1}`)}},
		},
		Data: []v1alpha1.PushSecretData{{
			Match:              v1alpha1.PushSecretMatch{SecretKey: "a b", RemoteRef: v1alpha1.PushSecretRemoteRef{RemoteKey: "item", Property: "field"}},
			ConversionStrategy: v1alpha1.ConversionReverseUnicode,
		}},
	}}
	pushes, err := pushesOf(t.Context(), ps, store, secret)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, p := range pushes {
		got[placeOf(p.data.Match.RemoteRef)] = string(p.value)
		if p.data.Match.RemoteRef.Property == "" && string(p.data.Metadata.Raw) != `{"m":1}` {
			t.Errorf("%s: metadata %s", p.data.Match.RemoteRef.RemoteKey, p.data.Metadata.Raw)
		}
	}
	want := map[string]string{"a b": "c4n4ry", "plain": "c4n4ry-p", "x_UFFFFFF_": "", "item/field": "c4n4ry"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	ps.Spec.DataTo[1].Rewrite = []v1alpha1.PushSecretRewrite{{Regexp: &v1.RewriteRegexp{Source: ".*", Target: "same"}}}
	if _, err := pushesOf(t.Context(), ps, store, secret); err == nil {
		t.Error("two keys become one without an error")
	}
}

func TestMergedMetadata(t *testing.T) {
	target, source, said := map[string]string{"t": "1", "x": "t"}, map[string]string{"s": "1", "x": "s"}, map[string]string{"m": "1"}
	for _, tt := range []struct {
		source, target string
		want           map[string]string
	}{
		{"", "", map[string]string{"t": "1", "s": "1", "m": "1", "x": "s"}},
		{"Merge", "Merge", map[string]string{"t": "1", "s": "1", "m": "1", "x": "s"}},
		{"Replace", "Merge", map[string]string{"t": "1", "m": "1", "x": "t"}},
		{"Merge", "Replace", map[string]string{"s": "1", "m": "1", "x": "s"}},
		{"Merge", "Ignore", target},
	} {
		policy := &secretMetadata{}
		policy.Spec.SourceMergePolicy, policy.Spec.TargetMergePolicy = tt.source, tt.target
		if diff := cmp.Diff(tt.want, mergedMetadata(target, source, said, policy)); diff != "" {
			t.Errorf("%s, %s: %s", tt.source, tt.target, diff)
		}
	}
}
