package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/robfig/cron/v3"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/domain"
	"hearth/internal/standin/operator"
)

// backupSpan is how long a backup takes.
var backupSpan = domain.Range{Min: 10 * time.Second, Max: time.Minute}

// seeBackup takes a backup, once its Cluster is there and healthy.
func seeBackup(ctx context.Context, v *operator.Visit) (reconcile.Result, error) {
	status := operator.Status(v.Object)
	if phase := status["phase"]; phase == "completed" || phase == "failed" {
		return reconcile.Result{}, nil
	}
	name, _, _ := unstructured.NestedString(v.Object.Object, "spec", "cluster", "name")
	method, _, _ := unstructured.NestedString(v.Object.Object, "spec", "method")
	if method == "" {
		method = "barmanObjectStore"
	}
	of, err := v.Find(ctx, clusterKind, v.Object.GetNamespace(), name)
	if err != nil {
		return reconcile.Result{}, err
	}
	if of == nil {
		return reconcile.Result{}, v.TellOnce(ctx, component, corev1.EventTypeWarning, "FindingCluster", "Unknown cluster %s, will retry in 30 seconds", name)
	}
	if phase, _, _ := unstructured.NestedString(of.Object, "status", "phase"); phase != healthy {
		status["phase"] = "pending"
		_, err := v.WriteStatus(ctx, status)
		return reconcile.Result{}, err
	}
	v.Assume()
	status["method"] = method
	if backup, _, _ := unstructured.NestedMap(of.Object, "spec", "backup"); method != "plugin" && backup[method] == nil {
		status["phase"] = "failed"
		status["error"] = fmt.Sprintf("cannot proceed with the backup as the cluster has no %s section", method)
		if _, err := v.WriteStatus(ctx, status); err != nil {
			return reconcile.Result{}, err
		}
		return reconcile.Result{}, v.Tell(ctx, component, corev1.EventTypeWarning, "ClusterHasNoBackupExecutor", "cannot proceed with the backup as the cluster has no %s section", method)
	}
	if status["startedAt"] == nil {
		status["startedAt"] = rfc(time.Now())
		if err := v.Tell(ctx, component, corev1.EventTypeNormal, "Starting", "Starting backup for cluster %s", name); err != nil {
			return reconcile.Result{}, err
		}
	}
	status["phase"] = "running"
	if left := v.Left("backup", backupSpan); left > 0 {
		_, err := v.WriteStatus(ctx, status)
		return reconcile.Result{RequeueAfter: left}, err
	}
	primary, _, _ := unstructured.NestedString(of.Object, "status", "currentPrimary")
	status["phase"], status["stoppedAt"] = "completed", rfc(time.Now())
	status["backupId"], status["backupName"] = time.Now().UTC().Format("20060102T150405"), "backup-"+time.Now().UTC().Format("20060102150405")
	status["instanceID"] = map[string]any{"podName": primary}
	if _, err := v.WriteStatus(ctx, status); err != nil {
		return reconcile.Result{}, err
	}
	if err := v.Tell(ctx, component, corev1.EventTypeNormal, "Completed", "Backup completed"); err != nil {
		return reconcile.Result{}, err
	}
	return reconcile.Result{}, noteBackup(ctx, v, of)
}

// noteBackup tells the Cluster of its last backup.
func noteBackup(ctx context.Context, v *operator.Visit, of *unstructured.Unstructured) error {
	before := of.DeepCopy()
	status := operator.Status(of)
	if status["firstRecoverabilityPoint"] == nil {
		status["firstRecoverabilityPoint"] = rfc(time.Now())
	}
	status["lastSuccessfulBackup"] = rfc(time.Now())
	operator.Conditions(status, of.GetGeneration(), operator.Condition{Type: "LastBackupSucceeded", Reason: "LastBackupSucceeded", Message: "Backup was successful"})
	of.Object["status"] = status
	err := v.Client.Status().Patch(ctx, of, client.MergeFrom(before))
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("tell the Cluster %s/%s of its backup: %w", of.GetNamespace(), of.GetName(), err)
	}
	return nil
}

func rfc(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// sixFields reads a schedule whose first field is seconds.
var sixFields = cron.NewParser(cron.Second | cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor)

// scheduleSpec is what is read of a ScheduledBackup.
type scheduleSpec struct {
	Schedule             string         `json:"schedule"`
	Suspend              bool           `json:"suspend"`
	Immediate            bool           `json:"immediate"`
	BackupOwnerReference string         `json:"backupOwnerReference"`
	Cluster              map[string]any `json:"cluster"`
	Method               string         `json:"method"`
	PluginConfiguration  map[string]any `json:"pluginConfiguration"`
}

// seeSchedule makes backups at their times.
func seeSchedule(ctx context.Context, v *operator.Visit) (reconcile.Result, error) {
	s, err := convert[scheduleSpec](v.Object.Object["spec"])
	if err != nil {
		v.Refuse(err)
		return reconcile.Result{}, nil
	}
	schedule, err := sixFields.Parse(s.Schedule)
	if err != nil {
		return reconcile.Result{}, v.TellOnce(ctx, component, corev1.EventTypeWarning, "InvalidSchedule", "the schedule %q cannot be read", s.Schedule)
	}
	if s.Suspend {
		return reconcile.Result{}, nil
	}
	at := time.Now()
	status := operator.Status(v.Object)
	last, checked := status["lastCheckTime"].(string)
	due := !checked && s.Immediate
	if checked {
		if t, err := time.Parse(time.RFC3339, last); err == nil {
			due = !schedule.Next(t).After(at)
		}
	}
	if due {
		if err := makeBackup(ctx, v, s, at); err != nil {
			return reconcile.Result{}, err
		}
		status["lastScheduleTime"] = rfc(at)
	}
	next := schedule.Next(at)
	if due || !checked {
		status["lastCheckTime"], status["nextScheduleTime"] = rfc(at), rfc(next)
		if _, err := v.WriteStatus(ctx, status); err != nil {
			return reconcile.Result{}, err
		}
		if err := v.TellOnce(ctx, component, corev1.EventTypeNormal, "BackupSchedule", "Scheduled first backup by %s", next); err != nil {
			return reconcile.Result{}, err
		}
	}
	return reconcile.Result{RequeueAfter: max(time.Until(next), time.Second)}, nil
}

// makeBackup makes the Backup that is due.
func makeBackup(ctx context.Context, v *operator.Visit, s scheduleSpec, at time.Time) error {
	content := map[string]any{"cluster": s.Cluster}
	if s.Method != "" {
		content["method"] = s.Method
	}
	if s.PluginConfiguration != nil {
		content["pluginConfiguration"] = s.PluginConfiguration
	}
	backup := &unstructured.Unstructured{Object: map[string]any{"spec": content}}
	backup.SetGroupVersionKind(backupKind)
	backup.SetName(v.Object.GetName() + "-" + at.UTC().Format("20060102150405"))
	name, _ := s.Cluster["name"].(string)
	backup.SetLabels(map[string]string{labelCluster: name, "cnpg.io/scheduled-backup": v.Object.GetName()})
	if s.BackupOwnerReference == "cluster" {
		of, err := v.Find(ctx, clusterKind, v.Object.GetNamespace(), name)
		if of == nil || err != nil {
			return err
		}
		backup.SetOwnerReferences([]metav1.OwnerReference{{APIVersion: of.GetAPIVersion(), Kind: of.GetKind(), Name: of.GetName(), UID: of.GetUID()}})
	}
	_, err := v.Make(ctx, backup, s.BackupOwnerReference == "self")
	return err
}
