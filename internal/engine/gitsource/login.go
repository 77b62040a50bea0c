package gitsource

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"

	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing/transport/http"
	gitssh "github.com/go-git/go-git/v5/plumbing/transport/ssh"
	"golang.org/x/crypto/ssh"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// login takes the credentials for a repository out of the Secret that its spec
// names.
func (r *reconciler) login(ctx context.Context, obj *sourcev1.GitRepository) (*git.CloneOptions, error) {
	options := &git.CloneOptions{}
	u, err := url.Parse(obj.Spec.URL)
	if err != nil {
		return nil, errors.New("the repository's URL is invalid")
	}
	var data map[string][]byte
	if obj.Spec.SecretRef != nil {
		key := client.ObjectKey{Namespace: obj.Namespace, Name: obj.Spec.SecretRef.Name}
		secret := &corev1.Secret{}
		if err := r.client.Get(ctx, key, secret); err != nil {
			return nil, fmt.Errorf("failed to get secret '%s': %w", key, err)
		}
		data = secret.Data
	}
	switch u.Scheme {
	case "ssh":
		options.Auth, err = sshLogin(u, data)
		return options, err
	case "http", "https":
		options.CABundle = firstOf(data, "ca.crt", "caFile")
		if token := data["bearerToken"]; len(token) > 0 {
			options.Auth = &http.TokenAuth{Token: string(token)}
		} else if password := data["password"]; len(password) > 0 {
			options.Auth = &http.BasicAuth{Username: string(data["username"]), Password: string(password)}
		}
	}
	return options, nil
}

// sshLogin reads a private key and the host keys to accept.
func sshLogin(u *url.URL, data map[string][]byte) (*gitssh.PublicKeys, error) {
	if len(data["identity"]) == 0 || len(data["known_hosts"]) == 0 {
		return nil, errors.New("a repository over ssh needs spec.secretRef with the keys identity and known_hosts")
	}
	user := "git"
	if u.User != nil && u.User.Username() != "" {
		user = u.User.Username()
	}
	keys, err := gitssh.NewPublicKeys(user, data["identity"], string(data["password"]))
	if err != nil {
		return nil, errors.New("the secret's identity is no private key that can be read with its password")
	}
	keys.HostKeyCallback, err = knownHosts(data["known_hosts"])
	return keys, err
}

// knownHosts reads host keys; the library takes them from a file only.
func knownHosts(content []byte) (ssh.HostKeyCallback, error) {
	file, err := os.CreateTemp("", "hearth-known-hosts-")
	if err != nil {
		return nil, fmt.Errorf("read the secret's known_hosts: %w", err)
	}
	defer os.Remove(file.Name())
	_, err = file.Write(content)
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return nil, fmt.Errorf("read the secret's known_hosts: %w", err)
	}
	callback, err := gitssh.NewKnownHostsCallback(file.Name())
	if err != nil {
		return nil, errors.New("the secret's known_hosts cannot be read")
	}
	return callback, nil
}

func firstOf(data map[string][]byte, names ...string) []byte {
	for _, name := range names {
		if len(data[name]) > 0 {
			return data[name]
		}
	}
	return nil
}
