package externalsecret

import (
	"cmp"
	"maps"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "hearth/internal/api/externalsecrets/v1"
	"hearth/internal/api/externalsecrets/v1alpha1"
)

// spreadKind is a cluster-wide kind that stands for one object in each of many
// namespaces.
type spreadKind struct {
	kind, made schema.GroupVersionKind

	// taken is what is said of a namespace where somebody else's object has the name.
	taken string

	newList func() client.ObjectList
	newMade func() client.Object
	newWide func() spread
}

// spread is an object of such a kind.
type spread interface {
	object() client.Object
	wish() wish
	status() spreadStatus
	// fill gives one that is made its spec.
	fill(made client.Object)
}

// wish is what a spread asks for.
type wish struct {
	name                string
	namespaces          []string
	selectors           []*metav1.LabelSelector
	labels, annotations map[string]string
	interval            *metav1.Duration
}

// spreadStatus leads into a status, to be read and written.
type spreadStatus struct {
	name        *string
	provisioned *[]string
	failed      *[]v1.NamespaceFailure
	conditions  *[]v1.Condition
}

var spreadKinds = []spreadKind{
	{
		kind:    v1.GroupVersion.WithKind(v1.ClusterExternalSecretKind),
		made:    v1.GroupVersion.WithKind(v1.ExternalSecretKind),
		taken:   "external secret already exists in namespace",
		newList: func() client.ObjectList { return &v1.ClusterExternalSecretList{} },
		newMade: func() client.Object { return &v1.ExternalSecret{} },
		newWide: func() spread { return clusterExternalSecret{&v1.ClusterExternalSecret{}} },
	},
	{
		kind:    v1alpha1.GroupVersion.WithKind(v1alpha1.ClusterPushSecretKind),
		made:    v1alpha1.GroupVersion.WithKind(v1alpha1.PushSecretKind),
		taken:   "push secret already exists in namespace",
		newList: func() client.ObjectList { return &v1alpha1.ClusterPushSecretList{} },
		newMade: func() client.Object { return &v1alpha1.PushSecret{} },
		newWide: func() spread { return clusterPushSecret{&v1alpha1.ClusterPushSecret{}} },
	},
}

type clusterExternalSecret struct{ *v1.ClusterExternalSecret }

func (c clusterExternalSecret) object() client.Object { return c.ClusterExternalSecret }

func (c clusterExternalSecret) wish() wish {
	w := wish{
		name:       cmp.Or(c.Spec.ExternalSecretName, c.Name),
		namespaces: c.Spec.Namespaces,
		selectors:  c.Spec.NamespaceSelectors,
		labels:     maps.Clone(c.Spec.ExternalSecretMetadata.Labels),
		interval:   c.Spec.RefreshInterval,

		annotations: maps.Clone(c.Spec.ExternalSecretMetadata.Annotations),
	}
	if c.Spec.NamespaceSelector != nil {
		w.selectors = append(w.selectors[:len(w.selectors):len(w.selectors)], c.Spec.NamespaceSelector)
	}
	return w
}

func (c clusterExternalSecret) status() spreadStatus {
	s := &c.Status
	return spreadStatus{&s.ExternalSecretName, &s.ProvisionedNamespaces, &s.FailedNamespaces, &s.Conditions}
}

func (c clusterExternalSecret) fill(made client.Object) {
	made.(*v1.ExternalSecret).Spec = *c.Spec.ExternalSecretSpec.DeepCopy()
}

type clusterPushSecret struct{ *v1alpha1.ClusterPushSecret }

func (c clusterPushSecret) object() client.Object { return c.ClusterPushSecret }

func (c clusterPushSecret) wish() wish {
	return wish{
		name:        cmp.Or(c.Spec.PushSecretName, c.Name),
		selectors:   c.Spec.NamespaceSelectors,
		labels:      maps.Clone(c.Spec.PushSecretMetadata.Labels),
		annotations: maps.Clone(c.Spec.PushSecretMetadata.Annotations),
		interval:    c.Spec.RefreshInterval,
	}
}

func (c clusterPushSecret) status() spreadStatus {
	s := &c.Status
	return spreadStatus{&s.PushSecretName, &s.ProvisionedNamespaces, &s.FailedNamespaces, &s.Conditions}
}

func (c clusterPushSecret) fill(made client.Object) {
	made.(*v1alpha1.PushSecret).Spec = *c.Spec.PushSecretSpec.DeepCopy()
}
