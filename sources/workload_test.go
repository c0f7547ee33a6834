package sources

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// manifest is a workload of a kind; the selector and the template's labels agree.
func manifest(kind, name, spec string) string {
	version := "apps/v1"
	switch kind {
	case "Job", "CronJob":
		version = "batch/v1"
	case "ReplicationController":
		version = "v1"
	}
	return fmt.Sprintf("apiVersion: %s\nkind: %s\nmetadata: {name: %s, namespace: kube-system}\nspec: {%s}\n", version, kind, name, spec)
}

const (
	template = "template: {metadata: {labels: {app: a}}}"
	matching = "selector: {matchLabels: {app: a}}, " + template
)

func TestAssumedPods(t *testing.T) {
	owned := func(kind, name, by, spec string) string {
		return strings.Replace(manifest(kind, name, spec), "namespace: kube-system",
			"namespace: kube-system, ownerReferences: [{controller: true, "+by+"}]", 1)
	}
	for name, row := range map[string]struct {
		manifests []string
		want      []string
		findings  []string
	}{
		"Deployment, one by default": {manifests: []string{manifest("Deployment", "a", matching)}, want: []string{"a-0"}},
		"Deployment, none":           {manifests: []string{manifest("Deployment", "a", "replicas: 0, "+matching)}},
		"StatefulSet":                {manifests: []string{manifest("StatefulSet", "a", "replicas: 2, ordinals: {start: 5}, "+matching)}, want: []string{"a-5", "a-6"}},
		"DaemonSet":                  {manifests: []string{manifest("DaemonSet", "a", matching)}, want: []string{"a-0"}},
		"ReplicaSet":                 {manifests: []string{manifest("ReplicaSet", "a", "replicas: 2, "+matching)}, want: []string{"a-0", "a-1"}},
		"ReplicationController": {
			manifests: []string{manifest("ReplicationController", "a", "selector: {app: a}, "+template), manifest("ReplicationController", "b", template)},
			want:      []string{"a-0", "b-0"},
		},
		"Job":               {manifests: []string{manifest("Job", "a", "parallelism: 3, completions: 2, "+template)}, want: []string{"a-0", "a-1"}},
		"Job, suspended":    {manifests: []string{manifest("Job", "a", "suspend: true, "+template)}},
		"CronJob":           {manifests: []string{manifest("CronJob", "a", "jobTemplate: {spec: {"+template+"}}")}, want: []string{"a-0"}},
		"CronJob suspended": {manifests: []string{manifest("CronJob", "a", "suspend: true, jobTemplate: {spec: {"+template+"}}")}},
		"ReplicaSet of a Deployment": {
			manifests: []string{manifest("Deployment", "a", matching), owned("ReplicaSet", "a-1", "kind: Deployment, name: a", matching)},
			want:      []string{"a-0"},
		},
		"ReplicaSet of a Deployment that is not written": {
			manifests: []string{owned("ReplicaSet", "a-1", "kind: Deployment, name: a", matching)}, want: []string{"a-1-0"},
		},
		"owners in a circle": {manifests: []string{
			owned("ReplicaSet", "a", "kind: ReplicaSet, name: b", matching), owned("ReplicaSet", "b", "kind: ReplicaSet, name: a", matching),
			owned("Deployment", "c", "kind: Deployment, name: c", matching),
		}},
		"Job of a CronJob": {
			manifests: []string{manifest("CronJob", "a", "jobTemplate: {spec: {"+template+"}}"), owned("Job", "a-1", "kind: CronJob, name: a", template)},
			want:      []string{"a-0"},
		},
		"one name, several kinds": {
			manifests: []string{
				manifest("Deployment", "a", matching), manifest("StatefulSet", "a", matching), manifest("DaemonSet", "a", matching),
				manifest("Deployment", "a-daemonset", matching),
			},
			want: []string{"a-0", "a-deployment-0", "a-daemonset-0", "a-daemonset-daemonset-0"},
		},
		"a pod that is written keeps its name": {
			manifests: []string{manifest("StatefulSet", "a", matching), "apiVersion: v1\nkind: Pod\nmetadata: {name: a-0, namespace: kube-system}\nstatus: {podIP: 10.0.0.1}"},
			want:      []string{"a-statefulset-0"},
		},
		"a pod is written, its ReplicaSet too": {
			manifests: []string{
				manifest("Deployment", "a", matching), owned("ReplicaSet", "a-1", "kind: Deployment, name: a", matching),
				"apiVersion: v1\nkind: Pod\nmetadata: {name: x, namespace: kube-system, ownerReferences: [{controller: true, kind: ReplicaSet, name: a-1}]}\nstatus: {podIP: 10.0.0.1}",
			},
		},
		"a pod is written, its ReplicaSet is not": {
			manifests: []string{
				manifest("Deployment", "a", matching),
				"apiVersion: v1\nkind: Pod\nmetadata: {name: x, namespace: kube-system, labels: {pod-template-hash: h}, ownerReferences: [{controller: true, kind: ReplicaSet, name: a-h}]}\nstatus: {podIP: 10.0.0.1}",
			},
		},
		"negative replicas": {
			manifests: []string{manifest("Deployment", "a", "replicas: -1, "+matching)}, findings: []string{"FSM1106 Deployment kube-system/a spec"},
		},
		"no selector": {
			manifests: []string{manifest("Deployment", "a", template)}, findings: []string{"FSM1106 Deployment kube-system/a spec"},
		},
		"no template": {
			manifests: []string{manifest("ReplicationController", "a", "replicas: 1")}, findings: []string{"FSM1106 ReplicationController kube-system/a spec"},
		},
		"selector of others": {
			manifests: []string{manifest("StatefulSet", "a", "selector: {matchLabels: {app: b}}, "+template)},
			findings:  []string{"FSM1106 StatefulSet kube-system/a spec.selector"},
		},
		"selector that is none": {
			manifests: []string{manifest("DaemonSet", "a", "selector: {matchExpressions: [{key: app, operator: Maybe}]}, "+template)},
			findings:  []string{"FSM1106 DaemonSet kube-system/a spec.selector"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			pods, diagnostics := freshPods(read(t, row.manifests...))
			var got []string
			for _, p := range pods {
				got = append(got, p.Name)
			}
			slices.Sort(got)
			slices.Sort(row.want)
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			wantFindings(t, diagnostics, row.findings...)
		})
	}
}

func TestReplicasAreBounded(t *testing.T) {
	pods, diagnostics := freshPods(read(t, manifest("Deployment", "a", "replicas: 2147483647, "+matching)))
	if len(pods) != maxReplicas {
		t.Errorf("got %d pods", len(pods))
	}
	wantFindings(t, diagnostics, "FSM1106 Deployment kube-system/a spec.replicas")
}

func TestLabelsThatControllersAdd(t *testing.T) {
	pods, _ := freshPods(read(t, manifest("StatefulSet", "a", matching), manifest("Job", "b", template)))
	want := []map[string]string{
		{"app": "a", "statefulset.kubernetes.io/pod-name": "a-0", "apps.kubernetes.io/pod-index": "0"},
		{"app": "a", "job-name": "b", "batch.kubernetes.io/job-name": "b"},
	}
	for i, p := range pods {
		if diff := cmp.Diff(want[i], p.Labels); diff != "" {
			t.Errorf("%s (-want +got):\n%s", p.Name, diff)
		}
	}
}
