package graph

import (
	"strings"
	"testing"
)

// provided holds makers of all sorts.
const provided = `
apiVersion: v1
kind: Namespace
metadata: {name: media, labels: {tier: apps}}
---
apiVersion: v1
kind: Namespace
metadata: {name: home, labels: {tier: lan}}
---
apiVersion: v1
kind: Secret
metadata:
  name: shared
  namespace: media
  annotations:
    reflector.v1.k8s.emberstack.com/reflection-allowed: "true"
    reflector.v1.k8s.emberstack.com/reflection-auto-enabled: "true"
    reflector.v1.k8s.emberstack.com/reflection-auto-namespaces: "home,net.*"
stringData: {a: b}
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: named, namespace: media}
spec: {secretStoreRef: {kind: ClusterSecretStore, name: op}, target: {name: named-secret}}
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: plain, namespace: media}
spec: {secretStoreRef: {kind: ClusterSecretStore, name: op}}
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: merged, namespace: media}
spec: {secretStoreRef: {kind: ClusterSecretStore, name: op}, target: {creationPolicy: Merge}}
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: settings, namespace: media}
spec: {secretStoreRef: {kind: ClusterSecretStore, name: op}, target: {manifest: {apiVersion: v1, kind: ConfigMap}}}
---
apiVersion: external-secrets.io/v1
kind: ClusterExternalSecret
metadata: {name: everywhere}
spec:
  externalSecretName: token
  namespaceSelectors: [{matchLabels: {tier: apps}}]
  externalSecretSpec: {secretStoreRef: {kind: ClusterSecretStore, name: op}}
---
apiVersion: external-secrets.io/v1
kind: ClusterSecretStore
metadata: {name: op, namespace: wrongly}
spec: {provider: {onepassword: {auth: {secretRef: {connectTokenSecretRef: {name: shared, key: a, namespace: media}}}}}}
---
apiVersion: external-secrets.io/v1
kind: ClusterSecretStore
metadata: {name: next-door}
spec: {provider: {kubernetes: {remoteNamespace: home, server: {}}}}
---
apiVersion: external-secrets.io/v1alpha1
kind: PushSecret
metadata: {name: push, namespace: media}
spec:
  secretStoreRefs: [{kind: ClusterSecretStore, name: next-door}, {kind: ClusterSecretStore, name: op}]
  selector: {secret: {name: named-secret}}
  data: [{match: {remoteRef: {remoteKey: pushed}}}]
---
apiVersion: external-secrets.io/v1
kind: SecretStore
metadata: {name: nas, namespace: home}
spec: {provider: {kubernetes: {remoteNamespace: storage, server: {}}}}
---
apiVersion: external-secrets.io/v1alpha1
kind: ClusterPushSecret
metadata: {name: push-all}
spec:
  namespaceSelectors: [{matchLabels: {tier: lan}}]
  pushSecretSpec:
    secretStoreRefs: [{kind: ClusterSecretStore, name: next-door}, {name: nas}]
    selector: {secret: {name: named-secret}}
    data: [{match: {remoteRef: {remoteKey: pushed-by-all}}}]
---
apiVersion: external-secrets.io/v1alpha1
kind: ClusterPushSecret
metadata: {name: push-none}
spec:
  namespaceSelectors: [{matchLabels: {tier: none}}]
  pushSecretSpec:
    secretStoreRefs: [{name: nas}]
    selector: {secret: {name: named-secret}}
    data: [{match: {remoteRef: {remoteKey: pushed-by-none}}}]
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: wildcard, namespace: home}
spec: {secretName: wildcard-tls, issuerRef: {name: le, kind: ClusterIssuer}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: app, namespace: media, annotations: {cert-manager.io/cluster-issuer: le}}
spec: {tls: [{secretName: app-tls}]}
---
apiVersion: postgresql.cnpg.io/v1
kind: Cluster
metadata: {name: pg, namespace: media}
spec: {enableSuperuserAccess: true}
---
apiVersion: postgresql.cnpg.io/v1
kind: Cluster
metadata: {name: own, namespace: media}
spec:
  superuserSecret: {name: named-secret}
  bootstrap: {initdb: {secret: {name: plain}}}
  managed: {services: {disabledDefaultServices: ["ro", "r"], additional: [{selectorType: rw, serviceTemplate: {metadata: {name: own-lb}}}]}}
---
apiVersion: postgresql.cnpg.io/v1
kind: Cluster
metadata: {name: restored, namespace: media}
spec: {bootstrap: {recovery: {source: old}}}
---
apiVersion: postgresql.cnpg.io/v1
kind: Pooler
metadata: {name: pool, namespace: media}
spec: {cluster: {name: pg}}
---
apiVersion: dragonflydb.io/v1alpha1
kind: Dragonfly
metadata: {name: cache, namespace: media}
---
apiVersion: ceph.rook.io/v1
kind: CephObjectStoreUser
metadata: {name: loki, namespace: rook}
spec: {store: s3}
---
apiVersion: objectbucket.io/v1alpha1
kind: ObjectBucketClaim
metadata: {name: bucket, namespace: media}
---
apiVersion: fluxcd.controlplane.io/v1
kind: FluxInstance
metadata: {name: flux, namespace: flux-system}
spec: {sync: {kind: OCIRepository, url: "oci://x/y", ref: latest, path: a}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: queue, namespace: media}
spec: {replicas: 2, volumeClaimTemplates: [{metadata: {name: data}}], template: {spec: {containers: []}}}
---
apiVersion: v1
kind: PersistentVolume
metadata: {name: nas}
spec: {storageClassName: nas-static, nfs: {server: nas, path: /x}}
---
apiVersion: talos.dev/v1alpha1
kind: ServiceAccount
metadata: {name: backup, namespace: media}
---
apiVersion: widgets.example.com/v1
kind: Widget
metadata: {name: gadget, namespace: media}
spec: {output: {secret: gadget-keys-elsewhere}}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: rook-ceph-cluster, namespace: rook}
spec:
  interval: 1h
  chart: {spec: {chart: rook-ceph-cluster, version: v1, sourceRef: {kind: HelmRepository, name: rook}}}
  values:
    cephBlockPools: [{name: p, storageClass: {enabled: true, name: fast-block}}, {name: q, storageClass: {enabled: false, name: off}}]
    cephObjectStores: []
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {name: rook, namespace: rook}
spec: {url: "https://charts.example.com"}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: nfs, namespace: kube-system}
spec:
  interval: 1h
  chart: {spec: {chart: some-csi-driver, version: v1, sourceRef: {kind: HelmRepository, name: rook, namespace: rook}}}
  values: {storageClasses: [{name: from-list}], persistence: {storageClass: only-named}}
`

func TestProvider(t *testing.T) {
	g := graphOf(t, provided)
	for _, test := range []struct{ object, want string }{
		{"Secret/media/shared", "Secret media/shared"},
		{"Secret/home/shared", "Secret media/shared"},
		{"Secret/network/shared", "Secret media/shared"},
		{"Secret/other/shared", "nothing"},
		{"Secret/media/named-secret", "ExternalSecret media/named"},
		{"Secret/media/named", "nothing"},
		{"Secret/media/plain", "ExternalSecret media/plain"},
		{"Secret/home/plain", "nothing"},
		{"Secret//plain", "ExternalSecret media/plain"},
		{"Secret/media/merged", "nothing"},
		{"Secret/media/settings", "nothing"},
		{"ConfigMap/media/settings", "ExternalSecret media/settings"},
		{"Secret/media/token", "ClusterExternalSecret everywhere"},
		{"Secret/home/token", "nothing"},
		{"Secret/home/pushed", "PushSecret media/push"},
		{"Secret/media/pushed", "nothing"},
		{"Secret/home/pushed-by-all", "ClusterPushSecret push-all"},
		{"Secret/storage/pushed-by-all", "ClusterPushSecret push-all"},
		{"Secret/media/pushed-by-all", "nothing"},
		{"Secret/storage/pushed-by-none", "nothing"},
		{"Secret/home/wildcard-tls", "Certificate home/wildcard"},
		{"Secret/media/app-tls", "Ingress media/app"},
		{"external-secrets.io|ClusterSecretStore//op", "ClusterSecretStore wrongly/op"},
		{"external-secrets.io|ClusterSecretStore/media/op", "ClusterSecretStore wrongly/op"},
		{"Secret/media/pg-app", "Cluster media/pg"},
		{"Secret/media/pg-superuser", "Cluster media/pg"},
		{"Secret/media/pg-ca", "Cluster media/pg"},
		{"Service/media/pg-rw", "Cluster media/pg"},
		{"Service/media/pg-ro", "Cluster media/pg"},
		{"Service/media/pg", "nothing"},
		{"Service/media/pool", "Pooler media/pool"},
		{"Secret/media/own-app", "nothing"},
		{"Secret/media/own-superuser", "nothing"},
		{"Service/media/own-rw", "Cluster media/own"},
		{"Service/media/own-ro", "nothing"},
		{"Service/media/own-lb", "Cluster media/own"},
		{"Secret/media/restored-app", "nothing"},
		{"Service/media/cache", "Dragonfly media/cache"},
		{"Secret/rook/rook-ceph-object-user-s3-loki", "CephObjectStoreUser rook/loki"},
		{"Secret/media/bucket", "ObjectBucketClaim media/bucket"},
		{"ConfigMap/media/bucket", "ObjectBucketClaim media/bucket"},
		{"source.toolkit.fluxcd.io|OCIRepository/flux-system/flux-system", "FluxInstance flux-system/flux"},
		{"Service/flux-system/webhook-receiver", "FluxInstance flux-system/flux"},
		{"PersistentVolumeClaim/media/data-queue-1", "StatefulSet media/queue"},
		{"PersistentVolumeClaim/media/data-queue-2", "nothing"},
		{"Secret/media/backup", "ServiceAccount media/backup"},
		{"storage.k8s.io|StorageClass//nas-static", "PersistentVolume nas"},
		{"storage.k8s.io|StorageClass//fast-block", "HelmRelease rook/rook-ceph-cluster"},
		{"storage.k8s.io|StorageClass//ceph-filesystem", "HelmRelease rook/rook-ceph-cluster"},
		{"storage.k8s.io|StorageClass//off", "nothing"},
		{"storage.k8s.io|StorageClass//ceph-bucket", "nothing"},
		{"storage.k8s.io|StorageClass//from-list", "HelmRelease kube-system/nfs"},
		{"storage.k8s.io|StorageClass//only-named", "nothing"},
		{"ceph.rook.io|CephCluster/rook/rook", "HelmRelease rook/rook-ceph-cluster"},
		{"ServiceAccount/media/default", "run time"},
		{"ServiceAccount/media/other", "nothing"},
		{"ConfigMap/media/kube-root-ca.crt", "run time"},
		{"Service/default/kubernetes", "run time"},
		{"Namespace//kube-system", "run time"},
		{"rbac.authorization.k8s.io|ClusterRole//cluster-admin", "run time"},
		{"Service/media/kubernetes", "nothing"},
	} {
		k := kind{}
		k.group, k.name, _ = strings.Cut(test.object, "|")
		if k.name == "" {
			k.group, k.name = "", k.group
		}
		parts := strings.SplitN(k.name, "/", 3)
		by, known := g.Provider(k.group, parts[0], parts[1], parts[2])
		got := "nothing"
		switch {
		case by != nil && !known:
			t.Errorf("%s: made by %s, and not known", test.object, by.Ref)
		case by != nil:
			got = by.Ref.String()
		case known:
			got = "run time"
		}
		if got != test.want {
			t.Errorf("%s is made by %s, want %s", test.object, got, test.want)
		}
	}
}

func TestDoubt(t *testing.T) {
	g := graphOf(t, provided)
	for _, test := range []struct{ kind, namespace, name, want string }{
		{"Service", "rook", "anything", "the chart rook-ceph-cluster of HelmRelease rook/rook-ceph-cluster is not at hand"},
		{"Service", "media", "anything", ""},
		{"Secret", "media", "gadget", "the operator of Widget media/gadget may make it"},
		{"Service", "media", "gadget-http", "the operator of Widget media/gadget may make it"},
		{"Secret", "media", "gadget-keys-elsewhere", "the operator of Widget media/gadget may make it"},
		{"Secret", "media", "gadgets", ""},
		{"Secret", "home", "gadget", ""},
		{"Secret", "media", "unknown-app.invalid-secret", "the name is only known at run time"},
		{"StorageClass", "", "typo", "the chart some-csi-driver of HelmRelease kube-system/nfs is not at hand"},
		{"Namespace", "", "typo", ""},
		{"GitRepository", "rook", "typo", ""},
	} {
		why, doubt := g.DoubtAbout(test.kind, test.namespace, test.name)
		if doubt != (test.want != "") || why != test.want {
			t.Errorf("%s %s/%s: %q (%v), want %q", test.kind, test.namespace, test.name, why, doubt, test.want)
		}
	}
	if why, doubt := g.Doubt("Service", "media"); doubt {
		t.Errorf("Services in media are doubted: %s", why)
	}
}

// TestDoubtsOfReleases tells charts at hand, stand-ins and others apart.
func TestDoubtsOfReleases(t *testing.T) {
	g := graphOf(t, `-- apps/all.yaml --
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: charts, namespace: here}
spec: {url: "https://example.com/none", interval: 1h}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {name: app-template, namespace: played}
spec: {url: "oci://example.com/app-template", interval: 1h, ref: {tag: 4.0.0}}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: app, namespace: played}
spec:
  interval: 1h
  chartRef: {kind: OCIRepository, name: app-template}
  values: {controllers: {app: {containers: {app: {image: {repository: a/b, tag: "1"}}}}}}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: broken, namespace: flux-system}
spec: {path: ./none, targetNamespace: broken, interval: 1h, prune: true, sourceRef: {kind: GitRepository, name: flux-system}}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: foreign, namespace: here}
spec: {path: ./x, targetNamespace: foreign, interval: 1h, prune: true, sourceRef: {kind: GitRepository, name: charts}}
`)
	for namespace, want := range map[string]string{
		"played":  "",
		"broken":  "Kustomization flux-system/broken cannot be built",
		"foreign": "Kustomization here/foreign applies what is not in this repository",
	} {
		if why, _ := g.Doubt("Service", namespace); why != want {
			t.Errorf("a Service in %s: %q, want %q", namespace, why, want)
		}
	}
	if by, _ := g.Provider("apps", "Deployment", "played", "app"); by == nil || by.Release == nil {
		t.Errorf("the stand-in's Deployment is made by %v", by)
	}
}
