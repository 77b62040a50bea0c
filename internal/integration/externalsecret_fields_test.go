package integration_test

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/client"

	esv1 "hearth/internal/api/externalsecrets/v1"
)

const fieldsVault = `
vaults:
  - name: Homelab
    items:
      - {title: router, tags: [net, home], fields: [{label: admin pass, value: c4n4ry-a}, {label: "wi/fi", value: c4n4ry-w}]}
      - {title: switch, tags: [net], fields: [{label: port_1, value: c4n4ry-1}, {label: port_2, value: c4n4ry-2}]}
      - {title: merged, fields: [{label: one, value: '{"a":"c4n4ry-1","b":"c4n4ry-2"}'}, {label: two, value: '{"b":"c4n4ry-3"}'}]}
      - {title: coded, fields: [{label: plain, value: YzRuNHJ5}, {label: url, value: "YzRuNHJ5LV8_"}]}
`

// TestExternalSecretFields syncs one ExternalSecret for each way to name, find,
// rename and decode values.
func TestExternalSecretFields(t *testing.T) {
	s := startSecrets(t)
	s.vault(fieldsVault)
	s.connectStore(true)
	s.localStore("versions", `fake: {data: [{key: k, value: c4n4ry-old, version: v1}, {key: k, value: c4n4ry-new, version: v2}, {key: base, value: '{"x":"YzRuNHJ5"}'}]}`)
	s.localStore("here", `kubernetes: {remoteNamespace: `+s.namespace+`}`)
	origin := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "origin", Namespace: s.namespace, Labels: map[string]string{"app": "db", "find": "me"}, Annotations: map[string]string{"note": "x"}},
		StringData: map[string]string{"json": `{"user":{"name":"c4n4ry"},"list":["c4n4ry-0"]}`},
	}
	s.create(origin)
	s.create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "templates", Namespace: s.namespace}, StringData: map[string]string{"conf": "pass={{ .p }}"}})
	for name, tt := range map[string]struct {
		spec string
		want map[string]string
	}{
		"conversion":         {`dataFrom: [{extract: {key: router}}]`, map[string]string{"admin_pass": "c4n4ry-a", "wi_fi": "c4n4ry-w"}},
		"conversion-unicode": {`dataFrom: [{extract: {key: router, conversionStrategy: Unicode}}]`, map[string]string{"admin_U0020_pass": "c4n4ry-a", "wi_U002f_fi": "c4n4ry-w"}},
		"find-name":          {`dataFrom: [{find: {name: {regexp: "^port"}}}]`, map[string]string{"port_1": "c4n4ry-1", "port_2": "c4n4ry-2"}},
		"find-tags":          {`dataFrom: [{find: {tags: {net: "", home: ""}, conversionStrategy: Default}}]`, map[string]string{"admin_pass": "c4n4ry-a", "wi_fi": "c4n4ry-w"}},
		"find-path":          {`dataFrom: [{find: {path: coded, name: {regexp: plain}, decodingStrategy: Base64}}]`, map[string]string{"plain": "c4n4ry"}},
		"decoding":           {`dataFrom: [{extract: {key: coded, decodingStrategy: Auto}}]`, map[string]string{"plain": "c4n4ry", "url": "c4n4ry-_?"}},
		"extract-property":   {`dataFrom: [{extract: {key: switch, property: port_2}}]`, map[string]string{"port_2": "c4n4ry-2"}},
		"version":            {`{secretStoreRef: {name: versions}, data: [{secretKey: a, remoteRef: {key: k, version: v1}}, {secretKey: b, remoteRef: {key: k, version: v2}}]}`, map[string]string{"a": "c4n4ry-old", "b": "c4n4ry-new"}},
		"extract-decoding":   {`{secretStoreRef: {name: versions}, dataFrom: [{extract: {key: base, decodingStrategy: Base64}}]}`, map[string]string{"x": "c4n4ry"}},
		"metadata":           {`data: [{secretKey: tags, remoteRef: {key: router, property: tags, metadataPolicy: Fetch}}]`, map[string]string{"tags": `["net","home"]`}},
		"secret-metadata":    {`{secretStoreRef: {name: here}, data: [{secretKey: a, remoteRef: {key: origin, property: labels.app, metadataPolicy: Fetch}}]}`, map[string]string{"a": "db"}},
		"secret-nested":      {`{secretStoreRef: {name: here}, data: [{secretKey: a, remoteRef: {key: origin, property: json.user.name}}, {secretKey: b, remoteRef: {key: origin, property: json.list.0}}]}`, map[string]string{"a": "c4n4ry", "b": "c4n4ry-0"}},
		"secret-find":        {`{secretStoreRef: {name: here}, dataFrom: [{find: {tags: {find: me}}, rewrite: [{transform: {template: "{{ .value | upper }}"}}]}]}`, map[string]string{"ORIGIN": `{"json":"{\"user\":{\"name\":\"c4n4ry\"},\"list\":[\"c4n4ry-0\"]}"}`}},
		"merge":              {`dataFrom: [{extract: {key: merged}, rewrite: [{merge: {priority: [two], priorityPolicy: Strict, conflictPolicy: Error, strategy: Extract}}]}]`, map[string]string{"a": "c4n4ry-1", "b": "c4n4ry-3"}},
		"merge-json": {`dataFrom: [{extract: {key: merged}, rewrite: [{merge: {into: all, conflictPolicy: Ignore, strategy: JSON, priority: [none], priorityPolicy: IgnoreNotFound}}, {regexp: {source: "^(one|two)$", target: "in_$1"}}]}]`,
			map[string]string{"all": `{"a":"c4n4ry-1","b":"c4n4ry-3"}`, "in_one": `{"a":"c4n4ry-1","b":"c4n4ry-2"}`, "in_two": `{"b":"c4n4ry-3"}`}},
		"source-store": {`data: [{secretKey: a, remoteRef: {key: k, version: v1}, sourceRef: {storeRef: {name: versions, kind: SecretStore}}}]`, map[string]string{"a": "c4n4ry-old"}},
		"template-secret": {`{target: {template: {engineVersion: v2, templateFrom: [{secret: {name: templates, items: [{key: conf, templateAs: Values}]}, target: Data}]}}, data: [{secretKey: p, remoteRef: {key: switch, property: port_1}}]}`,
			map[string]string{"conf": "pass=c4n4ry-1"}},
		"template-replace": {`{target: {template: {mergePolicy: Replace, data: {x: "{{ .p }}"}}}, data: [{secretKey: p, remoteRef: {key: switch, property: port_1}}]}`, map[string]string{"x": "c4n4ry-1"}},
	} {
		t.Run(name, func(t *testing.T) {
			es := s.externalSecret(name, tt.spec)
			s.synced(es)
			if diff := cmp.Diff(tt.want, s.data(name)); diff != "" {
				t.Error(diff)
			}
		})
	}
	es := s.externalSecret("finalized", `{target: {template: {metadata: {finalizers: [example.com/keep], labels: {l: "{{ .p | len }}"}, annotations: {a: b}}}}, data: [{secretKey: p, remoteRef: {key: switch, property: port_1}}]}`)
	s.synced(es)
	secret := s.secret("finalized")
	if !slices.Contains(secret.Finalizers, "example.com/keep") || secret.Labels["l"] != "8" || secret.Annotations["a"] != "b" {
		t.Errorf("finalizers %v, labels %v, annotations %v", secret.Finalizers, secret.Labels, secret.Annotations)
	}
	secret.Finalizers = nil
	if err := s.client.Update(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
}

func TestClusterSecretStoreConditions(t *testing.T) {
	s := startSecrets(t)
	s.connectStore(true)
	store := &esv1.ClusterSecretStore{ObjectMeta: metav1.ObjectMeta{Name: s.store}}
	es := s.externalSecret("app", `{refreshInterval: "0", dataFrom: [{extract: {key: immich}}]}`)
	s.synced(es)
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.namespace}}
	if err := s.client.Patch(t.Context(), ns, client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"labels":{"team":"`+s.namespace+`"}}}`))); err != nil {
		t.Fatal(err)
	}
	for i, tt := range []struct {
		condition esv1.ClusterSecretStoreCondition
		admitted  bool
	}{
		{esv1.ClusterSecretStoreCondition{NamespaceRegexes: []string{"^none$"}}, false},
		{esv1.ClusterSecretStoreCondition{NamespaceRegexes: []string{"^none$", "^" + s.namespace + "$"}}, true},
		{esv1.ClusterSecretStoreCondition{NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"team": "none"}}}, false},
		{esv1.ClusterSecretStoreCondition{NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"team": s.namespace}}}, true},
		{esv1.ClusterSecretStoreCondition{Namespaces: []string{"none"}}, false},
		{esv1.ClusterSecretStoreCondition{Namespaces: []string{"none", s.namespace}}, true},
	} {
		if err := s.client.Get(t.Context(), client.ObjectKeyFromObject(store), store); err != nil {
			t.Fatal(err)
		}
		patch := client.MergeFrom(store.DeepCopy())
		store.Spec.Conditions = []esv1.ClusterSecretStoreCondition{tt.condition}
		if err := s.client.Patch(t.Context(), store, patch); err != nil {
			t.Fatal(err)
		}
		es := s.externalSecret(fmt.Sprint("app-", i), `{refreshInterval: 1s, dataFrom: [{extract: {key: immich}}]}`) // until the cache has the change
		if tt.admitted {
			s.synced(es)
		} else {
			s.awaitReady(es, corev1.ConditionFalse, "does not admit the namespace")
		}
	}
}

// TestSecretStoreOfAnotherCluster reads the shared cluster as if it were
// another one, logged in to in each way that there is.
func TestSecretStoreOfAnotherCluster(t *testing.T) {
	s := startSecrets(t)
	reader := s.readerAccount()
	config := s.front()
	s.create(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "authority", Namespace: s.namespace}, Data: map[string]string{"ca.crt": string(config.CAData)}})
	kubeconfig, err := clientcmd.Write(clientcmdapi.Config{
		Clusters:  map[string]*clientcmdapi.Cluster{"c": {Server: config.Host, CertificateAuthorityData: config.CAData}},
		AuthInfos: map[string]*clientcmdapi.AuthInfo{"u": {Token: reader}},
		Contexts:  map[string]*clientcmdapi.Context{"x": {Cluster: "c", AuthInfo: "u"}}, CurrentContext: "x",
	})
	if err != nil {
		t.Fatal(err)
	}
	s.plainSecret("login", map[string]string{"token": reader, "config": string(kubeconfig), "ca": string(config.CAData), "none": "c4n4ry"})
	s.plainSecret("origin", map[string]string{"k": "c4n4ry-k"})
	bundle, err := json.Marshal(config.CAData)
	if err != nil {
		t.Fatal(err)
	}
	stores := map[string]string{
		"token":   `server: {url: "` + config.Host + `", caBundle: ` + string(bundle) + `}, auth: {token: {bearerToken: {name: login, key: token}}}`,
		"account": `server: {url: "` + config.Host + `", caProvider: {type: ConfigMap, name: authority, key: ca.crt}}, auth: {serviceAccount: {name: reader}}`,
		"secret":  `server: {url: "` + config.Host + `", caProvider: {type: Secret, name: login, key: ca}}, auth: {token: {bearerToken: {name: login, key: token}}}`,
		"config":  `authRef: {name: login, key: config}`,
	}
	for name, provider := range stores {
		t.Run(name, func(t *testing.T) {
			s.localStore(name, `kubernetes: {remoteNamespace: `+s.namespace+`, `+provider+`}`)
			es := s.externalSecret("from-"+name, `{secretStoreRef: {name: `+name+`}, dataFrom: [{extract: {key: origin}}]}`)
			s.synced(es)
			if diff := cmp.Diff(map[string]string{"k": "c4n4ry-k"}, s.data("from-"+name)); diff != "" {
				t.Error(diff)
			}
		})
	}
	for name, tt := range map[string]struct{ provider, message string }{
		"bad-token":     {`server: {url: "` + config.Host + `", caBundle: ` + string(bundle) + `}, auth: {token: {bearerToken: {name: login, key: none}}}`, "does not let its Secrets"},
		"bad-authority": {`server: {url: "` + config.Host + `"}, auth: {token: {bearerToken: {name: login, key: token}}}`, "does not let its Secrets"},
		"bad-cert":      {`server: {url: "` + config.Host + `", caBundle: ` + string(bundle) + `}, auth: {cert: {clientCert: {name: login, key: ca}, clientKey: {name: login, key: gone}}}`, `has no key "gone"`},
		"bad-url":       {`server: {url: "http://127.0.0.1:1"}, auth: {token: {bearerToken: {name: login, key: token}}}`, "is no https URL"},
		"no-login":      {`server: {url: "` + config.Host + `"}`, "auth is missing"},
		"metadata-ip":   {`server: {url: "https://169.254.169.254"}, auth: {token: {bearerToken: {name: login, key: token}}}`, "does not let its Secrets"},
	} {
		store := s.localStore(name, `kubernetes: {remoteNamespace: `+s.namespace+`, `+tt.provider+`}`)
		s.await(store, tt.message, func() bool {
			c := esv1.GetCondition(store.Status.Conditions, esv1.ConditionReady)
			return c != nil && c.Status == corev1.ConditionFalse && strings.Contains(c.Message, tt.message) && !strings.Contains(c.Message, reader)
		})
	}
}

// front serves the shared cluster under a certificate for its address, and
// without a login of its own.
func (s *secrets) front() *rest.Config {
	s.t.Helper()
	anonymous := rest.AnonymousClientConfig(cluster(s.t).Config())
	transport, err := rest.TransportFor(anonymous)
	if err != nil {
		s.t.Fatal(err)
	}
	behind, err := url.Parse(anonymous.Host)
	if err != nil {
		s.t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(behind)
	proxy.Transport = transport
	server := httptest.NewTLSServer(proxy)
	s.t.Cleanup(server.Close)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	return &rest.Config{Host: server.URL, TLSClientConfig: rest.TLSClientConfig{CAData: ca}}
}

// readerAccount makes a ServiceAccount that may read the Secrets of the
// namespace, and returns a token of its.
func (s *secrets) readerAccount() string {
	s.t.Helper()
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "reader", Namespace: s.namespace}}
	s.create(account)
	s.create(&rbacv1.Role{
		ObjectMeta: metav1.ObjectMeta{Name: "reader", Namespace: s.namespace},
		Rules:      []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"get", "list"}}},
	})
	s.create(&rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "reader", Namespace: s.namespace},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "reader"},
		Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Name: "reader", Namespace: s.namespace}},
	})
	request := &authenticationv1.TokenRequest{}
	if err := s.client.SubResource("token").Create(context.Background(), account, request); err != nil {
		s.t.Fatal(err)
	}
	return request.Status.Token
}
