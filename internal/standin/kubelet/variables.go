package kubelet

import (
	"context"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// variable is one variable of a container's environment. Its value is looked
// at, and never told.
type variable struct {
	name, value string
	secret      bool
}

// variables returns the environment of a container as far as it comes from the
// pod itself, from Secrets and from ConfigMaps.
func (l lookup) variables(ctx context.Context, c *corev1.Container) ([]variable, error) {
	var all []variable
	for _, from := range c.EnvFrom {
		some, err := l.variablesFrom(ctx, from)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	for _, env := range c.Env {
		v, err := l.variableOf(ctx, env)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}

func (l lookup) variablesFrom(ctx context.Context, from corev1.EnvFromSource) (all []variable, err error) {
	if from.SecretRef != nil {
		secret, err := l.secret(ctx, from.SecretRef.Name)
		if secret == nil {
			return nil, err
		}
		for _, key := range slices.Sorted(maps.Keys(secret.Data)) {
			all = append(all, variable{from.Prefix + key, string(secret.Data[key]), true})
		}
	}
	if from.ConfigMapRef != nil {
		config, err := l.configMap(ctx, from.ConfigMapRef.Name)
		if config == nil {
			return nil, err
		}
		for _, key := range slices.Sorted(maps.Keys(config.Data)) {
			all = append(all, variable{from.Prefix + key, config.Data[key], false})
		}
	}
	return all, nil
}

func (l lookup) variableOf(ctx context.Context, env corev1.EnvVar) (variable, error) {
	v := variable{name: env.Name, value: env.Value}
	if env.ValueFrom == nil {
		return v, nil
	}
	if ref := env.ValueFrom.SecretKeyRef; ref != nil {
		secret, err := l.secret(ctx, ref.Name)
		if secret != nil {
			v.value, v.secret = string(secret.Data[ref.Key]), true
		}
		return v, err
	}
	if ref := env.ValueFrom.ConfigMapKeyRef; ref != nil {
		config, err := l.configMap(ctx, ref.Name)
		if config != nil {
			v.value = config.Data[ref.Key]
		}
		return v, err
	}
	return v, nil
}

// clusterObject names the kind of CloudNativePG's clusters.
func clusterObject() *metav1.PartialObjectMetadata {
	cluster := &metav1.PartialObjectMetadata{}
	cluster.SetGroupVersionKind(schema.GroupVersionKind{Group: "postgresql.cnpg.io", Version: "v1", Kind: "Cluster"})
	return cluster
}
