package observe

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"hearth/internal/domain"
)

// recordedStates are objects as the documentation of their controllers shows them
// (each file names it), and what they are in the domain's language.
var recordedStates = map[string]struct {
	state   domain.State
	ready   bool
	message string // part of it
}{
	"Kustomization ready":                  {domain.KustomizationReady, true, "main@sha1:8d1f2b5c"},
	"Kustomization building":               {domain.KustomizationBuilding, false, "Building manifests"},
	"Kustomization unhealthy":              {domain.KustomizationFailed, false, "health check failed"},
	"Kustomization waiting":                {domain.KustomizationIdle, false, "cert-manager' is not ready"},
	"HelmRelease installed":                {domain.ReleaseReady, true, "app-template@4.0.1"},
	"HelmRelease exhausted":                {domain.ReleaseFailed, false, "no retries left"},
	"GitRepository fetched":                {domain.SourceReady, true, "stored artifact"},
	"GitRepository refused":                {domain.SourceFailed, false, "authentication required"},
	"OCIRepository pulling":                {domain.SourceReconciling, false, "new object generation"},
	"HelmRepository misspelt":              {domain.SourceFailed, false, "not supported"},
	"HelmRepository oci":                   {domain.SourceReady, true, "reconciled by nothing"},
	"ExternalSecret synced":                {domain.SecretReady, true, "secret synced"},
	"ExternalSecret missing":               {domain.SecretFailed, false, "key not found"},
	"ExternalSecret new":                   {domain.SecretSyncing, false, ""},
	"Pod unschedulable":                    {domain.PodPending, false, "unbound immediate PersistentVolumeClaims"},
	"Pod without-secret":                   {domain.PodWaitingSecrets, false, `secret "immich-secret" not found`},
	"Pod without-image":                    {domain.PodFailed, false, "not found"},
	"Pod crashing":                         {domain.PodCrashLoop, false, "exited with code 1"},
	"Pod out-of-memory":                    {domain.PodCrashLoop, false, "OOMKilled"},
	"Pod running":                          {domain.PodRunning, true, ""},
	"Pod evicted":                          {domain.PodFailed, false, "low on resource"},
	"PersistentVolumeClaim first-consumer": {domain.ClaimPending, false, "waits for a pod"},
	"PersistentVolumeClaim asked":          {domain.ClaimProvisioning, false, "rook-ceph.rbd.csi.ceph.com"},
	"PersistentVolumeClaim bound":          {domain.ClaimBound, true, ""},
	"PersistentVolumeClaim growing":        {domain.ClaimResizing, true, "file system resize"},
	"PersistentVolumeClaim lost":           {domain.ClaimLost, false, "pvc-0e is gone"},
	"PersistentVolumeClaim protected":      {domain.ClaimDeleting, false, "while a pod uses it"},
	"Node well":                            {domain.NodeReady, true, ""},
	"Node full":                            {domain.NodePressure, false, "DiskPressure"},
	"Node silent":                          {domain.NodeUnreachable, false, "stopped posting"},
	"Node without-network":                 {domain.NodeJoining, false, "cni plugin"},
	"Node broken":                          {domain.NodeNotReady, false, "PLEG"},
	"Node cordoned":                        {domain.NodeCordoned, true, ""},
	"Node registered":                      {domain.NodeJoining, false, "not spoken yet"},
	"Certificate valid":                    {domain.CertificateReady, true, "up to date"},
	"Certificate issuing":                  {domain.CertificateIssuing, false, "Secret does not exist"},
	"Certificate renewing":                 {domain.CertificateRenewing, true, "renewal was scheduled"},
	"Certificate refused":                  {domain.CertificateFailed, false, "the next try is at 2026-01-02T05:04:05Z"},
	"Certificate expired":                  {domain.CertificateExpired, false, "expired on"},
	"Certificate new":                      {domain.CertificatePending, false, ""},
	"Cluster healthy":                      {domain.DatabaseReady, true, "3 of 3"},
	"Cluster first":                        {domain.DatabaseCreating, false, "Creating primary"},
	"Cluster failing-over":                 {domain.DatabaseFailover, false, "failing-over-2"},
	"Cluster short":                        {domain.DatabaseDegraded, false, "2 of 3"},
	"Cluster restarting":                   {domain.DatabaseUpdating, false, "restarted"},
	"Cluster lost":                         {domain.DatabaseFailed, false, "No PVCs left"},
	"Cluster asleep":                       {domain.DatabaseSuspended, true, "hibernated"},
	"Cluster new":                          {domain.DatabasePending, false, ""},
	"MariaDB running":                      {domain.DatabaseReady, true, "Running"},
	"MariaDB starting":                     {domain.DatabaseCreating, false, "Not ready"},
	"Gateway envoy-programmed":             {domain.GatewayReady, true, ""},
	"Gateway envoy-without-address":        {domain.GatewayProgramming, false, "No addresses"},
	"Gateway envoy-without-certificate":    {domain.GatewayDegraded, false, "listener https: InvalidCertificateRef"},
	"Gateway cilium-waiting":               {domain.GatewayPending, false, "Waiting for controller"},
	"Gateway cilium-programmed":            {domain.GatewayReady, true, ""},
	"Gateway refused":                      {domain.GatewayFailed, false, "InvalidParameters"},
	"HTTPRoute attached":                   {domain.RouteReady, true, ""},
	"HTTPRoute not-allowed":                {domain.RouteFailed, false, "NotAllowedByListeners"},
	"Kustomization fetching":               {domain.KustomizationFetching, false, "Fetching manifests"},
	"Kustomization applying":               {domain.KustomizationApplying, false, "Detecting drift"},
	"Kustomization without-path":           {domain.KustomizationFailed, false, "path not found"},
	"Kustomization forbidden":              {domain.KustomizationFailed, false, "cross-namespace"},
	"Kustomization suspended":              {domain.KustomizationReady, true, "main@sha1:8d1f2b5c"},
	"Kustomization deleting":               {domain.KustomizationDeleting, false, ""},
	"HelmRelease installing":               {domain.ReleaseReconciling, false, "Running 'install' action"},
	"HelmRelease rolled-back":              {domain.ReleaseFailed, false, "context deadline exceeded"},
	"HelmRelease blocked":                  {domain.ReleasePending, false, "media/postgres"},
	"HelmRelease suspended":                {domain.ReleaseReady, true, "app-template@4.0.1"},
	"HelmRelease deleting":                 {domain.ReleaseDeleting, false, ""},
	"GitRepository suspended":              {domain.SourceReady, true, "stored artifact"},
	"GitRepository deleting":               {domain.SourceDeleting, false, ""},
	"ExternalSecret deleting":              {domain.SecretDeleting, false, ""},
	"ExternalSecret without-store":         {domain.SecretFailed, false, "could not get secret data"},
	"Certificate deleting":                 {domain.CertificateDeleting, false, ""},
	"Cluster deleting":                     {domain.DatabaseDeleting, false, ""},
	"Gateway deleting":                     {domain.GatewayDeleting, false, ""},
	"HTTPRoute deleting":                   {domain.RouteDeleting, false, ""},
	"HTTPRoute unanswered":                 {domain.RoutePending, false, "has not answered yet"},
}

func TestStatesOfRecordedObjects(t *testing.T) {
	seen := map[string]bool{}
	for _, obj := range recordedObjects(t) {
		name := obj.GetKind() + " " + obj.GetName()
		seen[name] = true
		t.Run(name, func(t *testing.T) {
			want, known := recordedStates[name]
			if !known {
				t.Fatal("nothing is said of it")
			}
			got := Tell(obj)
			if got.State != want.state || got.Ready != want.ready || !strings.Contains(got.Message, want.message) {
				t.Errorf("got %s, ready %v: %s\nwant %s, ready %v: %s", got.State, got.Ready, got.Message, want.state, want.ready, want.message)
			}
			m, ok := domain.MachineFor(obj.GetKind())
			if !ok {
				t.Fatal("its kind has no machine")
			}
			if info, ok := m.Info(got.State); !ok || info.Ready != got.Ready {
				t.Errorf("%s is ready in the machine: %v, known there: %v", got.State, info.Ready, ok)
			}
		})
	}
	for name := range recordedStates {
		if !seen[name] {
			t.Errorf("%s is in no file", name)
		}
	}
}

// TestDefaultTimesAreNone holds that what no controller has looked at yet is in
// its state since it was made, not since 1970.
func TestDefaultTimesAreNone(t *testing.T) {
	for _, obj := range recordedObjects(t) {
		if got := Tell(obj).Since; !got.IsZero() && got.Year() < 2000 {
			t.Errorf("%s %s is in its state since %s", obj.GetKind(), obj.GetName(), got)
		}
	}
}

// recordedObjects reads the objects of all files.
func recordedObjects(t *testing.T) []*unstructured.Unstructured {
	t.Helper()
	paths, err := filepath.Glob("testdata/recorded/*.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no recorded objects: %v", err)
	}
	var list []*unstructured.Unstructured
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for document := range strings.SplitSeq(string(content), "\n---\n") {
			content, err := yaml.YAMLToJSON([]byte(document))
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			obj := &unstructured.Unstructured{}
			if err := obj.UnmarshalJSON(content); err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			list = append(list, obj)
		}
	}
	return list
}
