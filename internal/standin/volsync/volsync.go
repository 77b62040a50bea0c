// Package volsync plays VolSync: ReplicationSources and
// ReplicationDestinations synchronise when they are made, on schedule, and
// when their manual trigger changes, and tell so in their status.
//
// It follows VolSync's documented triggers and status
// (https://volsync.readthedocs.io/en/stable/usage/triggers.html). A repository's
// Secret or a source's claim that is missing is an error, as in life. A
// destination's latest image is a VolumeSnapshot, or its own claim where it
// copies directly. No data is moved, and no mover's Job runs.
package volsync

import (
	"context"
	"fmt"
	"time"

	"github.com/robfig/cron/v3"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/domain"
	"hearth/internal/standin/operator"
)

const group = "volsync.backube"

var (
	secretKind   = corev1.SchemeGroupVersion.WithKind("Secret")
	claimKind    = corev1.SchemeGroupVersion.WithKind("PersistentVolumeClaim")
	snapshotKind = schema.GroupVersionKind{Group: "snapshot.storage.k8s.io", Version: "v1", Kind: "VolumeSnapshot"}
)

// syncSpan is how long a synchronisation takes.
var syncSpan = domain.Range{Min: 10 * time.Second, Max: 2 * time.Minute}

// stepSync is the step under which a synchronisation is told.
const stepSync = "sync"

// Setup registers the stand-in with the manager.
func Setup(mgr manager.Manager, o operator.Options) error {
	return operator.Setup(mgr, o, operator.Part{
		Name: "volsync", Plays: plays, See: see, Follows: []schema.GroupVersionKind{secretKind, claimKind},
	})
}

func plays(crd *apiextensionsv1.CustomResourceDefinition, _ *apiextensionsv1.CustomResourceDefinitionVersion) *operator.Role {
	if kind := crd.Spec.Names.Kind; crd.Spec.Group != group || kind != "ReplicationSource" && kind != "ReplicationDestination" {
		return nil
	}
	return &operator.Role{Operator: "VolSync", Pods: operator.Named("volsync"), Images: []string{"volsync"}}
}

// sync is one look at one replication.
type sync struct {
	*operator.Visit
	status           map[string]any
	manual, schedule string
}

func see(ctx context.Context, v *operator.Visit) (reconcile.Result, error) {
	s := &sync{Visit: v, status: operator.Status(v.Object)}
	s.manual, _, _ = unstructured.NestedString(v.Object.Object, "spec", "trigger", "manual")
	s.schedule, _, _ = unstructured.NestedString(v.Object.Object, "spec", "trigger", "schedule")
	if paused, _, _ := unstructured.NestedBool(v.Object.Object, "spec", "paused"); paused {
		return reconcile.Result{}, nil
	}
	problem, err := s.problem(ctx)
	if err != nil {
		return reconcile.Result{}, err
	}
	if problem != "" {
		s.synchronizing("False", "Error", problem)
		_, err := v.WriteStatus(ctx, s.status)
		return reconcile.Result{}, err
	}
	due, next, err := s.due(time.Now())
	if err != nil {
		s.synchronizing("False", "Error", err.Error())
		_, err := v.WriteStatus(ctx, s.status)
		return reconcile.Result{}, err
	}
	if due {
		return s.run(ctx)
	}
	return s.rest(ctx, next)
}

// due reports whether it is time to synchronise, and when it will be.
func (s *sync) due(now time.Time) (due bool, next time.Time, err error) {
	last, _ := s.status["lastSyncTime"].(string)
	started, _ := s.status["lastSyncStartTime"].(string)
	if s.manual != "" {
		done, _ := s.status["lastManualSync"].(string)
		return done != s.manual, next, nil
	}
	if s.schedule != "" {
		schedule, err := cron.ParseStandard(s.schedule)
		if err != nil {
			return false, next, fmt.Errorf("the schedule %q cannot be read", s.schedule)
		}
		if at, err := time.Parse(time.RFC3339, last); err == nil {
			next = schedule.Next(at)
			return started != "" || !next.After(now), next, nil
		}
	}
	return last == "", next, nil
}

// run synchronises.
func (s *sync) run(ctx context.Context) (reconcile.Result, error) {
	if s.status["lastSyncStartTime"] == nil {
		s.Restart(stepSync)
		s.status["lastSyncStartTime"] = rfc(time.Now())
	}
	s.synchronizing("True", "SyncInProgress", "Synchronization in-progress")
	if left := s.Left(stepSync, syncSpan); left > 0 {
		_, err := s.WriteStatus(ctx, s.status)
		return reconcile.Result{RequeueAfter: left}, err
	}
	s.Assume()
	if s.Object.GetKind() == "ReplicationDestination" {
		if err := s.image(ctx); err != nil {
			return reconcile.Result{}, err
		}
	}
	started, _ := s.status["lastSyncStartTime"].(string)
	if at, err := time.Parse(time.RFC3339, started); err == nil {
		s.status["lastSyncDuration"] = time.Since(at).Round(time.Millisecond).String()
	}
	s.status["lastSyncTime"], s.status["lastSyncStartTime"] = rfc(time.Now()), nil
	s.status["latestMoverStatus"] = map[string]any{"result": "Successful", "logs": "no data was moved: this is a rehearsal"}
	if s.manual != "" {
		s.status["lastManualSync"] = s.manual
	}
	_, next, _ := s.due(time.Now())
	return s.rest(ctx, next)
}

// rest waits for the next time, or for a trigger.
func (s *sync) rest(ctx context.Context, next time.Time) (reconcile.Result, error) {
	if s.schedule == "" || next.IsZero() {
		s.synchronizing("False", "WaitingForManual", "Waiting for manual trigger")
		_, err := s.WriteStatus(ctx, s.status)
		return reconcile.Result{}, err
	}
	s.status["nextSyncTime"] = rfc(next)
	s.synchronizing("False", "WaitingForSchedule", "Waiting for next scheduled synchronization")
	_, err := s.WriteStatus(ctx, s.status)
	return reconcile.Result{RequeueAfter: max(time.Until(next), time.Second)}, err
}

func (s *sync) synchronizing(status, reason, message string) {
	operator.Conditions(s.status, s.Object.GetGeneration(), operator.Condition{Type: "Synchronizing", Status: status, Reason: reason, Message: message})
}

// problem returns what keeps a synchronisation from running; "" is nothing.
func (s *sync) problem(ctx context.Context) (string, error) {
	if name, _, _ := unstructured.NestedString(s.Object.Object, "spec", "sourcePVC"); name != "" {
		claim, err := s.Find(ctx, claimKind, s.Object.GetNamespace(), name)
		if err != nil {
			return "", err
		}
		if claim == nil {
			return fmt.Sprintf("PersistentVolumeClaim %q not found", name), nil
		}
	}
	_, mover := s.mover()
	for _, field := range []string{"repository", "rcloneConfig"} {
		name, _ := mover[field].(string)
		if name == "" {
			continue
		}
		secret, err := s.Find(ctx, secretKind, s.Object.GetNamespace(), name)
		if err != nil {
			return "", err
		}
		if secret == nil {
			return fmt.Sprintf("Secret %q not found", name), nil
		}
	}
	return "", nil
}

// mover returns how data would be moved.
func (s *sync) mover() (string, map[string]any) {
	for _, name := range []string{"restic", "kopia", "rclone", "rsyncTLS", "rsync", "syncthing", "external"} {
		if mover, ok, _ := unstructured.NestedMap(s.Object.Object, "spec", name); ok {
			return name, mover
		}
	}
	return "", nil
}

// image tells where what was restored can be had.
func (s *sync) image(ctx context.Context) error {
	_, mover := s.mover()
	if method, _ := mover["copyMethod"].(string); method == "Direct" || method == "None" {
		name, _ := mover["destinationPVC"].(string)
		s.status["latestImage"] = map[string]any{"apiGroup": "", "kind": "PersistentVolumeClaim", "name": name}
		return nil
	}
	name := "volsync-" + s.Object.GetName() + "-dest-" + time.Now().UTC().Format("20060102150405")
	content := map[string]any{"source": map[string]any{"persistentVolumeClaimName": "volsync-" + s.Object.GetName() + "-dest"}}
	if class, _ := mover["volumeSnapshotClassName"].(string); class != "" {
		content["volumeSnapshotClassName"] = class
	}
	snapshot := &unstructured.Unstructured{Object: map[string]any{"spec": content}}
	snapshot.SetGroupVersionKind(snapshotKind)
	snapshot.SetName(name)
	if _, err := s.Make(ctx, snapshot, true); err != nil && !meta.IsNoMatchError(err) {
		return err
	}
	s.status["latestImage"] = map[string]any{"apiGroup": snapshotKind.Group, "kind": snapshotKind.Kind, "name": name}
	return nil
}

func rfc(t time.Time) string { return t.UTC().Format(time.RFC3339) }
