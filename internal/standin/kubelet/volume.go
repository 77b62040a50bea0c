package kubelet

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// lookup resolves what one pod refers to. Whatever it does not find, the pod
// waits for.
type lookup struct {
	k   *kubelet
	pod *corev1.Pod
}

// volumes returns the first reason why the pod's volumes cannot be mounted, in
// a kubelet's words; "" is none.
func (l lookup) volumes(ctx context.Context) (string, error) {
	waits := ""
	for _, v := range l.pod.Spec.Volumes {
		problem, err := l.volume(ctx, v)
		if problem == unattached && err == nil {
			waits = problem // what has a reason of the kubelet's own is told first
			continue
		}
		if problem != "" || err != nil {
			return problem, err
		}
	}
	return waits, nil
}

func (l lookup) volume(ctx context.Context, v corev1.Volume) (string, error) {
	var missing []error
	var err error
	switch {
	case v.Secret != nil:
		missing, err = l.secretKeys(ctx, v.Secret.SecretName, v.Secret.Items, v.Secret.Optional)
	case v.ConfigMap != nil:
		missing, err = l.configKeys(ctx, v.ConfigMap.Name, v.ConfigMap.Items, v.ConfigMap.Optional)
	case v.Projected != nil:
		missing, err = l.projected(ctx, v.Projected)
	case v.PersistentVolumeClaim != nil:
		return l.claim(ctx, v.Name, v.PersistentVolumeClaim.ClaimName)
	case v.NFS != nil:
		return l.nfs(v.Name, v.NFS), nil
	case v.Ephemeral != nil:
		return l.claim(ctx, v.Name, l.pod.Name+"-"+v.Name)
	}
	if err != nil || len(missing) == 0 {
		return "", err
	}
	return fmt.Sprintf("MountVolume.SetUp failed for volume %q : %s", v.Name, utilerrors.NewAggregate(missing)), nil
}

func (l lookup) projected(ctx context.Context, p *corev1.ProjectedVolumeSource) ([]error, error) {
	var all []error
	for _, source := range p.Sources {
		var missing []error
		var err error
		switch {
		case source.Secret != nil:
			missing, err = l.secretKeys(ctx, source.Secret.Name, source.Secret.Items, source.Secret.Optional)
		case source.ConfigMap != nil:
			missing, err = l.configKeys(ctx, source.ConfigMap.Name, source.ConfigMap.Items, source.ConfigMap.Optional)
		}
		if err != nil {
			return nil, err
		}
		all = append(all, missing...)
	}
	return all, nil
}

func (l lookup) secretKeys(ctx context.Context, name string, items []corev1.KeyToPath, optional *bool) ([]error, error) {
	secret, err := l.secret(ctx, name)
	if err != nil || isTrue(optional) {
		return nil, err
	}
	if secret == nil {
		return []error{fmt.Errorf("secret %q not found", name)}, nil
	}
	for _, item := range items {
		if _, ok := secret.Data[item.Key]; !ok {
			return []error{fmt.Errorf("references non-existent secret key: %s", item.Key)}, nil
		}
	}
	return nil, nil
}

func (l lookup) configKeys(ctx context.Context, name string, items []corev1.KeyToPath, optional *bool) ([]error, error) {
	config, err := l.configMap(ctx, name)
	if err != nil || isTrue(optional) {
		return nil, err
	}
	if config == nil {
		return []error{fmt.Errorf("configmap %q not found", name)}, nil
	}
	for _, item := range items {
		if !hasKey(config, item.Key) {
			return []error{fmt.Errorf("references non-existent config key: %s", item.Key)}, nil
		}
	}
	return nil, nil
}

func (l lookup) claim(ctx context.Context, volume, name string) (string, error) {
	claim := &corev1.PersistentVolumeClaim{}
	found, err := l.get(ctx, "PersistentVolumeClaim", name, claim)
	reason := ""
	switch {
	case err != nil:
		return "", err
	case !found:
		reason = fmt.Sprintf("failed to fetch PVC from API server: persistentvolumeclaims %q not found", name)
	case claim.DeletionTimestamp != nil:
		reason = "PVC is being deleted"
	case claim.Status.Phase != corev1.ClaimBound || claim.Spec.VolumeName == "":
		reason = "PVC is not bound"
	default:
		return l.bound(ctx, claim)
	}
	return fmt.Sprintf("Unable to attach or mount volumes: unmounted volumes=[%s], unattached volumes=[], failed to process volumes=[%s]: error processing PVC %s/%s: %s",
		volume, volume, l.pod.Namespace, name, reason), nil
}

// secret returns a Secret of the pod's namespace, or nil.
func (l lookup) secret(ctx context.Context, name string) (*corev1.Secret, error) {
	secret := &corev1.Secret{}
	found, err := l.get(ctx, "Secret", name, secret)
	if !found {
		return nil, err
	}
	return secret, nil
}

// configMap returns a ConfigMap of the pod's namespace, or nil.
func (l lookup) configMap(ctx context.Context, name string) (*corev1.ConfigMap, error) {
	config := &corev1.ConfigMap{}
	found, err := l.get(ctx, "ConfigMap", name, config)
	if !found {
		return nil, err
	}
	return config, nil
}

// get reads an object of the pod's namespace.
func (l lookup) get(ctx context.Context, kind, name string, obj client.Object) (bool, error) {
	return l.getAt(ctx, kind, types.NamespacedName{Namespace: l.pod.Namespace, Name: name}, obj)
}

// getAt reads an object. The pod waits for changes of it from before the first
// look, so that none is missed.
func (l lookup) getAt(ctx context.Context, kind string, key types.NamespacedName, obj client.Object) (bool, error) {
	l.k.wakes.wait(client.ObjectKeyFromObject(l.pod), reference{kind, key})
	err := l.k.client.Get(ctx, key, obj)
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	return err == nil, err
}

func hasKey(config *corev1.ConfigMap, key string) bool {
	if _, ok := config.Data[key]; ok {
		return true
	}
	_, ok := config.BinaryData[key]
	return ok
}

func isTrue(b *bool) bool { return b != nil && *b }
