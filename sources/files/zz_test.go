package files

import ("testing";"sigs.k8s.io/yaml";"fmt";"runtime";"time";"os")

func TestBigYAML(t *testing.T) {
	if os.Getenv("BIG") == "" { t.Skip() }
	if os.Getenv("BIG") == "w" {
	y, _ := yaml.JSONToYAML(podDump(3000, jsonPod))
	os.WriteFile("/tmp/big.yaml", y, 0o644)
	return
	}
	start := time.Now()
	r, _ := Read([]string{"/tmp/big.yaml"}, nil)
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	fmt.Println(len(r.Objects.Pods), r.Documents, time.Since(start), m.HeapSys>>20, m.TotalAlloc>>20, len(r.Diagnostics))
	d := r.Positions.places
	for ref, p := range d { fmt.Println(p.document.body().locate(p.start, "spec.nodeName"), ref); break }
}
