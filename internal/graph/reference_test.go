package graph

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// described writes a reference as one line.
func described(r Reference) string {
	line := r.Kind + " "
	if r.Namespace != "" {
		line += r.Namespace + "/"
	}
	line += r.Name
	if r.Key != "" {
		line += " key=" + r.Key
	}
	if r.Optional {
		line += " optional"
	}
	return line + " @" + strings.Join(r.Path, ".")
}

func TestReferences(t *testing.T) {
	for _, test := range []struct{ name, object, want string }{
		{"pods", `
apiVersion: apps/v1
kind: Deployment
metadata: {name: app, namespace: media}
spec:
  template:
    metadata: {annotations: {k8s.v1.cni.cncf.io/networks: "iot, network/lan@eth1"}}
    spec:
      serviceAccountName: app
      imagePullSecrets: [{name: pull}]
      runtimeClassName: nvidia
      priorityClassName: high
      resourceClaims: [{name: gpu, resourceClaimTemplateName: gpu}]
      volumes:
        - {name: a, secret: {secretName: s1, optional: true}}
        - {name: b, configMap: {name: c1}}
        - {name: c, persistentVolumeClaim: {claimName: data}}
        - {name: d, projected: {sources: [{secret: {name: s2}}, {configMap: {name: c2, optional: true}}, {serviceAccountToken: {path: token}}]}}
        - {name: e, emptyDir: {}}
        - {name: f, ephemeral: {volumeClaimTemplate: {spec: {storageClassName: fast}}}}
        - {name: g, nfs: {server: nas, path: /x}}
      initContainers: [{name: init, envFrom: [{secretRef: {name: s3}}]}]
      containers:
        - name: app
          env:
            - {name: A, valueFrom: {secretKeyRef: {name: s4, key: A}}}
            - {name: B, valueFrom: {configMapKeyRef: {name: c3, key: B, optional: true}}}
            - {name: C, value: c}
          envFrom: [{configMapRef: {name: c4}}]
`, `Secret media/pull optional @spec.template.spec.imagePullSecrets.0.name
ServiceAccount media/app @spec.template.spec.serviceAccountName
RuntimeClass nvidia @spec.template.spec.runtimeClassName
PriorityClass high @spec.template.spec.priorityClassName
ResourceClaimTemplate media/gpu @spec.template.spec.resourceClaims.0.resourceClaimTemplateName
Secret media/s1 optional @spec.template.spec.volumes.0.secret.secretName
ConfigMap media/c1 @spec.template.spec.volumes.1.configMap.name
PersistentVolumeClaim media/data @spec.template.spec.volumes.2.persistentVolumeClaim.claimName
Secret media/s2 @spec.template.spec.volumes.3.projected.sources.0.secret.name
ConfigMap media/c2 optional @spec.template.spec.volumes.3.projected.sources.1.configMap.name
StorageClass fast @spec.template.spec.volumes.5.ephemeral.volumeClaimTemplate.spec.storageClassName
Secret media/s3 @spec.template.spec.initContainers.0.envFrom.0.secretRef.name
ConfigMap media/c4 @spec.template.spec.containers.0.envFrom.0.configMapRef.name
Secret media/s4 key=A @spec.template.spec.containers.0.env.0.valueFrom.secretKeyRef.name
ConfigMap media/c3 key=B optional @spec.template.spec.containers.0.env.1.valueFrom.configMapKeyRef.name
NetworkAttachmentDefinition media/iot @spec.template.metadata.annotations.k8s.v1.cni.cncf.io/networks
NetworkAttachmentDefinition network/lan @spec.template.metadata.annotations.k8s.v1.cni.cncf.io/networks`},
		{"a cron job", `
apiVersion: batch/v1
kind: CronJob
metadata: {name: app, namespace: media}
spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: a, envFrom: [{secretRef: {name: s}}]}]}}}}}
`, `Secret media/s @spec.jobTemplate.spec.template.spec.containers.0.envFrom.0.secretRef.name`},
		{"a stateful set's own claims", `
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: app, namespace: media}
spec:
  serviceName: app
  volumeClaimTemplates: [{metadata: {name: data}, spec: {storageClassName: fast}}]
  template: {spec: {containers: []}}
`, `Service media/app optional @spec.serviceName
StorageClass fast @spec.volumeClaimTemplates.0.spec.storageClassName`},
		{"a bound claim needs no class", `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: nfs, namespace: media}
spec: {storageClassName: nfs, volumeName: nfs}
`, `StorageClass nfs optional @spec.storageClassName
PersistentVolume nfs @spec.volumeName`},
		{"a claim restored from a backup", `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: media}
spec: {dataSourceRef: {apiGroup: volsync.backube, kind: ReplicationDestination, name: data-dst}}
`, `ReplicationDestination media/data-dst @spec.dataSourceRef.name`},
		{"a Kustomization", `
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: app, namespace: media}
spec:
  sourceRef: {kind: GitRepository, name: flux-system, namespace: flux-system}
  dependsOn: [{name: db}, {name: es, namespace: external-secrets}]
  decryption: {provider: sops, secretRef: {name: age}}
  postBuild: {substituteFrom: [{kind: ConfigMap, name: settings}, {kind: Secret, name: secrets, optional: true}]}
  healthChecks: [{apiVersion: apps/v1, kind: Deployment, name: app, namespace: media}]
`, `GitRepository flux-system/flux-system @spec.sourceRef.name
Kustomization media/db @spec.dependsOn.0.name
Kustomization external-secrets/es @spec.dependsOn.1.name
ConfigMap media/settings @spec.postBuild.substituteFrom.0.name
Secret media/secrets optional @spec.postBuild.substituteFrom.1.name
Secret media/age @spec.decryption.secretRef.name
Deployment media/app @spec.healthChecks.0.name`},
		{"a release", `
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: app, namespace: media}
spec:
  chart: {spec: {chart: app, sourceRef: {kind: HelmRepository, name: bjw-s, namespace: flux-system}}}
  dependsOn: [{name: db}]
  valuesFrom: [{kind: Secret, name: v, valuesKey: k, optional: true}]
  values: {existingSecret: ignored, secretRef: {name: ignored}}
`, `HelmRepository flux-system/bjw-s @spec.chart.spec.sourceRef.name
HelmRelease media/db @spec.dependsOn.0.name
Secret media/v key=k optional @spec.valuesFrom.0.name`},
		{"a release with a chartRef", `
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: app, namespace: media}
spec: {chartRef: {kind: OCIRepository, name: app-template}}
`, `OCIRepository media/app-template @spec.chartRef.name`},
		{"an ExternalSecret", `
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: app, namespace: media}
spec:
  secretStoreRef: {kind: ClusterSecretStore, name: onepassword}
  target: {template: {templateFrom: [{configMap: {name: tpl, items: []}}]}}
  data: [{secretKey: a, remoteRef: {key: x}, sourceRef: {storeRef: {name: own}}}]
  dataFrom: [{sourceRef: {generatorRef: {apiVersion: generators.external-secrets.io/v1alpha1, kind: Password, name: pw}}}]
`, `ClusterSecretStore onepassword @spec.secretStoreRef.name
SecretStore media/own @spec.data.0.sourceRef.storeRef.name
Password media/pw @spec.dataFrom.0.sourceRef.generatorRef.name
ConfigMap media/tpl @spec.target.template.templateFrom.0.configMap.name`},
		{"a store", `
apiVersion: external-secrets.io/v1
kind: ClusterSecretStore
metadata: {name: onepassword}
spec:
  provider:
    onepassword:
      connectHost: http://connect.external-secrets.svc.cluster.local:8080
      auth: {secretRef: {connectTokenSecretRef: {name: token, key: t, namespace: external-secrets}}}
`, `Secret external-secrets/token key=t @spec.provider.onepassword.auth.secretRef.connectTokenSecretRef.name
Service external-secrets/connect key=8080 @spec.provider.onepassword.connectHost`},
		{"a route", `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: app, namespace: media}
spec:
  parentRefs: [{name: internal, namespace: network, sectionName: https}, {group: "", kind: Service, name: mesh}]
  rules:
    - backendRefs: [{name: app, port: 80}, {kind: Backend, group: gateway.envoyproxy.io, name: nas}]
      filters: [{type: RequestMirror, requestMirror: {backendRef: {name: copy, port: 81}}}, {type: ExtensionRef, extensionRef: {group: gateway.envoyproxy.io, kind: HTTPRouteFilter, name: f}}]
`, `Gateway network/internal key=https @spec.parentRefs.0.name
Service media/mesh @spec.parentRefs.1.name
Service media/copy key=81 @spec.rules.0.filters.0.requestMirror.backendRef.name
HTTPRouteFilter media/f @spec.rules.0.filters.1.extensionRef.name
Service media/app key=80 @spec.rules.0.backendRefs.0.name
Backend media/nas @spec.rules.0.backendRefs.1.name`},
		{"a gateway", `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: internal, namespace: network}
spec:
  gatewayClassName: envoy
  infrastructure: {parametersRef: {group: gateway.envoyproxy.io, kind: EnvoyProxy, name: proxy}}
  listeners: [{name: https, tls: {certificateRefs: [{kind: Secret, name: tls, namespace: certs}]}}]
`, `GatewayClass envoy @spec.gatewayClassName
EnvoyProxy network/proxy @spec.infrastructure.parametersRef.name
Secret certs/tls @spec.listeners.0.tls.certificateRefs.0.name`},
		{"a policy", `
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: {name: login, namespace: media}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: app}]
  oidc: {clientSecret: {name: oidc}}
  extAuth: {http: {backendRefs: [{name: auth, namespace: security, port: 9091}]}}
`, `Service security/auth key=9091 @spec.extAuth.http.backendRefs.0.name
Secret media/oidc @spec.oidc.clientSecret.name
HTTPRoute media/app @spec.targetRefs.0.name`},
		{"an ingress", `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: app, namespace: media}
spec:
  ingressClassName: internal
  tls: [{secretName: tls}]
  rules: [{http: {paths: [{backend: {service: {name: app, port: {number: 80}}}}]}}]
`, `IngressClass internal @spec.ingressClassName
Service media/app key=80 @spec.rules.0.http.paths.0.backend.service.name
Secret media/tls optional @spec.tls.0.secretName`},
		{"a database", `
apiVersion: postgresql.cnpg.io/v1
kind: Cluster
metadata: {name: pg, namespace: db}
spec:
  superuserSecret: {name: super}
  storage: {storageClass: fast}
  walStorage: {pvcTemplate: {storageClassName: wal}}
  managed: {roles: [{name: app, passwordSecret: {name: role}}]}
  bootstrap: {initdb: {secret: {name: owner}}}
  backup: {barmanObjectStore: {s3Credentials: {accessKeyId: {name: s3, key: id}}}}
  plugins: [{name: barman-cloud.cloudnative-pg.io, parameters: {barmanObjectName: r2}}]
  externalClusters: [{name: old, password: {name: old, key: password}}]
  imageCatalogRef: {apiGroup: postgresql.cnpg.io, kind: ClusterImageCatalog, name: cat, major: 17}
`, `ClusterImageCatalog cat @spec.imageCatalogRef.name
Secret db/owner @spec.bootstrap.initdb.secret.name
Secret db/super @spec.superuserSecret.name
Secret db/role @spec.managed.roles.0.passwordSecret.name
StorageClass fast @spec.storage.storageClass
StorageClass wal @spec.walStorage.pvcTemplate.storageClassName
Secret db/s3 key=id @spec.backup.barmanObjectStore.s3Credentials.accessKeyId.name
Secret db/old key=password @spec.externalClusters.0.password.name
ObjectStore db/r2 @spec.plugins.0.parameters.barmanObjectName`},
		{"a certificate", `
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: c, namespace: network}
spec: {secretName: tls, issuerRef: {kind: ClusterIssuer, name: le}}
`, `ClusterIssuer le @spec.issuerRef.name`},
		{"an issuer makes its account key", `
apiVersion: cert-manager.io/v1
kind: ClusterIssuer
metadata: {name: le}
spec:
  acme:
    privateKeySecretRef: {name: account}
    solvers: [{dns01: {cloudflare: {apiTokenSecretRef: {name: cf, key: token}}}}]
`, `Secret cf key=token @spec.acme.solvers.0.dns01.cloudflare.apiTokenSecretRef.name`},
		{"a backup", `
apiVersion: volsync.backube/v1alpha1
kind: ReplicationSource
metadata: {name: app, namespace: media}
spec: {sourcePVC: data, restic: {repository: restic, storageClassName: fast, volumeSnapshotClassName: snap}}
`, `PersistentVolumeClaim media/data @spec.sourcePVC
Secret media/restic @spec.restic.repository
StorageClass fast @spec.restic.storageClassName
VolumeSnapshotClass snap @spec.restic.volumeSnapshotClassName`},
		{"a kind nobody knows", `
apiVersion: example.com/v1
kind: Thing
metadata: {name: t, namespace: media}
spec:
  auth: {tokenSecretRef: {name: in, key: k}}
  writeTo: {targetSecretRef: {name: out}}
  env: [{valueFrom: {secretKeyRef: {name: e, key: E}}}]
  secretRef: "no mapping"
`, `Secret media/in key=k @spec.auth.tokenSecretRef.name
Secret media/e key=E @spec.env.0.valueFrom.secretKeyRef.name`},
		{"a config map names nothing", `
apiVersion: v1
kind: ConfigMap
metadata: {name: c, namespace: media}
data: {secretRef: "x"}
`, ``},
		{"fields of the wrong type name nothing", `
apiVersion: apps/v1
kind: Deployment
metadata: {name: app, namespace: media}
spec: {template: {spec: {volumes: {a: b}, containers: [1, {env: "x", envFrom: [{secretRef: null}]}], serviceAccountName: {x: 1}}}}
`, ``},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, r := range References(objectOf(t, test.object)) {
				got = append(got, described(r))
				if r.Why == "" {
					t.Errorf("%s: nobody says why", described(r))
				}
			}
			if diff := cmp.Diff(test.want, strings.Join(got, "\n")); diff != "" {
				t.Errorf("references (-want +got):\n%s", diff)
			}
		})
	}
}

// TestReferencePaths holds every path of a reference to where the name stands.
func TestReferencePaths(t *testing.T) {
	g := graphOf(t, provided)
	for _, o := range g.objects {
		for _, r := range References(o) {
			at := (field{value: o.Object}).at(r.Path[:1]...)
			for _, name := range r.Path[1:] {
				next := at.at(name)
				for i := range at.items() {
					if i.path[len(i.path)-1] == name {
						next = i
					}
				}
				at = next
			}
			if !strings.Contains(fmt.Sprint(at.value), r.Name) {
				t.Errorf("%s: %v holds %v, not %s", o.Ref, r.Path, at.value, r.Name)
			}
		}
	}
}
