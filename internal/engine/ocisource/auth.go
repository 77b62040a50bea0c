package ocisource

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/fluxcd/pkg/runtime/secrets"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"github.com/google/go-containerregistry/pkg/authn"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/source"
)

// authenticate fills in the credentials and certificates that the spec names.
func (r *reconciler) authenticate(ctx context.Context, obj *sourcev1.OCIRepository, req *source.ChartRequest) error {
	var names []string
	if obj.Spec.SecretRef != nil {
		names = append(names, obj.Spec.SecretRef.Name)
	}
	if account := obj.Spec.ServiceAccountName; account != "" {
		var sa corev1.ServiceAccount
		if err := r.client.Get(ctx, client.ObjectKey{Namespace: obj.Namespace, Name: account}, &sa); err != nil {
			return fmt.Errorf("reading the ServiceAccount %s/%s: %w", obj.Namespace, account, err)
		}
		for _, ref := range sa.ImagePullSecrets {
			names = append(names, ref.Name)
		}
	}
	for _, name := range names {
		found, err := r.login(ctx, client.ObjectKey{Namespace: obj.Namespace, Name: name}, req)
		if err != nil {
			return err
		}
		if found {
			break
		}
	}
	if ref := obj.Spec.CertSecretRef; ref != nil {
		config, err := secrets.TLSConfigFromSecretRef(ctx, r.client, client.ObjectKey{Namespace: obj.Namespace, Name: ref.Name})
		if err != nil {
			return err
		}
		req.TLS = config
	}
	return nil
}

// login takes the credentials for the repository's registry out of a Secret
// of type kubernetes.io/dockerconfigjson.
func (r *reconciler) login(ctx context.Context, key client.ObjectKey, req *source.ChartRequest) (bool, error) {
	var secret corev1.Secret
	err := r.client.Get(ctx, key, &secret)
	if apierrors.IsNotFound(err) {
		return false, fmt.Errorf("reading the Secret %s: %w", key, errNoSecret)
	}
	if err != nil {
		return false, fmt.Errorf("reading the Secret %s: %w", key, err)
	}
	content, ok := secret.Data[corev1.DockerConfigJsonKey]
	if !ok {
		return false, fmt.Errorf("the Secret %s has no key %s", key, corev1.DockerConfigJsonKey)
	}
	logins, err := dockerLogins(content)
	if err != nil {
		// The cause would cite the content.
		return false, fmt.Errorf("the key %s of Secret %s is no Docker configuration", corev1.DockerConfigJsonKey, key)
	}
	registry, _, _ := strings.Cut(strings.TrimPrefix(req.URL, "oci://"), "/")
	login, ok := logins[registry]
	if !ok {
		return false, nil
	}
	req.Username, req.Password = login.Username, login.Password
	return true, nil
}

// dockerLogins reads the credentials of a Docker configuration, by registry.
func dockerLogins(content []byte) (map[string]authn.AuthConfig, error) {
	var config struct {
		Auths map[string]authn.AuthConfig `json:"auths"`
	}
	if err := json.Unmarshal(content, &config); err != nil {
		return nil, err
	}
	logins := map[string]authn.AuthConfig{}
	for server, login := range config.Auths {
		host := strings.TrimPrefix(strings.TrimPrefix(server, "https://"), "http://")
		host, _, _ = strings.Cut(host, "/")
		if host == "index.docker.io" {
			logins["docker.io"] = login
		}
		logins[host] = login
	}
	return logins, nil
}
