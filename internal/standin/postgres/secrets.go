package postgres

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const port = "5432"

// credentialsOf are the values of a Secret with which a user connects, in the
// keys that CloudNativePG documents.
func credentialsOf(namespace, host, database, user, password string) map[string]string {
	short := host + "." + namespace + ":" + port
	full := host + "." + namespace + ".svc.cluster.local:" + port
	return map[string]string{
		"username": user, "user": user, "password": password, "dbname": database, "host": host, "port": port,
		"pgpass":        fmt.Sprintf("%s:%s:%s:%s:%s\n", host, port, database, user, password),
		"uri":           connection(short, database, user, password),
		"fqdn-uri":      connection(full, database, user, password),
		"jdbc-uri":      java(short, database, user, password),
		"fqdn-jdbc-uri": java(full, database, user, password),
	}
}

func connection(host, database, user, password string) string {
	u := url.URL{Scheme: "postgresql", User: url.UserPassword(user, password), Host: host, Path: database}
	return u.String()
}

func java(host, database, user, password string) string {
	u := url.URL{Scheme: "jdbc:postgresql", Host: host, Path: database, RawQuery: url.Values{"user": {user}, "password": {password}}.Encode()}
	return u.String()
}

// makeSecrets makes the Secrets that the operator makes, where their owner
// supplies none.
func (c *cluster) makeSecrets(ctx context.Context) error {
	name, namespace := c.Object.GetName(), c.Object.GetNamespace()
	database, owner, supplied := c.spec.application()
	if supplied == nil {
		err := c.makeSecret(ctx, name+"-app", corev1.SecretTypeBasicAuth, "app", credentialsOf(namespace, name+"-rw", database, owner, c.password("app")))
		if err != nil {
			return err
		}
	}
	if c.spec.EnableSuperuserAccess && c.spec.SuperuserSecret == nil {
		err := c.makeSecret(ctx, name+"-superuser", corev1.SecretTypeBasicAuth, "superuser", credentialsOf(namespace, name+"-rw", "*", "postgres", c.password("superuser")))
		if err != nil {
			return err
		}
	}
	return c.makeCertificates(ctx)
}

// makeCertificates makes the Cluster's authority, and the key pairs of its
// server and its replicas.
func (c *cluster) makeCertificates(ctx context.Context) error {
	name := c.Object.GetName()
	if had, err := c.Find(ctx, secretKind, c.Object.GetNamespace(), name+"-replication"); had != nil || err != nil {
		return err
	}
	ca, key, err := c.player.authority.PEM()
	if err != nil {
		return err
	}
	if err := c.makeSecret(ctx, name+"-ca", corev1.SecretTypeOpaque, "", map[string]string{"ca.crt": string(ca), "ca.key": string(key)}); err != nil {
		return err
	}
	var hosts []string
	for _, suffix := range []string{"-rw", "-r", "-ro"} {
		host := name + suffix
		hosts = append(hosts, host, host+"."+c.Object.GetNamespace(), host+"."+c.Object.GetNamespace()+".svc")
	}
	for _, pair := range []struct {
		suffix, commonName string
		names              []string
	}{{"-server", name + "-rw", hosts}, {"-replication", "streaming_replica", nil}} {
		cert, key, err := c.player.authority.Pair(pair.commonName, pair.names)
		if err != nil {
			return err
		}
		err = c.makeSecret(ctx, name+pair.suffix, corev1.SecretTypeTLS, "", map[string]string{corev1.TLSCertKey: string(cert), corev1.TLSPrivateKeyKey: string(key)})
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *cluster) makeSecret(ctx context.Context, name string, kind corev1.SecretType, user string, values map[string]string) error {
	data := map[string]any{}
	for key, value := range values {
		data[key] = base64.StdEncoding.EncodeToString([]byte(value))
	}
	secret := &unstructured.Unstructured{Object: map[string]any{"type": string(kind), "data": data}}
	secret.SetGroupVersionKind(secretKind)
	secret.SetName(name)
	labels := map[string]string{"cnpg.io/cluster": c.Object.GetName(), "cnpg.io/reload": "true", "app.kubernetes.io/managed-by": component}
	if user != "" {
		labels["cnpg.io/userType"] = user
	}
	secret.SetLabels(labels)
	_, err := c.Make(ctx, secret, true)
	return err
}

// password is made up from the seed, so that a run repeats.
func (c *cluster) password(user string) string {
	mac := hmac.New(sha256.New, fmt.Appendf(nil, "%016x", c.Seed))
	fmt.Fprintf(mac, "%s %s", c.Key, user)
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// missingSecret returns the name of a Secret that the Cluster's author has to
// supply and has not; "" is none.
func (c *cluster) missingSecret(ctx context.Context) (string, error) {
	_, _, supplied := c.spec.application()
	wanted := []*corev1.LocalObjectReference{supplied}
	if c.spec.EnableSuperuserAccess {
		wanted = append(wanted, c.spec.SuperuserSecret)
	}
	for _, ref := range wanted {
		if ref == nil || ref.Name == "" {
			continue
		}
		secret, err := c.Find(ctx, secretKind, c.Object.GetNamespace(), ref.Name)
		if secret == nil || err != nil {
			return ref.Name, err
		}
	}
	return "", nil
}
