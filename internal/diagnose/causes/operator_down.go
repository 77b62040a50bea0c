package causes

import (
	"slices"
	"strings"

	"hearth/internal/diagnose"
	"hearth/internal/domain"
)

var operatorDown = &diagnose.Cause{
	Name:     "operator-down",
	Title:    "An operator does not run",
	Symptom:  "Objects of one operator stay as they are: no status, no progress, no error.",
	Evidence: "The operator's workload has no pod that is available, and objects of its kinds wait.",
	Why:      "Custom objects do nothing by themselves: their operator has to act on them.",
	Fix:      "Bring the operator's pods up; look at its release, its image and its node.",
	Yields:   true,
	Find: func(s *diagnose.Search) {
		for _, op := range operators {
			waiting := idle(s, op.kinds)
			for _, d := range s.All(diagnose.Deployment, diagnose.StatefulSet) {
				if !named(d, op.names) {
					continue
				}
				crashing := crashingPods(s, d)
				ails := s.Acute(d) || len(crashing) > 0
				if !ails && (!scaledDown(d) || len(waiting) == 0) {
					continue
				}
				e := field(d, "spec.replicas", "0")
				if s.Trouble(d) != nil {
					e = trouble(s, d)
				}
				s.Report(diagnose.Finding{
					Subject: d.Key, Explains: append(crashing, waiting...), Sentence: d.Ref().String() + ", the operator of " + kindNames(op.kinds) + ", does not run.",
					Evidence: []diagnose.Evidence{e}, At: diagnose.Locus{Key: s.InGit(d).Key}, Commands: append(diagnose.Show(d.Key), "kubectl get pods -n "+d.Namespace),
				})
			}
		}
	},
}

// crashingPods returns the pods of a workload in trouble that crash: an
// operator that does is down at once, however long it has been so.
func crashingPods(s *diagnose.Search, d *diagnose.Object) []diagnose.Key {
	var keys []diagnose.Key
	for _, p := range s.Pods(d) {
		if t := s.Trouble(p); t != nil && t.State == domain.PodCrashLoop && s.Trouble(d) != nil {
			keys = append(keys, p.Key)
		}
	}
	return keys
}

// operators are the workloads that act on custom objects, by the names that
// their charts give them.
var operators = []struct {
	names []string
	kinds []diagnose.Kind
}{
	{[]string{"cloudnative-pg", "cnpg-controller-manager"}, []diagnose.Kind{diagnose.Database}},
	{[]string{"cert-manager"}, []diagnose.Kind{diagnose.Certificate, diagnose.Issuer, diagnose.ClusterIssuer}},
	{[]string{"external-secrets"}, []diagnose.Kind{diagnose.ExternalSecret, diagnose.SecretStore, diagnose.ClusterSecretStore}},
	{[]string{"envoy-gateway", "gateway-helm", "cilium-operator", "istiod", "traefik", "nginx-gateway"}, []diagnose.Kind{diagnose.Gateway, diagnose.GatewayClass, diagnose.HTTPRoute}},
	{[]string{"source-controller"}, diagnose.Sources},
	{[]string{"kustomize-controller"}, []diagnose.Kind{diagnose.Kustomization}},
	{[]string{"helm-controller"}, []diagnose.Kind{diagnose.HelmRelease}},
	{[]string{"rook-ceph-operator", "csi-driver-nfs", "democratic-csi", "openebs", "longhorn-driver-deployer", "csi-rbdplugin-provisioner"}, []diagnose.Kind{diagnose.Claim}},
}

// named reports whether a workload bears one of some names.
func named(d *diagnose.Object, names []string) bool {
	return slices.ContainsFunc(names, func(n string) bool {
		return d.Name == n || d.Label("app.kubernetes.io/name") == n && !strings.Contains(d.Name, "webhook") && !strings.Contains(d.Name, "cainjector")
	})
}

// idle returns the objects of some kinds that nobody acts on: they have said
// nothing yet, or not of their present spec.
func idle(s *diagnose.Search, kinds []diagnose.Kind) []diagnose.Key {
	var keys []diagnose.Key
	for _, o := range s.All(kinds...) {
		_, deleting := o.Deleting()
		unseen := !o.Has("status") || !o.Has("status", "conditions") && !o.Has("status", "phase") && !o.Has("status", "parents")
		claim := o.Kind() == diagnose.Claim && s.Trouble(o) != nil
		behind := o.Has("status", "observedGeneration") && o.Number("status", "observedGeneration") < o.Number("metadata", "generation")
		if s.Trouble(o) != nil && (unseen || behind || claim || deleting) {
			keys = append(keys, o.Key)
		}
	}
	return keys
}

func kindNames(kinds []diagnose.Kind) string {
	names := make([]string, 0, len(kinds))
	for _, k := range kinds {
		names = append(names, k.Name)
	}
	return strings.Join(names, ", ")
}
