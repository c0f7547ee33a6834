package files

import (
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sources"
)

// TestRead says for each text which objects are read, which are broken, and what is said about it: the place, the level,
// the code and the field.
func TestRead(t *testing.T) {
	tests := []struct {
		name, text string
		file       string // input.yaml, if empty
		objects    []string
		broken     []string
		want       []string
	}{
		{
			name:    "one object",
			text:    "apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: b}\n",
			objects: []string{"Service b/a"},
		},
		{
			name:    "without a namespace it is in the default one",
			text:    "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n",
			objects: []string{"Service default/a"},
		},
		{
			name:    "a Namespace has none, whatever is written",
			text:    "apiVersion: v1\nkind: Namespace\nmetadata: {name: a, namespace: b}\n",
			objects: []string{"Namespace a"},
		},
		{
			name:    "the older spelling of our group",
			text:    "apiVersion: config.openservicemesh.io/v1alpha2\nkind: MeshConfig\nmetadata: {name: a}\n",
			objects: []string{"MeshConfig default/a"},
		},
		{
			name:    "documents in a row",
			text:    "\n# c\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: a}\n--- # c\n\n---\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: b}\n...\napiVersion: v1\nkind: Pod\nmetadata: {name: c}\n---\n",
			objects: []string{"Pod default/a", "Pod default/b", "Pod default/c"},
		},
		{
			name:    "byte order mark and CRLF",
			text:    "\ufeffapiVersion: v1\r\nkind: Pod\r\nmetadata: {name: a}\r\n---\r\napiVersion: v1\r\nkind: Pod\r\nmetadata:\r\n  name: b\r\nspec: {x: 1}\r\n",
			objects: []string{"Pod default/a", "Pod default/b"},
			want:    []string{"input.yaml:9:8 warning FSM1003 Pod default/b spec.x"},
		},
		{
			name:    "UTF-16",
			text:    "\xff\xfe" + utf16Text("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n---\nx\n", 0),
			objects: []string{"Pod default/a"},
			want:    []string{"input.yaml:5:1 error FSM1007"},
		},
		{
			name:    "UTF-16, big end first",
			text:    "\xfe\xff" + utf16Text("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n", 1),
			objects: []string{"Pod default/a"},
		},
		{
			name:    "lines that end in CR",
			text:    "apiVersion: v1\rkind: Pod\rmetadata: {name: a}\r---\rapiVersion: v1\rkind: Pod\rmetadata: {name: b}\rx: 1\r",
			objects: []string{"Pod default/a", "Pod default/b"},
			want:    []string{"input.yaml:8:1 warning FSM1003 Pod default/b x"},
		},
		{
			name: "a marker behind a line end that no editor knows",
			text: "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\u0085---\u0085apiVersion: v1\n",
			want: []string{"input.yaml:3:1 error FSM1001"},
		},
		{
			name:    "directives belong to the document behind them",
			text:    "%YAML 1.1\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: a}\n",
			objects: []string{"Pod default/a"},
		},
		{
			name:    "a marker in a block of text at the margin ends the document, one that is indented does not",
			text:    "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  annotations:\n    b: |\n      x\n      ---\n      y\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: b}\n",
			objects: []string{"Pod default/a", "Pod default/b"},
		},
		{
			name:    "a List",
			text:    "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: a}\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: b}\n  spec: {hostnam: c}\n",
			objects: []string{"Pod default/a", "Pod default/b"},
			want:    []string{"input.yaml:10:10 warning FSM1003 Pod default/b spec.hostnam"},
		},
		{
			name:    "a list of one kind, whose items do not say their kind",
			text:    "apiVersion: v1\nkind: PodList\nitems:\n- metadata: {name: a}\n- metadata: {name: b}\n",
			objects: []string{"Pod default/a", "Pod default/b"},
		},
		{
			name:    "a list in a list",
			text:    "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: PodList, items: [{metadata: {name: a}, spec: {x: 1}}]}\n",
			objects: []string{"Pod default/a"},
			want:    []string{"input.yaml:4:72 warning FSM1003 Pod default/a spec.x"},
		},
		{
			name: "an empty list",
			text: "apiVersion: v1\nkind: List\nitems: []\n",
		},
		{
			name: "an item that is no object",
			text: "apiVersion: v1\nkind: List\nitems: [a]\n",
			want: []string{"input.yaml:3:9 error FSM1007"},
		},
		{
			name: "no kind, no version, no object, no name",
			text: "apiVersion: v1\nmetadata: {name: a}\n---\nkind: Pod\n---\n[a]\n---\nfoo\n---\n1\n---\ntrue\n---\napiVersion: v1\nkind: Pod\nmetadata: {generateName: a}\n---\na: b\n",
			want: []string{
				"input.yaml:1:1 error FSM1007", "input.yaml:4:1 error FSM1007", "input.yaml:6:1 error FSM1007", "input.yaml:8:1 error FSM1007",
				"input.yaml:10:1 error FSM1007", "input.yaml:12:1 error FSM1007", "input.yaml:16:1 error FSM1007", "input.yaml:18:1 error FSM1007",
			},
		},
		{
			name: "names that lead elsewhere",
			text: "apiVersion: v1\nkind: Pod\nmetadata: {name: ../../etc/x}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: ..}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: UPPER}\n",
			want: []string{"input.yaml:3:18 error FSM1007", "input.yaml:7:32 error FSM1007", "input.yaml:11:18 error FSM1007"},
		},
		{
			name:    "kinds that the mesh does not use are counted once",
			text:    "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n---\napiVersion: v1\nkind: Secret\n---\napiVersion: v1\nkind: ConfigMap\n---\napiVersion: v1\nkind: Secret\n",
			objects: []string{"Pod default/a"},
			want:    []string{"input.yaml:5:1 info FSM1006"},
		},
		{
			name:   "kinds of the mesh in versions that are not read",
			text:   "apiVersion: access.smi-spec.io/v1beta1\nkind: TrafficTarget\nmetadata: {name: a}\n---\napiVersion: policy.flomesh.io/v1alpha1\nkind: Egress\nmetadata: {name: a}\n---\napiVersion: extensions/v1beta1\nkind: Deployment\nmetadata: {name: a}\n---\napiVersion: config.openservicemesh.io/v1\nkind: MeshConfig\nmetadata: {name: a}\n---\napiVersion: v2\nkind: Service\nmetadata: {name: a}\n",
			broken: []string{"TrafficTarget default/a", "Deployment default/a", "MeshConfig default/a", "Service default/a"},
			want: []string{
				"input.yaml:1:1 warning FSM1006 TrafficTarget default/a", "input.yaml:5:1 warning FSM1006", "input.yaml:9:1 warning FSM1006 Deployment default/a",
				"input.yaml:13:1 warning FSM1006 MeshConfig default/a", "input.yaml:17:1 warning FSM1006 Service default/a",
			},
		},
		{
			name: "kinds of others that have a name of ours",
			text: "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: a}\n",
			want: []string{"input.yaml:1:1 info FSM1006"},
		},
		{
			name:    "an object that is written twice, in two versions",
			text:    "apiVersion: access.smi-spec.io/v1alpha1\nkind: TrafficTarget\nmetadata: {name: a}\n---\napiVersion: access.smi-spec.io/v1alpha3\nkind: TrafficTarget\nmetadata: {name: a, namespace: default}\n",
			objects: []string{"TrafficTarget default/a"},
			want:    []string{"input.yaml:5:1 error FSM1004 TrafficTarget default/a"},
		},
		{
			name:   "a broken object counts as the first one",
			text:   "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: 1\n---\napiVersion: v1\nkind: Service\nmetadata: {name: a}\n",
			broken: []string{"Service default/a"},
			want:   []string{"input.yaml:4:7 error FSM1002 Service default/a spec", "input.yaml:6:1 error FSM1004 Service default/a"},
		},
		{
			name:    "a broken document costs only itself",
			text:    "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: b}\nspec:\n  nodeName: a: b\n  hostname: c\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: c}\n",
			objects: []string{"Pod default/a", "Pod default/c"},
			broken:  []string{"Pod default/b"},
			want:    []string{"input.yaml:9:3 error FSM1001 Pod default/b"},
		},
		{
			name:   "every item above a syntax error is broken",
			text:   "apiVersion: v1\nkind: PodList\nitems:\n- metadata: {name: a}\n- metadata: {name: b}\n- metadata: [\n",
			broken: []string{"Pod default/a", "Pod default/b"},
			want:   []string{"input.yaml:6:1 error FSM1001 Pod default/a"},
		},
		{
			name: "a broken document of which nothing can be told",
			text: "\tapiVersion: v1\n",
			want: []string{"input.yaml:1:2 error FSM1001"},
		},
		{
			name:   "a key that is written twice",
			text:   "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  labels: {x: a, y: b, x: c}\n",
			broken: []string{"Pod default/a"},
			want:   []string{"input.yaml:5:24 error FSM1005 Pod default/a metadata.labels.x"},
		},
		{
			name:    "a key that is written twice costs only the item it is in",
			text:    "apiVersion: v1\nkind: PodList\nitems:\n- metadata: {name: a}\n- metadata: {name: b, name: c}\n",
			objects: []string{"Pod default/a"},
			broken:  []string{"Pod default/b"},
			want:    []string{"input.yaml:5:23 error FSM1005 Pod default/b metadata.name"},
		},
		{
			name:   "items that are written twice cost all",
			text:   "apiVersion: v1\nkind: PodList\nitems:\n- metadata: {name: a}\nitems:\n- metadata: {name: b}\n",
			broken: []string{"Pod default/a"},
			want:   []string{"input.yaml:5:1 error FSM1005 Pod default/a items"},
		},
		{
			name: "in an object that the mesh does not use nothing is looked at",
			text: "apiVersion: v1\nkind: ConfigMap\ndata: {x: a, x: .nan}\n",
			want: []string{"input.yaml:1:1 info FSM1006"},
		},
		{
			name:   "keys that are no strings",
			text:   "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n? [x]\n: y\n~: z\n!!int b: c\n",
			broken: []string{"Pod default/a"},
			want:   []string{"input.yaml:4:3 error FSM1001 Pod default/a", "input.yaml:6:1 error FSM1001 Pod default/a", "input.yaml:7:1 error FSM1001 Pod default/a"},
		},
		{
			name:    "keys that YAML 1.1 takes as something else",
			text:    "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  labels: {yes: a, 010: b, 1.5: c, .inf: d, -.inf: e, .nan: f}\n",
			objects: []string{"Pod default/a"},
		},
		{
			name:   "not a number",
			text:   "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  priority: .nan\n",
			broken: []string{"Pod default/a"},
			want:   []string{"input.yaml:5:13 error FSM1002 Pod default/a spec.priority"},
		},
		{
			name:   "a tag that does not fit",
			text:   "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  priority: !!int high\n",
			broken: []string{"Pod default/a"},
			want:   []string{"input.yaml:5:13 error FSM1002 Pod default/a spec.priority"},
		},
		{
			name: "wrong types, all of them, where they are",
			text: `apiVersion: apps/v1
kind: Deployment
metadata:
  name: a
  creationTimestamp: yesterday
  labels: {x: 1, z: yes}
spec:
  replicas: "3"
  paused: maybe
  selector: []
  template:
    spec:
      terminationGracePeriodSeconds: 1.5
      priority: 3000000000
      containers:
        - name: app
          command: /bin/app
          env: {A: b}
          ports:
            - 8080
          resources: {limits: {cpu: fast}}
          livenessProbe: {httpGet: {port: 1.5}}
`,
			broken: []string{"Deployment default/a"},
			want: []string{
				"input.yaml:5:22 error FSM1002 Deployment default/a metadata.creationTimestamp",
				"input.yaml:6:15 error FSM1002 Deployment default/a metadata.labels.x",
				"input.yaml:6:21 error FSM1002 Deployment default/a metadata.labels.z",
				"input.yaml:8:13 error FSM1002 Deployment default/a spec.replicas",
				"input.yaml:9:11 error FSM1002 Deployment default/a spec.paused",
				"input.yaml:10:3 error FSM1002 Deployment default/a spec.selector",
				"input.yaml:13:38 error FSM1002 Deployment default/a spec.template.spec.terminationGracePeriodSeconds",
				"input.yaml:14:17 error FSM1002 Deployment default/a spec.template.spec.priority",
				"input.yaml:17:20 error FSM1002 Deployment default/a spec.template.spec.containers[0].command",
				"input.yaml:18:11 error FSM1002 Deployment default/a spec.template.spec.containers[0].env",
				"input.yaml:20:15 error FSM1002 Deployment default/a spec.template.spec.containers[0].ports[0]",
				"input.yaml:21:37 error FSM1002 Deployment default/a spec.template.spec.containers[0].resources.limits.cpu",
				"input.yaml:22:43 error FSM1002 Deployment default/a spec.template.spec.containers[0].livenessProbe.httpGet.port",
			},
		},
		{
			name:    "fields that are not known",
			text:    "apiVersion: v1\nkind: Service\nmetadata: {name: a, label: {}}\nspc: {}\nspec:\n  ports: [{port: 80, Name: b}]\n",
			objects: []string{"Service default/a"},
			want: []string{
				"input.yaml:3:21 warning FSM1003 Service default/a metadata.label", "input.yaml:4:1 warning FSM1003 Service default/a spc",
				"input.yaml:6:22 warning FSM1003 Service default/a spec.ports[0].Name",
			},
		},
		{
			name: "a field that is not known beside a wrong type",
			text: "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {port: 1, ports: 2}\n", broken: []string{"Service default/a"},
			want: []string{"input.yaml:4:8 warning FSM1003 Service default/a spec.port", "input.yaml:4:24 error FSM1002 Service default/a spec.ports"},
		},
		{
			name: "JSON", file: "input.json",
			text:    `{"apiVersion": "v1", "kind": "List", "items": [` + "\n" + ` {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}},` + "\n" + ` {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "b"}, "spec": {"é": 1, "priority": "x"}}]}`,
			objects: []string{"Pod default/a"}, broken: []string{"Pod default/b"},
			want: []string{"input.json:3:74 warning FSM1003 Pod default/b spec.é", "input.json:3:94 error FSM1002 Pod default/b spec.priority"},
		},
		{
			name: "JSON that says its kind last", file: "input.json",
			text:    `{"items": [{"metadata": {"name": "a"}}], "kind": "PodList", "apiVersion": "v1"}`,
			objects: []string{"Pod default/a"},
		},
		{
			name: "JSON values in a row, in a file that is named otherwise",
			text: "{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {\"name\": \"\\u0061\"}}\n{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {\"name\": \"b\"}}\n", objects: []string{"Pod default/a", "Pod default/b"},
		},
		{
			name: "JSON between markers", file: "input.json",
			text: "{\"apiVersion\": \"v1\", \"kind\": \"Pod\",\n \"metadata\": {\"name\": \"a\"}}\n---\n{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {\"name\": \"b\"}}\n", objects: []string{"Pod default/a", "Pod default/b"},
		},
		{
			name:    "YAML that begins like JSON",
			text:    "{apiVersion: v1, kind: Pod, metadata: {name: a}}\n",
			objects: []string{"Pod default/a"},
		},
		{
			name: "a key that is written twice, in JSON", file: "input.json",
			text:   "{\"apiVersion\": \"v1\", \"kind\": \"Pod\",\n\"metadata\": {\"name\": \"a\", \"labels\": {\"x\": \"a\", \"x\": \"b\"}}}",
			broken: []string{"Pod default/a"},
			want:   []string{"input.json:2:48 error FSM1005 Pod default/a metadata.labels.x"},
		},
		{
			name: "items that are written twice, in JSON", file: "input.json",
			text:   `{"apiVersion": "v1", "kind": "PodList", "items": [{"metadata": {"name": "a"}}],` + "\n" + `"items": [{"metadata": {"name": "b"}}]}`,
			broken: []string{"Pod default/a"},
			want:   []string{"input.json:2:1 error FSM1005 Pod default/a items"},
		},
		{
			name: "JSON that is torn off", file: "input.json",
			text: "{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {\"name\": \"a\"}}\n{\"apiVersion\": \"v1\", \"kin", objects: []string{"Pod default/a"},
			want: []string{"input.json:2:25 error FSM1001"},
		},
		{
			name: "a mistake in one item of JSON", file: "input.json",
			text:    "{\"apiVersion\": \"v1\", \"kind\": \"PodList\", \"items\": [\n{\"metadata\": {\"name\": \"a\"}, \"spec\": {\"hostNetwork\": tru}},\n{\"metadata\": {\"name\": \"b\"}}]}",
			objects: []string{"Pod default/b"}, broken: []string{"Pod default/a"},
			want: []string{"input.json:2:56 error FSM1001 Pod default/a"},
		},
		{
			name: "a comma that is missing between items", file: "input.json",
			text: "{\"apiVersion\": \"v1\", \"kind\": \"PodList\", \"items\": [\n{\"metadata\": {\"name\": \"a\"}}\n{\"metadata\": {\"name\": \"b\"}}]}",
			want: []string{"input.json:3:1 error FSM1001"},
		},
		{
			name: "words in a file that is named JSON", file: "input.json",
			text: "hello world\n",
			want: []string{"input.json:1:1 error FSM1001"},
		},
		{
			name: "nothing",
			text: "# nothing\n---\n",
			want: []string{"input.yaml:0:0 warning FSM1010"},
		},
		{
			name: "too deep",
			text: "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: " + strings.Repeat("[", 600) + strings.Repeat("]", 600) + "\n", broken: []string{"Pod default/a"},
			want: []string{
				"input.yaml:4:1 error FSM1002 Pod default/a spec",
				"input.yaml:4:507 error FSM1001 Pod default/a spec" + strings.Repeat("[0]", 500),
			},
		},
		{
			name: "too deep, in JSON", file: "input.json",
			text: strings.Repeat(`{"a":[`, 400) + strings.Repeat("]}", 400),
			want: []string{"input.json:1:1 error FSM1007"},
		},
		{
			name: "aliases and merges",
			text: `apiVersion: v1
kind: Pod
metadata:
  name: a
  labels: &labels {app: a}
spec:
  nodeSelector:
    <<: *labels
    disk: ssd
  containers:
    - &c {name: c, image: i, ports: [{containerPort: x}]}
    - {<<: *c, name: d}
    - *c
`,
			broken: []string{"Pod default/a"},
			want: []string{
				"input.yaml:11:54 error FSM1002 Pod default/a spec.containers[0].ports[0].containerPort",
				"input.yaml:11:54 error FSM1002 Pod default/a spec.containers[1].ports[0].containerPort",
				"input.yaml:11:54 error FSM1002 Pod default/a spec.containers[2].ports[0].containerPort",
			},
		},
		{
			name:   "a long mapping with a key that is written twice",
			text:   "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  labels:\n    <<: {k0: x, k1: x}\n" + manyKeys(40) + "    k7: y\n",
			broken: []string{"Pod default/a"},
			want:   []string{"input.yaml:47:5 error FSM1005 Pod default/a metadata.labels.k7"},
		},
		{
			name: "words that are no strings, and keys with escapes, in JSON", file: "input.json",
			text:   `{"apiVersion": "v1", "kind": 1}` + "\n" + `{"apiVersion": "v1", "k\u0069nd": "Pod", "metadata": {"n\u0061me": "a", "labels": {"\ud800": "b", "c\\": 1, "": 2}}}`,
			broken: []string{"Pod default/a"},
			want: []string{
				"input.json:1:1 error FSM1007", "input.json:2:106 error FSM1002 Pod default/a metadata.labels.c\\", "input.json:2:113 error FSM1002 Pod default/a metadata.labels[]",
			},
		},
		{
			name: "a long document with a syntax error",
			text: "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nx: [\n" + strings.Repeat("- "+strings.Repeat("x", 10_000)+"\n", 110) + "y: {\n", broken: []string{"Pod default/a"},
			want: []string{"input.yaml:4:1 error FSM1001 Pod default/a"},
		},
		{
			name: "what cannot be merged", text: "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  labels:\n    <<: [a]\n", broken: []string{"Pod default/a"},
			want: []string{"input.yaml:6:10 error FSM1001 Pod default/a metadata.labels"},
		},
		{
			name: "an anchor that is not there", text: "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  labels: *b\n", broken: []string{"Pod default/a"},
			want: []string{"input.yaml:5:3 error FSM1001 Pod default/a"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.file == "" {
				test.file = "input.yaml"
			}
			r := ReadBytes(test.file, []byte(test.text))
			if diff := cmp.Diff(test.objects, refs(r.Objects)); diff != "" {
				t.Errorf("objects (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.broken, brokenRefs(r.Objects)); diff != "" {
				t.Errorf("broken (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.want, places(r.Diagnostics)); diff != "" {
				t.Errorf("diagnostics (-want +got):\n%s%s", diff, spelled(r.Diagnostics))
			}
		})
	}
}

func manyKeys(n int) string {
	text := ""
	for i := range n {
		text += fmt.Sprintf("    k%d: x\n", i)
	}
	return text
}

// TestReadIsDeterministic says that it does not matter how many processors there are.
func TestReadIsDeterministic(t *testing.T) {
	var text strings.Builder
	for i := range 200 {
		fmt.Fprintf(&text, "apiVersion: v1\nkind: Service\nmetadata: {name: a-%d}\nspec: {port: 1, selector: [%d]}\n---\n", i%150, i)
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	one := ReadBytes("in.yaml", []byte(text.String()))
	runtime.GOMAXPROCS(8)
	eight := ReadBytes("in.yaml", []byte(text.String()))
	if diff := cmp.Diff(one.Diagnostics, eight.Diagnostics); diff != "" {
		t.Errorf("diagnostics (-one +eight):\n%s", diff)
	}
	if diff := cmp.Diff(one.Objects, eight.Objects); diff != "" {
		t.Errorf("objects (-one +eight):\n%s", diff)
	}
}

// utf16Text is ASCII in two bytes each, of which the one at zero is the letter.
func utf16Text(s string, letter int) string {
	data := make([]byte, 2*len(s))
	for i := range len(s) {
		data[2*i+letter] = s[i]
	}
	return string(data)
}

// refs are the objects that were read, by the order of the fields of Objects.
func refs(objects sources.Objects) []string {
	var all []string
	value := reflect.ValueOf(objects)
	for i := range value.NumField() {
		if field := value.Field(i); field.Kind() == reflect.Slice && field.Type().Elem().Kind() == reflect.Pointer {
			for j := range field.Len() {
				meta := field.Index(j).Elem().FieldByName("ObjectMeta")
				all = append(all, model.Ref{
					Kind:      strings.TrimPrefix(field.Type().Elem().Elem().Name(), "*"),
					Namespace: meta.FieldByName("Namespace").String(), Name: meta.FieldByName("Name").String(),
				}.String())
			}
		}
	}
	return all
}

func brokenRefs(objects sources.Objects) []string {
	var all []string
	for _, ref := range objects.Broken {
		all = append(all, ref.String())
	}
	return all
}

// places are diagnostics without their words.
func places(diagnostics []model.Diagnostic) []string {
	var all []string
	for _, d := range diagnostics {
		s := fmt.Sprintf("%s:%d:%d %s %s", d.Position.File, d.Position.Line, d.Position.Column, d.Level, d.Code)
		if d.At != (model.Ref{}) {
			s += " " + d.At.String()
		}
		all = append(all, s)
	}
	return all
}

// spelled are the words of diagnostics.
func spelled(diagnostics []model.Diagnostic) string {
	var all []string
	for _, d := range diagnostics {
		all = append(all, strings.Join([]string{d.Message, d.Instead, d.Fix}, "; "))
	}
	return strings.Join(all, "\n")
}
