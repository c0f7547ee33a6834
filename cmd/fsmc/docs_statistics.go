package main

import (
	"fmt"
	"strings"

	"github.com/flomesh-io/fsmc/compiler"
)

// statisticsPage is the reference of what sidecars count.
func statisticsPage() string {
	var b strings.Builder
	b.WriteString(generated + `# Metrics of sidecars

What Envoy counts in a sidecar, for Prometheus: ` + "`/stats/prometheus`" + ` on port 15010 of pods with the annotation
` + "`prometheus.io/scrape: \"true\"`" + `, and on port 15000 inside every pod. Dashboards may rely on the series below. A sidecar keeps
what fits the names, as Envoy spells them, and nothing else: Envoy has well over a hundred more for each service, used or not, which
took more than a third of the memory of a sidecar that sees many (` + "[decision 0017](../decisions/0017-promised-statistics.md)" + `).

Series of a service's requests, connections and handshakes have the label ` + "`envoy_cluster_name`" + `, such as ` + "`bookstore/bookstore|14001`" + `;
those of requests as they came in have ` + "`route_table`" + `: ` + "`rds-outbound.14001`" + ` for what the application calls at port 14001, ` + "`rds-inbound.14001`" + ` for
what others call at the pod's. Series of a service's requests and connections are there from its first request on. A histogram has its name with
` + "`_bucket`, `_sum` and `_count`" + `.
`)
	for _, s := range compiler.SidecarStatistics() {
		fmt.Fprintf(&b, "\n## `%s`\n\n%s%s.\n\n", s.Names, strings.ToUpper(s.Means[:1]), s.Means[1:])
		for _, name := range s.Series {
			fmt.Fprintf(&b, "- `%s`\n", name)
		}
	}
	return b.String()
}
