package helmsource

import (
	"context"
	"fmt"
	"os"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/secrets"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/domain"
	"hearth/internal/engine/sourcestate"
	"hearth/internal/kube/work"
	"hearth/internal/source"
)

// maxIndex bounds a repository's index.
const maxIndex = 64 << 20

// repositories reconciles HelmRepositories.
type repositories struct{ base }

// Reconcile fetches the index of an http repository. A repository of type oci
// has none, and is ready as it stands.
func (r *repositories) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	obj := &sourcev1.HelmRepository{}
	if err := r.client.Get(ctx, req.NamespacedName, obj); err != nil {
		r.backoff.Forget(req.NamespacedName)
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	if obj.Spec.Suspend || !obj.DeletionTimestamp.IsZero() {
		return reconcile.Result{}, nil
	}
	before := obj.DeepCopy()
	if requested, ok := meta.ReconcileAnnotationValue(obj.Annotations); ok {
		obj.Status.SetLastHandledReconcileRequest(requested)
	}
	if obj.Spec.Type == sourcev1.HelmRepositoryTypeOCI {
		obj.Status.Artifact, obj.Status.URL = nil, ""
		sourcestate.Succeeded(obj, meta.SucceededReason, "Helm repository is ready")
		result, err := r.finish(ctx, before, obj, "", &obj.Status.ObservedGeneration, 0, nil)
		return result, err
	}
	err := r.fetch(ctx, obj)
	return r.finish(ctx, before, obj, sourcev1.IndexationFailedReason, &obj.Status.ObservedGeneration, obj.GetRequeueAfter(), err)
}

func (r *repositories) fetch(ctx context.Context, obj *sourcev1.HelmRepository) error {
	req, err := request(ctx, r.client, obj)
	if err != nil {
		return &sourcestate.Error{Reason: sourcev1.AuthenticationFailedReason, Err: err}
	}
	var index *source.RepositoryIndex
	err = work.Aside(ctx, func(ctx context.Context) error {
		index, err = r.o.Charts.Index(ctx, req)
		return err
	})
	if err != nil {
		return &sourcestate.Error{Reason: meta.FailedReason, Err: fmt.Errorf("failed to fetch Helm repository index: %w", err)}
	}
	if artifact := obj.Status.Artifact; artifact == nil || artifact.Revision != index.Digest || !r.holds(artifact) {
		file, err := os.Open(index.Path)
		if err != nil {
			return fmt.Errorf("storing the index: %w", err)
		}
		defer file.Close()
		stored, err := r.o.Store.PutFile(ctx, "index.yaml", index.Digest, file, maxIndex)
		if err != nil {
			return &sourcestate.Error{Reason: sourcev1.ArchiveOperationFailedReason, Err: err}
		}
		obj.Status.Artifact = r.o.Store.Artifact(stored, domain.Ref{Kind: sourcev1.HelmRepositoryKind, Namespace: obj.Namespace, Name: obj.Name})
		obj.Status.URL = obj.Status.Artifact.URL
	}
	sourcestate.Succeeded(obj, meta.SucceededReason, fmt.Sprintf("stored artifact: revision '%s'", index.Digest))
	return nil
}

// holds reports whether the store still has an artifact.
func (b base) holds(artifact *meta.Artifact) bool {
	_, err := b.o.Store.Resolve(artifact)
	return err == nil
}

// request turns a repository's spec into what is asked of source.Charts.
func request(ctx context.Context, c client.Client, obj *sourcev1.HelmRepository) (source.ChartRequest, error) {
	req := source.ChartRequest{URL: obj.Spec.URL, Insecure: obj.Spec.Insecure, Timeout: obj.GetTimeout()}
	if ref := obj.Spec.SecretRef; ref != nil {
		var secret corev1.Secret
		key := client.ObjectKey{Namespace: obj.Namespace, Name: ref.Name}
		if err := c.Get(ctx, key, &secret); err != nil {
			return req, fmt.Errorf("reading the Secret %s: %w", key, err)
		}
		req.Username, req.Password = string(secret.Data["username"]), string(secret.Data["password"])
	}
	if ref := obj.Spec.CertSecretRef; ref != nil {
		config, err := secrets.TLSConfigFromSecretRef(ctx, c, client.ObjectKey{Namespace: obj.Namespace, Name: ref.Name})
		if err != nil {
			return req, err
		}
		req.TLS = config
	}
	return req, nil
}
