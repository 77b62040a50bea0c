package resourceset

import (
	"context"
	"fmt"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fluxcdv1 "hearth/internal/api/fluxcd/v1"
)

// recreateFailedJobs deletes Jobs that failed and ask to be made again. Those
// of others, and those that are not to be touched, stay.
func (w *walk) recreateFailedJobs(ctx context.Context, kube client.Client, s step) error {
	for _, wanted := range s.objects {
		if wanted.GroupVersionKind() != batchv1.SchemeGroupVersion.WithKind("Job") ||
			wanted.GetAnnotations()[fluxcdv1.RecreateOnFailureAnnotation] != fluxcdv1.Enabled {
			continue
		}
		job := &unstructured.Unstructured{}
		job.SetGroupVersionKind(wanted.GroupVersionKind())
		err := kube.Get(ctx, client.ObjectKeyFromObject(wanted), job)
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return fmt.Errorf("read Job %s/%s: %w", wanted.GetNamespace(), wanted.GetName(), err)
		}
		if !w.owns(job) || fluxcdv1.IsDisabled(job) || !hasFailed(job) {
			continue
		}
		uid := job.GetUID()
		err = kube.Delete(ctx, job, client.PropagationPolicy(metav1.DeletePropagationBackground), client.Preconditions{UID: &uid})
		if client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("delete the failed Job %s/%s: %w", wanted.GetNamespace(), wanted.GetName(), err)
		}
	}
	return nil
}

func (w *walk) owns(obj *unstructured.Unstructured) bool {
	labels := obj.GetLabels()
	return labels[ownerGroup+"/name"] == w.Key.Name && labels[ownerGroup+"/namespace"] == w.Key.Namespace
}

func hasFailed(job *unstructured.Unstructured) bool {
	result, err := status.Compute(job)
	return err == nil && result.Status == status.FailedStatus
}
