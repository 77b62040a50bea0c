package integration_test

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fluxcd/pkg/apis/meta"
	corev1 "k8s.io/api/core/v1"
	apitypes "k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/engine/kustomization"
)

// sopsFile reads one of the files that SOPS itself wrote, and their keys.
func sopsFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../render/sops/testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// writeRaw writes files of the repository as they are.
func (g *gitops) writeRaw(files map[string][]byte) {
	g.t.Helper()
	for name, content := range files {
		path := filepath.Join(g.tree, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			g.t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			g.t.Fatal(err)
		}
	}
}

// setKeys makes the Secret that is decrypted with.
func (g *gitops) setKeys(file string) {
	g.t.Helper()
	g.apply(fmt.Sprintf("{apiVersion: v1, kind: Secret, metadata: {name: sops-age, namespace: %s}, data: {home.agekey: %s}}",
		g.namespace, base64.StdEncoding.EncodeToString(sopsFile(g.t, file))))
}

func (g *gitops) secretData(name string) map[string]string {
	g.t.Helper()
	secret := &corev1.Secret{}
	if err := g.client.Get(g.t.Context(), apitypes.NamespacedName{Namespace: g.namespace, Name: name}, secret); err != nil {
		g.t.Fatal(err)
	}
	data := map[string]string{}
	for key, value := range secret.Data {
		data[key] = string(value)
	}
	return data
}

// encryptedApp is a folder with everything that Flux decrypts.
func encryptedApp(t testing.TB, dir string) map[string][]byte {
	t.Helper()
	entry := func(file string) string {
		return base64.StdEncoding.EncodeToString(sopsFile(t, "encrypted/"+file))
	}
	return map[string][]byte{
		dir + "/secret.yaml": sopsFile(t, "encrypted/secret.yaml"),
		dir + "/entries.yaml": fmt.Appendf(nil, "apiVersion: v1\nkind: Secret\nmetadata: {name: entries}\ndata: {values.yaml: %s, vars.env: %s, settings.ini: %s, blob: %s, plain: %s, .dockerconfigjson: %s}\n",
			entry("config.yaml"), entry("app.env"), entry("app.ini"), entry("blob.bin"), base64.StdEncoding.EncodeToString([]byte("as it is")), entry("config.json")),
		dir + "/left.yaml":    fmt.Appendf(nil, "apiVersion: v1\nkind: Secret\nmetadata: {name: left, annotations: {kustomize.toolkit.fluxcd.io/decrypt: Disabled}}\ndata: {vars.env: %s}\n", entry("app.env")),
		dir + "/patched.yaml": []byte("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: patched}\n"),
		dir + "/kustomization.yaml": []byte(`resources: [secret.yaml, entries.yaml, left.yaml, patched.yaml]
components: [../parts]
patches: [{path: patch.yaml}]
generatorOptions: {disableNameSuffixHash: true}
secretGenerator:
  - name: generated
    files: [app.ini, token=key.txt, config.json]
  - name: variables
    envs: [app.env]
`),
		dir + "/patch.yaml":  sopsFile(t, "encrypted/patch.yaml"),
		dir + "/app.ini":     sopsFile(t, "encrypted/app.ini"),
		dir + "/key.txt":     sopsFile(t, "encrypted/key.txt"),
		dir + "/config.json": sopsFile(t, "encrypted/config.json"),
		dir + "/app.env":     sopsFile(t, "encrypted/app.env"),
		"parts/kustomization.yaml": []byte("apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n" +
			"secretGenerator: [{name: part, files: [key.txt], options: {disableNameSuffixHash: true}}]\n"),
		"parts/key.txt": sopsFile(t, "encrypted/key.txt"),
	}
}

func TestKustomizationDecrypts(t *testing.T) {
	t.Parallel()
	g := newGitOps(t, nil)
	g.writeRaw(encryptedApp(t, "apps"))
	g.run(cluster(t).Config())
	g.setKeys("test.agekey")
	g.kustomization("apps", "{targetNamespace: "+g.namespace+", decryption: {provider: sops, secretRef: {name: sops-age}}}")
	g.ready("apps")

	plain := func(file string) string { return string(sopsFile(t, "decrypted/"+file)) }
	for secret, entries := range map[string]map[string]string{
		"app":       {"password": "plain-password-1", "note": "two lines\nof a value\n"},
		"entries":   {"values.yaml": plain("config.yaml"), "vars.env": plain("app.env"), "settings.ini": plain("app.ini"), "blob": plain("blob.bin"), "plain": "as it is", ".dockerconfigjson": plain("config.json")},
		"generated": {"app.ini": plain("app.ini"), "token": plain("key.txt"), "config.json": plain("config.json")},
		"variables": {"USER": "postgres", "PASSWORD": `pa=ss word\nnext`, "EMPTY": "", "N": "5"},
		"left":      {"vars.env": string(sopsFile(t, "encrypted/app.env"))},
		"part":      {"key.txt": plain("key.txt")},
	} {
		got := g.secretData(secret)
		for name, want := range entries {
			if got[name] != want {
				t.Errorf("Secret %s: %s is %q, want %q", secret, name, got[name], want)
			}
		}
		if len(got) != len(entries) {
			t.Errorf("Secret %s has %d entries, want %d", secret, len(got), len(entries))
		}
	}
	if got := g.configMap("patched").Data["value"]; got != "from-an-encrypted-patch" {
		t.Errorf("the encrypted patch made it %q", got)
	}
}

// TestKustomizationDecryptionFails shows that what cannot be decrypted is told
// without a word of the secret, changes nothing, and recovers with its key.
func TestKustomizationDecryptionFails(t *testing.T) {
	t.Parallel()
	g := newGitOps(t, map[string]string{"apps/a.yaml": configMap("a", "1")})
	g.run(cluster(t).Config())
	g.kustomization("apps", "{targetNamespace: "+g.namespace+"}")
	first := g.ready("apps")

	g.writeRaw(map[string][]byte{"apps/secret.yaml": sopsFile(t, "encrypted/secret.yaml")})
	g.push(map[string]string{"apps/a.yaml": configMap("a", "2")})
	g.failed("apps", meta.BuildFailedReason, "Secret/"+g.namespace+"/app is SOPS encrypted, configuring decryption is required for this secret to be reconciled (apps/secret.yaml:1)")

	g.kustomization("apps", "{targetNamespace: "+g.namespace+", decryption: {provider: sops, secretRef: {name: sops-age}}}")
	g.failed("apps", meta.BuildFailedReason, "decryption Secret '"+g.namespace+"/sops-age' not found")
	g.setKeys("other.agekey")
	stuck := g.failed("apps", meta.BuildFailedReason, "none of the age identities at hand belongs to what it is encrypted for: age1")
	if told := fmt.Sprint(stuck.Status, g.events("apps")); strings.Contains(told, "plain-password") || strings.Contains(told, "AGE-SECRET") {
		t.Error("a secret's value shows")
	}
	if got := g.configMap("a").Data["value"]; got != "1" {
		t.Errorf("a build that failed applied %q", got)
	}
	g.setKeys("test.agekey")
	g.readyAgain("apps", first.Status.LastAppliedRevision)
	if got := g.secretData("app")["password"]; got != "plain-password-1" {
		t.Errorf("with the key at hand the password is %q", got)
	}

	// An edited file: its values do not fit its checksum any more.
	spoiled := strings.Replace(string(sopsFile(t, "encrypted/app.ini")), "[database]", "[database]\nextra = x", 1)
	g.writeRaw(map[string][]byte{"apps/app.ini": []byte(spoiled), "apps/kustomization.yaml": []byte("resources: [secret.yaml, a.yaml]\nsecretGenerator: [{name: generated, files: [app.ini]}]\n")})
	g.push(nil)
	g.failed("apps", meta.BuildFailedReason, "(apps/app.ini)")
}

// TestKustomizationDecryptedValuesStayHidden lets the server cite what it was
// sent: a decrypted value must not show.
func TestKustomizationDecryptedValuesStayHidden(t *testing.T) {
	t.Parallel()
	g := newGitOps(t, nil)
	g.writeRaw(map[string][]byte{
		"apps/patch.yaml":         sopsFile(t, "encrypted/patch.yaml"),
		"apps/service.yaml":       []byte("apiVersion: v1\nkind: Service\nmetadata: {name: bad}\nspec: {ports: [{port: 80}]}\n"),
		"apps/patched.yaml":       []byte("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: patched}\n"),
		"apps/kustomization.yaml": []byte("resources: [service.yaml, patched.yaml]\npatches: [{path: patch.yaml}]\nreplacements:\n- source: {kind: ConfigMap, name: patched, fieldPath: data.value}\n  targets: [{select: {kind: Service}, fieldPaths: [spec.type], options: {create: true}}]\n"),
	})
	g.run(cluster(t).Config())
	g.setKeys("test.agekey")
	g.kustomization("apps", "{targetNamespace: "+g.namespace+", decryption: {provider: sops, secretRef: {name: sops-age}}}")
	bad := g.failed("apps", meta.ReconciliationFailedReason, "*****")
	if strings.Contains(fmt.Sprint(bad.Status, g.events("apps")), "from-an-encrypted-patch") {
		t.Error("a decrypted value shows")
	}
}

// TestKustomizationLateKeys goes on without keys for as long as none is needed.
func TestKustomizationLateKeys(t *testing.T) {
	t.Parallel()
	g := startGitOps(t, map[string]string{"apps/a.yaml": configMap("a", "1")}, func(o *kustomization.Options) { o.LateKeys = true })
	g.kustomization("apps", "{targetNamespace: "+g.namespace+", decryption: {provider: sops, secretRef: {name: sops-age}}}")
	g.ready("apps")
	g.writeRaw(map[string][]byte{"apps/secret.yaml": sopsFile(t, "encrypted/secret.yaml")})
	g.push(nil)
	g.failed("apps", meta.BuildFailedReason, "decryption Secret '"+g.namespace+"/sops-age' not found")
	if err := g.client.Get(t.Context(), apitypes.NamespacedName{Namespace: g.namespace, Name: "app"}, &corev1.Secret{}); client.IgnoreNotFound(err) != nil {
		t.Error(err)
	} else if err == nil {
		t.Error("an encrypted Secret was applied")
	}
}
