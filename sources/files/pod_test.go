package files

// jsonPod is a pod as a cluster prints it.
const jsonPod = `        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "annotations": {"prometheus.io/port": "15010", "prometheus.io/scrape": "true", "prometheus.io/path": "/stats/prometheus"},
                "creationTimestamp": "2026-01-12T09:30:00Z",
                "generateName": "app-7c9d6b5f4-",
                "labels": {
                    "app": "app",
                    "fsm-proxy-uuid": "6f1c0b5e-7f0c-4b5f-9d64-0a7f9d1f9f0a",
                    "pod-template-hash": "7c9d6b5f4"
                },
                "name": "app-7c9d6b5f4-%[1]d",
                "namespace": "shop",
                "ownerReferences": [
                    {
                        "apiVersion": "apps/v1",
                        "blockOwnerDeletion": true,
                        "controller": true,
                        "kind": "ReplicaSet",
                        "name": "app-7c9d6b5f4",
                        "uid": "0d2f4c6e-1b3a-4c5d-8e7f-9a0b1c2d3e4f"
                    }
                ],
                "resourceVersion": "1234567",
                "uid": "1d2f4c6e-1b3a-4c5d-8e7f-9a0b1c2d3e4f"
            },
            "spec": {
                "containers": [
                    {
                        "env": [
                            {"name": "LOG_LEVEL", "value": "debug"},
                            {"name": "POD_NAME", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}}
                        ],
                        "image": "registry.example.com/shop/app:1.2.3",
                        "imagePullPolicy": "IfNotPresent",
                        "livenessProbe": {
                            "failureThreshold": 3,
                            "httpGet": {"path": "/healthz", "port": "http", "scheme": "HTTP"},
                            "periodSeconds": 10,
                            "successThreshold": 1,
                            "timeoutSeconds": 1
                        },
                        "name": "app",
                        "ports": [{"containerPort": 8080, "name": "http", "protocol": "TCP"}],
                        "resources": {"limits": {"cpu": "1", "memory": "256Mi"}, "requests": {"cpu": "100m", "memory": "64Mi"}},
                        "terminationMessagePath": "/dev/termination-log",
                        "terminationMessagePolicy": "File",
                        "volumeMounts": [
                            {"mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "name": "kube-api-access-abcde", "readOnly": true}
                        ]
                    },
                    {
                        "args": ["--log-level", "error", "--config-path", "/etc/envoy/bootstrap.yaml"],
                        "command": ["envoy"],
                        "image": "envoyproxy/envoy:v1.40.0",
                        "imagePullPolicy": "IfNotPresent",
                        "name": "sidecar",
                        "ports": [
                            {"containerPort": 15000, "name": "proxy-admin", "protocol": "TCP"},
                            {"containerPort": 15003, "name": "proxy-inbound", "protocol": "TCP"},
                            {"containerPort": 15010, "name": "proxy-metrics", "protocol": "TCP"}
                        ],
                        "resources": {},
                        "securityContext": {"allowPrivilegeEscalation": false, "runAsUser": 1500},
                        "terminationMessagePath": "/dev/termination-log",
                        "terminationMessagePolicy": "File",
                        "volumeMounts": [
                            {"mountPath": "/etc/envoy", "name": "envoy-bootstrap", "readOnly": true},
                            {"mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "name": "kube-api-access-abcde", "readOnly": true}
                        ]
                    }
                ],
                "dnsPolicy": "ClusterFirst",
                "enableServiceLinks": true,
                "nodeName": "node-17",
                "preemptionPolicy": "PreemptLowerPriority",
                "priority": 0,
                "restartPolicy": "Always",
                "schedulerName": "default-scheduler",
                "securityContext": {},
                "serviceAccount": "app",
                "serviceAccountName": "app",
                "terminationGracePeriodSeconds": 30,
                "tolerations": [
                    {"effect": "NoExecute", "key": "node.kubernetes.io/not-ready", "operator": "Exists", "tolerationSeconds": 300},
                    {"effect": "NoExecute", "key": "node.kubernetes.io/unreachable", "operator": "Exists", "tolerationSeconds": 300}
                ],
                "volumes": [
                    {"name": "envoy-bootstrap", "secret": {"defaultMode": 420, "secretName": "envoy-bootstrap-config"}},
                    {"name": "kube-api-access-abcde", "projected": {"defaultMode": 420, "sources": [
                        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
                        {"configMap": {"items": [{"key": "ca.crt", "path": "ca.crt"}], "name": "kube-root-ca.crt"}}
                    ]}}
                ]
            },
            "status": {
                "conditions": [
                    {"lastProbeTime": null, "lastTransitionTime": "2026-01-12T09:30:01Z", "status": "True", "type": "Initialized"},
                    {"lastProbeTime": null, "lastTransitionTime": "2026-01-12T09:30:09Z", "status": "True", "type": "Ready"},
                    {"lastProbeTime": null, "lastTransitionTime": "2026-01-12T09:30:09Z", "status": "True", "type": "ContainersReady"},
                    {"lastProbeTime": null, "lastTransitionTime": "2026-01-12T09:30:00Z", "status": "True", "type": "PodScheduled"}
                ],
                "containerStatuses": [
                    {
                        "containerID": "containerd://5f2c9d0a4b8e7f6d5c4b3a29180f7e6d5c4b3a29180f7e6d5c4b3a29180f7e6d",
                        "image": "registry.example.com/shop/app:1.2.3",
                        "imageID": "registry.example.com/shop/app@sha256:0f7e6d5c4b3a29180f7e6d5c4b3a29180f7e6d5c4b3a29180f7e6d5c4b3a2918",
                        "lastState": {},
                        "name": "app",
                        "ready": true,
                        "restartCount": 0,
                        "started": true,
                        "state": {"running": {"startedAt": "2026-01-12T09:30:05Z"}}
                    }
                ],
                "hostIP": "10.0.0.17",
                "phase": "Running",
                "podIP": "10.244.3.7",
                "podIPs": [{"ip": "10.244.3.7"}],
                "qosClass": "Burstable",
                "startTime": "2026-01-12T09:30:00Z"
            }
        }`
