package ruletest

// The files of a made homelab. @app and @namespace stand for names.
const (
	madeNamespace = `---
apiVersion: v1
kind: Namespace
metadata:
  name: %s
  annotations:
    kustomize.toolkit.fluxcd.io/prune: disabled
`
	madeNamespaceKustomization = `---
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: %s
components:
  - ../../components/app-template
  - ../../cluster/settings
resources:
  - namespace.yaml
%s
`
	madeParent = `---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: @namespace
  namespace: flux-system
spec:
  path: ./kubernetes/main/apps/@namespace
  sourceRef:
    kind: GitRepository
    name: flux-system
  postBuild:
    substituteFrom:
      - kind: ConfigMap
        name: cluster-settings
  prune: true
  interval: 1h
  timeout: 5m
`
	madeKustomization = `---
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
`
	madeInstall = `---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: @app
spec:
  targetNamespace: @namespace
  path: ./kubernetes/main/apps/@namespace/@app/app
  sourceRef:
    kind: GitRepository
    name: flux-system
    namespace: flux-system
  dependsOn:
    - name: onepassword-connect
      namespace: external-secrets
    - name: rook-ceph-cluster
      namespace: rook-ceph
    - name: envoy-gateway-config
      namespace: network
  postBuild:
    substitute:
      APP: @app
    substituteFrom:
      - kind: ConfigMap
        name: cluster-settings
  prune: true
  wait: false
  interval: 1h
  timeout: 5m
`
	madeDatabaseInstall = `---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: @app-database
spec:
  targetNamespace: @namespace
  path: ./kubernetes/main/apps/@namespace/@app/db
  sourceRef:
    kind: GitRepository
    name: flux-system
    namespace: flux-system
  dependsOn:
    - name: cloudnative-pg-operator
      namespace: dbms
    - name: rook-ceph-cluster
      namespace: rook-ceph
  prune: true
  wait: false
  interval: 1h
  timeout: 10m
`
	madeDatabase = `---
apiVersion: postgresql.cnpg.io/v1
kind: Cluster
metadata:
  name: @app
  annotations:
    kustomize.toolkit.fluxcd.io/prune: disabled
spec:
  imageName: ghcr.io/cloudnative-pg/postgresql:18.1@sha256:be578f4f1915c7899a5c2e48faeb4dcec9fca80d555df9c2a5c4960fe4e6de08
  instances: 3
  storage:
    size: 10Gi
    storageClass: rook-ceph-block
`
	madeRelease = `---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: @app
spec:
  interval: 1h
  chartRef:
    kind: OCIRepository
    name: app-template
  install:
    remediation:
      retries: 3
  upgrade:
    cleanupOnFail: true
    remediation:
      retries: 3
  values:
    controllers:
      main:
        annotations:
          secret.reloader.stakater.com/reload: ${APP}
        containers:
          main:
            image:
              repository: ghcr.io/example/@app
              tag: 1.2.3@sha256:50973279b23604a118234ca77ca04921469d8e93896f58174fcc552d1e0855af
            env:
              TZ: ${TIMEZONE}
            envFrom:
              - secretRef:
                  name: ${APP}
            probes:
              liveness: {enabled: true}
              readiness: {enabled: true}
            resources:
              requests: {cpu: 10m, memory: 64Mi}
              limits: {memory: 256Mi}
    service:
      main:
        controller: main
        ports:
          http: {port: 8080}
    route:
      main:
        hostnames: ["{{ .Release.Name }}.${DOMAIN}"]
        parentRefs:
          - name: envoy-internal
            namespace: network
            sectionName: https
    persistence:
      config:
        accessMode: ReadWriteOnce
        storageClass: rook-ceph-block
        size: 1Gi
      tmp:
        type: emptyDir
`
	madeSecret = `---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata:
  name: @app
spec:
  refreshInterval: 12h
  secretStoreRef:
    kind: ClusterSecretStore
    name: onepassword-connect
  target:
    name: @app
    template:
      data:
        API_PASSWORD: "{{ .API_PASSWORD }}"
  dataFrom:
    - extract:
        key: @app
`
)
