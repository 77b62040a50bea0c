package rehearsal

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	// externalSecretsChart is the name of External Secrets' chart, and usually
	// of its release.
	externalSecretsChart = "external-secrets"
	// otherKindsFlag lets the operator make objects of other kinds than Secret.
	otherKindsFlag = "unsafe-allow-generic-targets"
)

// allowsOtherKinds reports whether the cluster's External Secrets Operator may
// make objects of other kinds than Secret: its release says so, or what runs it.
func (e *engine) allowsOtherKinds(ctx context.Context) bool {
	var releases helmv2.HelmReleaseList
	var deployments appsv1.DeploymentList
	if e.client.List(ctx, &releases, client.UnsafeDisableDeepCopy) != nil || e.client.List(ctx, &deployments, client.UnsafeDisableDeepCopy) != nil {
		return false // the cache is stopping
	}
	return slices.ContainsFunc(releases.Items, releaseAllowsOtherKinds) ||
		slices.ContainsFunc(deployments.Items, func(d appsv1.Deployment) bool {
			return slices.ContainsFunc(d.Spec.Template.Spec.Containers, flaggedForOtherKinds)
		})
}

func releaseAllowsOtherKinds(r helmv2.HelmRelease) bool {
	if r.Name != externalSecretsChart && (r.Spec.Chart == nil || r.Spec.Chart.Spec.Chart != externalSecretsChart) || r.Spec.Values == nil {
		return false
	}
	var values struct {
		GenericTargets struct {
			Enabled bool `json:"enabled"`
		} `json:"genericTargets"`
		ExtraArgs map[string]any `json:"extraArgs"`
	}
	if json.Unmarshal(r.Spec.Values.Raw, &values) != nil {
		return false
	}
	flag, given := values.ExtraArgs[otherKindsFlag]
	return values.GenericTargets.Enabled || given && flag != false && flag != "false"
}

func flaggedForOtherKinds(c corev1.Container) bool {
	return slices.ContainsFunc(append(slices.Clone(c.Command), c.Args...), func(arg string) bool {
		name, value, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		return name == otherKindsFlag && value != "false"
	})
}
