package dns

import (
	"context"
	"fmt"
	"strings"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/engine/dns/settings"
)

// Instance is one External-DNS: how it is set, and whose records it keeps.
type Instance struct {
	Name     string
	Settings settings.Settings
	Provider Provider
}

// programImage is the name of External-DNS' image, wherever it is mirrored.
const programImage = "external-dns"

// isProgram reports whether a pod runs External-DNS.
func isProgram(pod *corev1.Pod) bool { return program(pod) != nil }

func program(pod *corev1.Pod) *corev1.Container {
	for i := range pod.Spec.Containers {
		if imageName(pod.Spec.Containers[i].Image) == programImage {
			return &pod.Spec.Containers[i]
		}
	}
	return nil
}

// webhookImage returns the image of the sidecar that speaks to the provider.
func webhookImage(pod *corev1.Pod) string {
	own := program(pod)
	for i := range pod.Spec.Containers {
		if c := &pod.Spec.Containers[i]; c != own && (c.Name == providerWebhook || strings.Contains(imageName(c.Image), providerWebhook)) {
			return c.Image
		}
	}
	return ""
}

// runs reports whether a pod does its work.
func runs(pod *corev1.Pod) bool {
	if pod.DeletionTimestamp != nil || pod.Status.Phase != corev1.PodRunning {
		return false
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// play returns the instance that runs in a pod. Where the pod has no arguments,
// because its chart is a stand-in's, the values of its release tell them.
func (r *reconciler) play(ctx context.Context, pod *corev1.Pod) (Instance, error) {
	container, image := program(pod), webhookImage(pod)
	args, env := append(append([]string{}, container.Command...), container.Args...), environment(container)
	if len(args) == 0 {
		values, err := r.releaseValues(ctx, pod)
		if err != nil {
			return Instance{}, err
		}
		args, image = settings.ChartArguments(values), settings.WebhookImage(values)
	}
	s, err := settings.Parse(args, env)
	if err != nil {
		return Instance{}, &argumentError{err}
	}
	name, inside := accountName(s, image)
	account := r.o.Server.Account(name, inside)
	account.Serve(s.Zones()...)
	r.assume(pod, name, s)
	return Instance{Name: pod.Namespace + "/" + workload(pod), Settings: s, Provider: played{account, s}}, nil
}

// argumentError says that an instance cannot start with the arguments it has.
type argumentError struct{ error }

func environment(c *corev1.Container) map[string]string {
	env := map[string]string{}
	for _, e := range c.Env {
		if e.ValueFrom == nil {
			env[e.Name] = e.Value
		}
	}
	return env
}

// instanceLabel is the label that charts give their release's name.
const instanceLabel = "app.kubernetes.io/instance"

// releaseValues returns the values of the release that a pod belongs to.
func (r *reconciler) releaseValues(ctx context.Context, pod *corev1.Pod) (map[string]any, error) {
	release := &helmv2.HelmRelease{}
	key := types.NamespacedName{Namespace: pod.Namespace, Name: pod.Labels[instanceLabel]}
	if err := r.client.Get(ctx, key, release); err != nil {
		return nil, client.IgnoreNotFound(err)
	}
	return release.GetValues(), nil
}

// workload returns the name of what made the pod, without the parts that are
// drawn.
func workload(pod *corev1.Pod) string {
	for _, owner := range pod.OwnerReferences {
		if owner.Controller != nil && *owner.Controller {
			return strings.TrimSuffix(owner.Name, "-"+pod.Labels["pod-template-hash"])
		}
	}
	return pod.Name
}

// assume says that an instance is played, and what of it is not.
func (r *reconciler) assume(pod *corev1.Pod, account string, s settings.Settings) {
	reason := fmt.Sprintf("the records it keeps at %s are kept by the embedded DNS server", account)
	if len(s.Unplayed) > 0 {
		reason += "; without effect: " + strings.Join(s.Unplayed, ", ")
	}
	r.o.Assumptions.Add(domainAssumed, "external-dns "+pod.Namespace+"/"+workload(pod), reason)
}
