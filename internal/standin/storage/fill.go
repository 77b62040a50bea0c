package storage

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/kube/objects"
	"hearth/internal/standin/operator"
)

// What claims are filled from that is known by its own words.
var (
	snapshotKind    = schema.GroupKind{Group: "snapshot.storage.k8s.io", Kind: "VolumeSnapshot"}
	claimKind       = schema.GroupKind{Kind: "PersistentVolumeClaim"}
	destinationKind = schema.GroupKind{Group: "volsync.backube", Kind: "ReplicationDestination"}
)

// notice is what somebody tells of a claim.
type notice struct{ component, kind, reason, message string }

// contents is what a claim is to be filled from.
type contents struct {
	schema.GroupKind
	types.NamespacedName
}

// contentsOf returns what a claim is to be filled from; ok is false for
// nothing. Other namespaces than the claim's need a feature that is off.
func contentsOf(claim *corev1.PersistentVolumeClaim) (from contents, ok bool) {
	var group *string
	switch ref, old := claim.Spec.DataSourceRef, claim.Spec.DataSource; {
	case ref != nil:
		group, from.Kind, from.Name = ref.APIGroup, ref.Kind, ref.Name
	case old != nil:
		group, from.Kind, from.Name = old.APIGroup, old.Kind, old.Name
	default:
		return from, false
	}
	if group != nil {
		from.Group = *group
	}
	from.Namespace = claim.Namespace
	return from, true
}

// unfilled returns what is told of a claim whose volume cannot be filled yet;
// nil says that it can. The claim is looked at again when that may change.
func (p *provisioner) unfilled(ctx context.Context, claim *corev1.PersistentVolumeClaim, class, provisioner string) (*notice, error) {
	from, ok := contentsOf(claim)
	if !ok {
		return nil, nil
	}
	key := client.ObjectKeyFromObject(claim)
	p.fills.wait(key, from) // before the look, so that no change is missed
	obj, version, err := p.find(ctx, from)
	if err != nil {
		return nil, err
	}
	problem := ""
	switch from.GroupKind {
	case snapshotKind:
		problem = snapshotProblem(claim, obj, from.Name)
	case claimKind:
		problem = cloneProblem(claim, obj, from)
	case destinationKind:
		return p.destinationProblem(ctx, key, obj, from)
	default:
		if obj != nil && filled(obj, version) {
			return nil, nil
		}
		return &notice{"external-provisioner", corev1.EventTypeNormal, "Provisioning", "Assuming an external populator will provision the volume"}, nil
	}
	if problem == "" {
		return nil, nil
	}
	return &notice{provisioner, corev1.EventTypeWarning, "ProvisioningFailed", fmt.Sprintf(
		"failed to provision volume with StorageClass %q: error getting handle for DataSource Type %s by Name %s: %s", class, from.Kind, from.Name, problem)}, nil
}

// find returns what a claim is to be filled from, and how its kind is defined;
// nil where it, or its kind, is not there.
func (p *provisioner) find(ctx context.Context, from contents) (*unstructured.Unstructured, *apiextensionsv1.CustomResourceDefinitionVersion, error) {
	gvk := from.WithVersion("v1")
	var version *apiextensionsv1.CustomResourceDefinitionVersion
	if from.Group != "" {
		list := &apiextensionsv1.CustomResourceDefinitionList{}
		if err := p.client.List(ctx, list, client.UnsafeDisableDeepCopy); err != nil {
			return nil, nil, err
		}
		for i := range list.Items {
			if crd := &list.Items[i]; crd.Spec.Group == from.Group && crd.Spec.Names.Kind == from.Kind {
				version = operator.StorageVersion(crd)
			}
		}
		if version == nil {
			return nil, nil, nil
		}
		gvk.Version = version.Name
	}
	obj, err := p.Objects.Get(ctx, objects.Key{GroupVersionKind: gvk, NamespacedName: from.NamespacedName})
	if apierrors.IsNotFound(err) {
		return nil, version, nil
	}
	if err != nil && !meta.IsNoMatchError(err) {
		return nil, nil, fmt.Errorf("look for the %s %s that a claim is filled from: %w", from.Kind, from.NamespacedName, err)
	}
	return obj, version, err
}

// destinationProblem is what VolSync's populator says of a destination:
// https://volsync.readthedocs.io/en/stable/usage/volume-populator/.
func (p *provisioner) destinationProblem(ctx context.Context, claim types.NamespacedName, destination *unstructured.Unstructured, from contents) (*notice, error) {
	warn := func(reason, message string) *notice {
		return &notice{volsyncComponent, corev1.EventTypeWarning, reason, message}
	}
	if destination == nil {
		return warn("VolSyncPopulatorReplicationDestinationMissing", fmt.Sprintf(
			"Unable to populate volume: ReplicationDestination.volsync.backube %q not found", from.Name)), nil
	}
	image, _, _ := unstructured.NestedStringMap(destination.Object, "status", "latestImage")
	switch {
	case image["name"] == "":
		return warn("VolSyncPopulatorReplicationDestinationNoLatestImage", "Unable to populate volume, waiting for replicationdestination to have latestImage"), nil
	case image["kind"] != snapshotKind.Kind:
		return warn("VolSyncPopulatorError", "Unable to populate volume: ReplicationDestination latestImage is not a volumesnapshot"), nil
	}
	of := contents{snapshotKind, types.NamespacedName{Namespace: from.Namespace, Name: image["name"]}}
	p.fills.wait(claim, of)
	snapshot, version, err := p.find(ctx, of)
	if err != nil || version == nil || snapshot != nil && readyToUse(snapshot) {
		return nil, err // without the kind nobody could cut, or wait for, a snapshot
	}
	return &notice{volsyncComponent, corev1.EventTypeNormal, "VolSyncPopulatorPVCCreated", "Populator pvc created from snapshot " + image["name"]}, nil
}

// volsyncComponent is who tells of VolSync's populator.
const volsyncComponent = "volsync-controller"

// tellFilled says that a claim was filled, where its populator says so.
func (p *provisioner) tellFilled(ctx context.Context, claim *corev1.PersistentVolumeClaim) error {
	if from, ok := contentsOf(claim); !ok || from.GroupKind != destinationKind {
		return nil
	}
	return p.tell(ctx, claim, volsyncComponent, corev1.EventTypeNormal, "VolSyncPopulatorFinished", "Populator finished")
}
