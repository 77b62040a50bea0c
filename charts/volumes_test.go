package charts

const pod = "Deployment/tea spec.template.spec."

var volumeCases = []appCase{
	{
		name: "a claim of its own at the default path",
		values: in("{image: a:1}") + "persistence: {data: {accessMode: ReadWriteMany, size: 5Gi, storageClass: '-', retain: true, annotations: {a: b}, " +
			"dataSourceRef: {kind: ReplicationDestination, apiGroup: volsync.backube, name: x}}}",
		want: expectation{
			"PersistentVolumeClaim/tea spec":                 "{accessModes: [ReadWriteMany], resources: {requests: {storage: 5Gi}}, storageClassName: '', dataSourceRef: {kind: ReplicationDestination, apiGroup: volsync.backube, name: x}}",
			"PersistentVolumeClaim/tea metadata.annotations": "{helm.sh/resource-policy: keep, a: b}",
			pod + "volumes":        "[{name: data, persistentVolumeClaim: {claimName: tea}}]",
			first + "volumeMounts": "[{name: data, mountPath: /data}]",
		},
	}, {
		name:    "an existing claim makes none",
		values:  in("{image: a:1}") + "persistence: {config: {existingClaim: '{{ .Release.Name }}-old', globalMounts: [{path: /a, subPath: x, readOnly: true}, {path: /b}]}}",
		objects: []string{"Deployment/tea", "ServiceAccount/tea"},
		want: expectation{
			pod + "volumes":        "[{name: config, persistentVolumeClaim: {claimName: tea-old}}]",
			first + "volumeMounts": "[{name: config, mountPath: /a, subPath: x, readOnly: true}, {name: config, mountPath: /b}]",
		},
	}, {
		name: "every type of volume",
		values: in("{image: a:1}") + `persistence:
  a: {type: configMap, name: c, defaultMode: 493, items: [{key: k, path: p}]}
  b: {type: secret, name: "{{ .Release.Name }}-s", optional: true}
  c: {type: nfs, server: 192.0.2.9, path: /export}
  d: {type: hostPath, hostPath: /dev/dri, hostPathType: Directory}
  e: {type: emptyDir}
  f: {type: emptyDir, medium: Memory, sizeLimit: 1Gi}
  g: {type: custom, volumeSpec: {csi: {driver: x}}}
  h: {type: image, image: {repository: r, tag: 1}, pullPolicy: Always}
  i: {type: ephemeral, size: 1Gi, storageClass: fast}
  j: {type: configMap, identifier: own}
  k: {enabled: false, type: nonsense}
configMaps: {own: {data: {k: v}}}`,
		want: expectation{
			pod + "volumes": `[{name: a, configMap: {name: c, defaultMode: 493, items: [{key: k, path: p}]}}, {name: b, secret: {secretName: tea-s, optional: true}},
				{name: c, nfs: {server: 192.0.2.9, path: /export}}, {name: d, hostPath: {path: /dev/dri, type: Directory}}, {name: e, emptyDir: {}},
				{name: f, emptyDir: {medium: Memory, sizeLimit: 1Gi}}, {name: g, csi: {driver: x}}, {name: h, image: {reference: "r:1", pullPolicy: Always}},
				{name: i, ephemeral: {volumeClaimTemplate: {spec: {accessModes: [ReadWriteOnce], storageClassName: fast, resources: {requests: {storage: 1Gi}}}}}},
				{name: j, configMap: {name: tea}}]`,
			first + "volumeMounts.0": "{name: a, mountPath: /a}",
			first + "volumeMounts.3": "{name: d, mountPath: /dev/dri}",
		},
	}, {
		name: "advanced mounts reach one container of one controller",
		values: `controllers:
  web: {containers: {app: {image: a:1}, side: {image: a:1}}, initContainers: {init: {image: a:1}}}
  worker: {containers: {app: {image: a:1}}}
persistence:
  data: {type: emptyDir, advancedMounts: {web: {app: [{path: /one, subPath: x}, {path: /two}], init: [{path: /init}]}}}
  tmp: {type: emptyDir}`,
		want: expectation{
			"Deployment/tea-web spec.template.spec.containers.0.volumeMounts":     "[{name: data, mountPath: /one, subPath: x}, {name: data, mountPath: /two}, {name: tmp, mountPath: /tmp}]",
			"Deployment/tea-web spec.template.spec.containers.1.volumeMounts":     "[{name: tmp, mountPath: /tmp}]",
			"Deployment/tea-web spec.template.spec.initContainers.0.volumeMounts": "[{name: data, mountPath: /init}, {name: tmp, mountPath: /tmp}]",
			"Deployment/tea-worker spec.template.spec.volumes":                    "[{name: tmp, emptyDir: {}}]",
		},
	}, {
		name:   "sub-paths as a list",
		values: in("{image: a:1}") + "persistence: {data: {type: emptyDir, globalMounts: [{path: /d, subPath: [a, b]}, {path: /e, subPath: [{path: x, mountPath: /f, readOnly: true}]}]}}",
		want:   expectation{first + "volumeMounts": "[{name: data, mountPath: /d/a, subPath: a}, {name: data, mountPath: /d/b, subPath: b}, {name: data, mountPath: /f, subPath: x, readOnly: true}]"},
	},
}
