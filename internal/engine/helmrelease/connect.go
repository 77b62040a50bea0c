package helmrelease

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/engine/helmrelease/helmkube"
	"hearth/internal/engine/remote"
)

// maxConnections bounds how many connections are kept beside Hearth's own.
const maxConnections = 256

// connect chooses the cluster and the identity that the release is made with.
func (s *step) connect(ctx context.Context) error {
	user := ""
	if account := s.hr.Spec.ServiceAccountName; account != "" {
		user = "system:serviceaccount:" + s.hr.Namespace + ":" + account
	}
	if s.hr.Spec.KubeConfig != nil {
		return s.connectRemote(ctx, user)
	}
	s.connection = s.conn
	if user == "" {
		return nil
	}
	return s.keepConnection(user, func() (*helmkube.Connection, error) { return s.conn.As(user) })
}

// connectRemote chooses the cluster that spec.kubeConfig names. The connection
// is kept for as long as the kubeconfig says the same.
func (s *step) connectRemote(ctx context.Context, user string) error {
	content, from, err := remote.KubeConfig(ctx, s.client, s.hr.Namespace, s.hr.Spec.KubeConfig)
	if err != nil {
		return err
	}
	digest := sha256.Sum256(content)
	return s.keepConnection("kubeconfig "+hex.EncodeToString(digest[:])+" "+user, func() (*helmkube.Connection, error) {
		config, err := remote.Config(content)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", from, err)
		}
		config.Impersonate.UserName = user
		return helmkube.ConnectRemote(config)
	})
}

// keepConnection takes the connection of a key, or makes it.
func (s *step) keepConnection(key string, make func() (*helmkube.Connection, error)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	conn := s.users[key]
	if conn == nil {
		var err error
		if conn, err = make(); err != nil {
			return err
		}
		if len(s.users) >= maxConnections {
			clear(s.users)
		}
		s.users[key] = conn
	}
	s.connection = conn
	return nil
}

// unreachable says why a release that is to be uninstalled cannot be, for good,
// or nothing: whoever made it is no more, as while a namespace is taken down.
func (s *step) unreachable(ctx context.Context) (string, error) {
	account := s.hr.Spec.ServiceAccountName
	if s.hr.Spec.KubeConfig != nil {
		_, _, err := remote.KubeConfig(ctx, s.client, s.hr.Namespace, s.hr.Spec.KubeConfig)
		if apierrors.IsNotFound(err) {
			return err.Error(), nil
		}
		return "", err
	}
	if account == "" {
		return "", nil
	}
	key := client.ObjectKey{Namespace: s.hr.Namespace, Name: account}
	found := &metav1.PartialObjectMetadata{}
	found.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("ServiceAccount"))
	err := s.conn.Objects().Get(ctx, key, found)
	if apierrors.IsNotFound(err) {
		return fmt.Sprintf("the service account %s does not exist", key), nil
	}
	return "", err
}
