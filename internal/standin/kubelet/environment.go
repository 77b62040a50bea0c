package kubelet

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
)

// environment returns the first reason why a container's environment cannot be
// made, in a kubelet's words; "" is none. It never holds a value.
func (l lookup) environment(ctx context.Context, c *corev1.Container) (string, error) {
	for _, from := range c.EnvFrom {
		problem, err := l.envFrom(ctx, from)
		if problem != "" || err != nil {
			return problem, err
		}
	}
	for _, env := range c.Env {
		if env.ValueFrom == nil {
			continue
		}
		problem, err := l.envValue(ctx, env.ValueFrom)
		if problem != "" || err != nil {
			return problem, err
		}
	}
	return "", nil
}

func (l lookup) envFrom(ctx context.Context, from corev1.EnvFromSource) (string, error) {
	switch {
	case from.SecretRef != nil && !isTrue(from.SecretRef.Optional):
		secret, err := l.secret(ctx, from.SecretRef.Name)
		if err == nil && secret == nil {
			return fmt.Sprintf("secret %q not found", from.SecretRef.Name), nil
		}
		return "", err
	case from.ConfigMapRef != nil && !isTrue(from.ConfigMapRef.Optional):
		config, err := l.configMap(ctx, from.ConfigMapRef.Name)
		if err == nil && config == nil {
			return fmt.Sprintf("configmap %q not found", from.ConfigMapRef.Name), nil
		}
		return "", err
	}
	return "", nil
}

func (l lookup) envValue(ctx context.Context, from *corev1.EnvVarSource) (string, error) {
	switch {
	case from.SecretKeyRef != nil && !isTrue(from.SecretKeyRef.Optional):
		return l.secretKey(ctx, from.SecretKeyRef)
	case from.ConfigMapKeyRef != nil && !isTrue(from.ConfigMapKeyRef.Optional):
		return l.configKey(ctx, from.ConfigMapKeyRef)
	}
	return "", nil
}

func (l lookup) secretKey(ctx context.Context, ref *corev1.SecretKeySelector) (string, error) {
	secret, err := l.secret(ctx, ref.Name)
	if err != nil {
		return "", err
	}
	if secret == nil {
		return fmt.Sprintf("secret %q not found", ref.Name), nil
	}
	if _, ok := secret.Data[ref.Key]; !ok {
		return fmt.Sprintf("couldn't find key %s in Secret %s/%s", ref.Key, l.pod.Namespace, ref.Name), nil
	}
	return "", nil
}

func (l lookup) configKey(ctx context.Context, ref *corev1.ConfigMapKeySelector) (string, error) {
	config, err := l.configMap(ctx, ref.Name)
	if err != nil {
		return "", err
	}
	if config == nil {
		return fmt.Sprintf("configmap %q not found", ref.Name), nil
	}
	// Only text can be an environment variable.
	if _, ok := config.Data[ref.Key]; !ok {
		return fmt.Sprintf("couldn't find key %s in ConfigMap %s/%s", ref.Key, l.pod.Namespace, ref.Name), nil
	}
	return "", nil
}
