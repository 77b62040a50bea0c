package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"helm.sh/helm/v4/pkg/release/common"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"hearth/internal/domain"
	"hearth/internal/engine/helmrelease/helmstore"
)

// doByHand does to the cluster what a fault is, where it is something that is
// done there.
func (s *Stage) doByHand(ctx context.Context, f domain.Fault) error {
	switch f.Kind {
	case domain.FaultKubectlEdit:
		return s.editByHand(ctx, f.Which)
	case domain.FaultFinalizerStuck:
		return s.change(ctx, f.Which, func(obj *unstructured.Unstructured) error {
			controllerutil.AddFinalizer(obj, heldFinalizer)
			return nil
		})
	case domain.FaultReleaseLocked:
		return s.markRelease(ctx, f.Which, common.StatusDeployed, common.StatusUninstalling)
	}
	return nil
}

// undoTimeout bounds how long it takes to undo what was done by hand.
const undoTimeout = 10 * time.Second

// undoByHand undoes it, as a person would in the end. What was edited is left
// to whoever corrects it.
func (s *Stage) undoByHand(f domain.Fault) error {
	ctx, cancel := context.WithTimeout(context.Background(), undoTimeout)
	defer cancel()
	switch f.Kind {
	case domain.FaultFinalizerStuck:
		return client.IgnoreNotFound(s.change(ctx, f.Which, func(obj *unstructured.Unstructured) error {
			controllerutil.RemoveFinalizer(obj, heldFinalizer)
			return nil
		}))
	case domain.FaultReleaseLocked:
		err := s.markRelease(ctx, f.Which, common.StatusUninstalling, common.StatusDeployed)
		if errors.Is(err, errNoRecord) {
			return nil // somebody has put it right
		}
		return err
	}
	return nil
}

// errNoRecord says that no record of a release says what it should.
var errNoRecord = errors.New("no such record in Helm's storage")

// heldFinalizer is one that no controller takes off.
const heldFinalizer = "example.com/controller-that-is-gone"

// change changes an object of the cluster, KIND/NAMESPACE/NAME, as somebody
// with kubectl would.
func (s *Stage) change(ctx context.Context, target string, change func(*unstructured.Unstructured) error) error {
	names := strings.Split(target, "/")
	if len(names) != 3 {
		return fmt.Errorf("%q is not of the form KIND/NAMESPACE/NAME", target)
	}
	gvk, err := s.servedKind(names[0])
	if err != nil {
		return err
	}
	return retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		obj := &unstructured.Unstructured{}
		obj.SetGroupVersionKind(gvk)
		if err := s.engine.client.Get(ctx, client.ObjectKey{Namespace: names[1], Name: names[2]}, obj); err != nil {
			return err
		}
		obj = obj.DeepCopy()
		if err := change(obj); err != nil {
			return fmt.Errorf("edit %s: %w", target, err)
		}
		return s.engine.client.Update(ctx, obj, client.FieldOwner(handOwner))
	})
}

// markRelease has the latest record of a release, NAMESPACE/NAME, that has one
// status say another.
func (s *Stage) markRelease(ctx context.Context, target string, from, to common.Status) error {
	namespace, name, ok := strings.Cut(target, "/")
	if !ok {
		return fmt.Errorf("%q is not of the form NAMESPACE/RELEASE", target)
	}
	return retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		var records corev1.SecretList
		labels := client.MatchingLabels{"owner": "helm", "name": name, statusLabel: from.String()}
		if err := s.engine.client.List(ctx, &records, client.InNamespace(namespace), labels); err != nil {
			return err
		}
		if len(records.Items) == 0 {
			return fmt.Errorf("look for the release %s that is %s: %w", target, from, errNoRecord)
		}
		latest := slices.MaxFunc(records.Items, func(a, b corev1.Secret) int { return a.CreationTimestamp.Compare(b.CreationTimestamp.Time) })
		latest.Labels = maps.Clone(latest.Labels)
		rel, err := helmstore.Decode(latest.Data["release"])
		if err != nil {
			return fmt.Errorf("read the record of the release %s: %w", target, err)
		}
		rel.Info.Status = to
		record, err := helmstore.Encode(rel, nil)
		if err != nil {
			return fmt.Errorf("write the record of the release %s: %w", target, err)
		}
		latest.Data = map[string][]byte{"release": record}
		latest.Labels[statusLabel] = to.String()
		return s.engine.client.Update(ctx, &latest, client.FieldOwner(handOwner))
	})
}

// statusLabel is the label that Helm finds its records by.
const statusLabel = "status"
