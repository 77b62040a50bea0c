package inputprovider

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"hearth/internal/render/resourceset"
)

// rsaKey makes a key in PEM.
func rsaKey(t *testing.T) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
}

// serveTags runs a registry with a repository that has these tags, for those who
// log in as jo.
func serveTags(t *testing.T, tags ...string) (host, digest string) {
	t.Helper()
	handler := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	closed := false
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); closed && (user != "jo" || password != "p4ss") {
			rw.Header().Set("WWW-Authenticate", `Basic realm="tags"`)
			http.Error(rw, "log in", http.StatusUnauthorized)
			return
		}
		handler.ServeHTTP(rw, r)
	}))
	t.Cleanup(server.Close)
	host = strings.TrimPrefix(server.URL, "http://")
	for _, tag := range tags {
		ref, err := name.NewTag(host+"/team/app:"+tag, name.Insecure)
		if err != nil {
			t.Fatal(err)
		}
		if err := remote.Write(ref, empty.Image); err != nil {
			t.Fatal(err)
		}
	}
	closed = true
	hash, err := empty.Image.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return host, hash.String()
}

func pullSecret(name, host string) *corev1.Secret {
	auth := base64.StdEncoding.EncodeToString([]byte("jo:p4ss"))
	return secret(name, map[string]string{corev1.DockerConfigJsonKey: `{"auths":{"http://` + host + `/v1/":{"auth":"` + auth + `"}}}`})
}

func TestOCITags(t *testing.T) {
	host, digest := serveTags(t, "1.2.0", "1.10.0", "2.0.0", "latest", "1.10.1-rc.1")
	account := &corev1.ServiceAccount{
		ObjectMeta:       metav1.ObjectMeta{Namespace: "apps", Name: "puller"},
		ImagePullSecrets: []corev1.LocalObjectReference{{Name: "pull"}},
	}
	w := newWorld(t, pullSecret("pull", host), account)
	line := func(tag string) string {
		return `{"digest":"` + digest + `","id":"` + resourceset.ID(tag) + `","tag":"` + tag + `"}`
	}
	base := "type: OCIArtifactTag\ninsecure: true\nurl: oci://" + host + "/team/app\n"
	w.spec(base + "secretRef: {name: pull}\nfilter: {semver: 1.x, limit: 2}")
	same(t, w.exports(), line("1.10.0"), line("1.2.0"))
	w.spec(base + "serviceAccountName: puller\nfilter: {includeTag: ^1, excludeTag: rc}")
	same(t, w.exports(), line("1.2.0"), line("1.10.0"))
	w.spec(base)
	if message := w.fails("ReconciliationFailed"); !strings.Contains(message, "failed to list OCI tags") || strings.Contains(message, "p4ss") {
		t.Errorf("without a login: %s", message)
	}
}

func TestABrokenFilterIsTold(t *testing.T) {
	w := newWorld(t)
	for filter, want := range map[string]string{"{includeTag: '('}": "invalid includeTag regex", "{semver: 'not one'}": "invalid semver expression"} {
		w.spec("type: OCIArtifactTag\nurl: oci://example.org/a\nfilter: " + filter)
		if message := w.fails("ReconciliationFailed"); !strings.Contains(message, want) {
			t.Errorf("%s: %s", filter, message)
		}
	}
}
