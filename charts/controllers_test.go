package charts

var controllerCases = []appCase{
	{
		name:   "a deployment by default, replaced all at once",
		values: "controllers: {main: {containers: {app: " + one + "}}}",
		want: expectation{
			"Deployment/tea apiVersion":                       "apps/v1",
			"Deployment/tea spec.replicas":                    "1",
			"Deployment/tea spec.strategy":                    "{type: Recreate}",
			"Deployment/tea spec.revisionHistoryLimit":        "3",
			"Deployment/tea spec.template.spec.restartPolicy": "absent",
			"Deployment/tea spec.template.spec.dnsPolicy":     "ClusterFirst",
		},
	}, {
		name: "rolling update, replicas left to others, annotations",
		values: "controllers: {main: {replicas: null, strategy: RollingUpdate, rollingUpdate: {maxSurge: 0, unavailable: 1}, revisionHistoryLimit: 5, " +
			"annotations: {reloader.stakater.com/auto: 'true'}, labels: {tier: web}, containers: {app: " + one + "}}}",
		want: expectation{
			"Deployment/tea spec.replicas":             "absent",
			"Deployment/tea spec.strategy":             "{type: RollingUpdate, rollingUpdate: {maxSurge: 0, maxUnavailable: 1}}",
			"Deployment/tea spec.revisionHistoryLimit": "5",
			"Deployment/tea metadata.annotations":      "{reloader.stakater.com/auto: 'true'}",
			"Deployment/tea metadata.labels.tier":      "web",
		},
	}, {
		name: "stateful set with claim templates",
		values: "controllers: {main: {type: statefulset, replicas: 3, strategy: OnDelete, statefulset: {podManagementPolicy: Parallel, " +
			"volumeClaimTemplates: [{name: data, size: 1Gi, accessMode: ReadWriteOnce, storageClass: fast, globalMounts: [{path: /data}]}, " +
			"{name: log, size: 1Gi, advancedMounts: {app: [{path: /log}]}}]}, containers: {app: " + one + ", other: " + one + "}}}",
		want: expectation{
			"StatefulSet/tea spec.replicas":                                "3",
			"StatefulSet/tea spec.serviceName":                             "tea",
			"StatefulSet/tea spec.updateStrategy":                          "{type: OnDelete}",
			"StatefulSet/tea spec.podManagementPolicy":                     "Parallel",
			"StatefulSet/tea spec.volumeClaimTemplates.0.metadata.name":    "data",
			"StatefulSet/tea spec.volumeClaimTemplates.0.spec":             "{accessModes: [ReadWriteOnce], storageClassName: fast, resources: {requests: {storage: 1Gi}}}",
			"StatefulSet/tea spec.template.spec.containers.0.volumeMounts": "[{name: data, mountPath: /data}, {name: log, mountPath: /log}]",
			"StatefulSet/tea spec.template.spec.containers.1.volumeMounts": "[{name: data, mountPath: /data}]",
			"StatefulSet/tea spec.template.spec.volumes":                   "absent",
		},
	}, {
		name:   "daemon set on the host's network",
		values: "controllers: {main: {type: daemonset, pod: {hostNetwork: true}, containers: {app: " + one + "}}}",
		want: expectation{
			"DaemonSet/tea spec.updateStrategy":            "{type: RollingUpdate}",
			"DaemonSet/tea spec.replicas":                  "absent",
			"DaemonSet/tea spec.template.spec.dnsPolicy":   "ClusterFirstWithHostNet",
			"DaemonSet/tea spec.template.spec.hostNetwork": "true",
		},
	}, {
		name:   "cron job with defaults",
		values: "controllers: {main: {type: cronjob, cronjob: {schedule: '@daily'}, containers: {app: " + one + "}}}",
		want: expectation{
			"CronJob/tea spec.schedule":                                          "'@daily'",
			"CronJob/tea spec.concurrencyPolicy":                                 "Forbid",
			"CronJob/tea spec.successfulJobsHistoryLimit":                        "1",
			"CronJob/tea spec.failedJobsHistoryLimit":                            "1",
			"CronJob/tea spec.startingDeadlineSeconds":                           "30",
			"CronJob/tea spec.jobTemplate.spec.backoffLimit":                     "6",
			"CronJob/tea spec.jobTemplate.spec.template.spec.restartPolicy":      "Never",
			"CronJob/tea spec.jobTemplate.spec.template.spec.containers.0.image": "example.com/app:v1",
			"CronJob/tea spec.timeZone":                                          "absent",
		},
	}, {
		name: "cron job with everything set",
		values: "controllers: {main: {type: cronjob, pod: {restartPolicy: OnFailure}, cronjob: {schedule: '0 2 * * *', timeZone: Europe/Paris, concurrencyPolicy: Replace, " +
			"successfulJobsHistory: 0, failedJobsHistory: 2, startingDeadlineSeconds: 5, suspend: true, backoffLimit: 0, ttlSecondsAfterFinished: 43200, parallelism: 2}, containers: {app: " + one + "}}}",
		want: expectation{
			"CronJob/tea spec.timeZone":                                     "Europe/Paris",
			"CronJob/tea spec.concurrencyPolicy":                            "Replace",
			"CronJob/tea spec.successfulJobsHistoryLimit":                   "0",
			"CronJob/tea spec.failedJobsHistoryLimit":                       "2",
			"CronJob/tea spec.startingDeadlineSeconds":                      "5",
			"CronJob/tea spec.suspend":                                      "true",
			"CronJob/tea spec.jobTemplate.spec.backoffLimit":                "0",
			"CronJob/tea spec.jobTemplate.spec.ttlSecondsAfterFinished":     "43200",
			"CronJob/tea spec.jobTemplate.spec.parallelism":                 "2",
			"CronJob/tea spec.jobTemplate.spec.template.spec.restartPolicy": "OnFailure",
		},
	}, {
		name:   "job",
		values: "controllers: {main: {type: job, job: {completions: 3, suspend: false}, containers: {app: " + one + "}}}",
		want:   expectation{"Job/tea spec.completions": "3", "Job/tea spec.suspend": "false", "Job/tea spec.template.spec.restartPolicy": "Never"},
	}, {
		name: "pod options: the controller's replace the defaults",
		values: "defaultPodOptions: {securityContext: {runAsUser: 1, fsGroup: 2}, nodeSelector: {disk: fast}, labels: {a: b}}\n" +
			"controllers: {main: {pod: {securityContext: {runAsUser: 9}, terminationGracePeriodSeconds: 5}, containers: {app: " + one + "}}}",
		want: expectation{
			"Deployment/tea spec.template.spec.securityContext":               "{runAsUser: 9}",
			"Deployment/tea spec.template.spec.nodeSelector":                  "{disk: fast}",
			"Deployment/tea spec.template.spec.terminationGracePeriodSeconds": "5",
			"Deployment/tea spec.template.spec.automountServiceAccountToken":  "false",
			"Deployment/tea spec.template.spec.enableServiceLinks":            "false",
			"Deployment/tea spec.template.metadata.labels.a":                  "b",
		},
	}, {
		name: "pod options: merged where asked for",
		values: "defaultPodOptionsStrategy: merge\ndefaultPodOptions: {securityContext: {runAsUser: 1, fsGroup: 2}}\n" +
			"controllers: {main: {pod: {securityContext: {runAsUser: 9}}, containers: {app: " + one + "}}}",
		want: expectation{"Deployment/tea spec.template.spec.securityContext": "{runAsUser: 9, fsGroup: 2}"},
	}, {
		name: "every other pod option",
		values: `controllers: {main: {containers: {app: ` + one + `}, pod: {affinity: {nodeAffinity: {}}, annotations: {a: '{{ .Release.Name }}'}, automountServiceAccountToken: true,
			dnsConfig: {options: [{name: ndots, value: "1"}]}, dnsPolicy: None, enableServiceLinks: true, hostAliases: [{ip: 192.0.2.1, hostnames: [a]}], hostIPC: true, hostPID: true,
			hostUsers: false, hostname: h, imagePullSecrets: [{name: s}], priorityClassName: p, runtimeClassName: nvidia, schedulerName: s, shareProcessNamespace: true,
			tolerations: [{key: a, operator: Exists}], topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule}],
			resourceClaims: [{name: gpu, resourceClaimTemplateName: gpu}]}}}`,
		want: expectation{
			"Deployment/tea spec.template.metadata.annotations.a": "tea",
			"Deployment/tea spec.template.spec.dnsConfig":         `{options: [{name: ndots, value: "1"}]}`,
			"Deployment/tea spec.template.spec.dnsPolicy":         "None",
			"Deployment/tea spec.template.spec.hostUsers":         "false",
			"Deployment/tea spec.template.spec.hostAliases":       "[{ip: 192.0.2.1, hostnames: [a]}]",
			"Deployment/tea spec.template.spec.runtimeClassName":  "nvidia",
			"Deployment/tea spec.template.spec.tolerations":       "[{key: a, operator: Exists}]",
			"Deployment/tea spec.template.spec.resourceClaims":    "[{name: gpu, resourceClaimTemplateName: gpu}]",
			"Deployment/tea spec.template.spec.topologySpreadConstraints": `[{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule,
				labelSelector: {matchLabels: {app.kubernetes.io/controller: main, app.kubernetes.io/instance: tea, app.kubernetes.io/name: tea}}}]`,
			"Deployment/tea spec.template.spec.shareProcessNamespace": "true",
			"Deployment/tea spec.template.spec.hostname":              "h",
		},
	}, {
		name:   "disruption budget and autoscaler",
		values: "controllers: {main: {podDisruptionBudget: {minAvailable: 1}, horizontalPodAutoscaler: {maxReplicas: 3, metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}}]}, containers: {app: " + one + "}}}",
		want: expectation{
			"PodDisruptionBudget/tea spec":                    "{minAvailable: 1, selector: {matchLabels: {app.kubernetes.io/controller: main, app.kubernetes.io/instance: tea, app.kubernetes.io/name: tea}}}",
			"HorizontalPodAutoscaler/tea spec.maxReplicas":    "3",
			"HorizontalPodAutoscaler/tea spec.scaleTargetRef": "{apiVersion: apps/v1, kind: Deployment, name: tea}",
			"Deployment/tea spec.replicas":                    "absent",
		},
	},
}
