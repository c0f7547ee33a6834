package compiler

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flomesh-io/fsmc/model"
)

func TestHostnames(t *testing.T) {
	for _, row := range []struct {
		name      string
		service   model.ServiceID
		namespace string
		want      []string
	}{
		{
			"from its own namespace", inShop("web"), "shop",
			[]string{"web.shop.svc.cluster.local", "web.shop.svc.cluster", "web.shop.svc", "web.shop", "web"},
		},
		{
			"from another namespace", inShop("web"), "bank",
			[]string{"web.shop.svc.cluster.local", "web.shop.svc.cluster", "web.shop.svc", "web.shop"},
		},
		{
			"a host of a StatefulSet", inShop("db-0.db"), "shop",
			[]string{"db-0.db.shop.svc.cluster.local", "db-0.db.shop.svc.cluster", "db-0.db.shop.svc", "db-0.db.shop", "db-0.db"},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			if diff := cmp.Diff(row.want, hostnames(row.service, row.namespace)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Dashboards and tools read these names.
func TestNames(t *testing.T) {
	web := model.ServicePort{Service: inShop("web"), Port: 80}
	for _, row := range []struct{ name, got, want string }{
		{"cluster", upstreamCluster(web), "shop/web|80"},
		{"cluster of a pod's own address", directCluster(web), "shop/web|80|direct"},
		{"the application's port", localCluster(8080), "8080|local"},
		{"cluster in statistics", statName("shop/db-0.db|3306"), "shop/db-0_db|3306"},
		{"chain of a port that speaks HTTP", outboundHTTPChain(80), "outbound_80_http"},
		{"chain of another port", outboundTCPChain(web, model.TCPServerFirst), "outbound_shop/web_80_tcp-server-first"},
		{"chain of pods by address", outboundDirectChain(web), "outbound_shop/web_80_direct"},
		{"chain of a door", inboundChain(inShop("web"), 8080, model.GRPC), "inbound_shop/web_8080_grpc"},
		{"outbound routes", outboundRoutes(80), "rds-outbound.80"},
		{"inbound routes", inboundRoutes(8080), "rds-inbound.8080"},
		{"virtual host", outboundVirtualHost(inShop("web")), "outbound_virtual-host|web.shop.svc.cluster.local"},
		{"virtual host of pods", directVirtualHost(inShop("db")), "outbound_virtual-host|db.shop.svc.cluster.local|direct"},
		{"virtual host of a door", inboundVirtualHost(8080), "inbound_virtual-host|8080"},
		{"server name", fqdn(inShop("web")), "web.shop.svc.cluster.local"},
	} {
		if row.got != row.want {
			t.Errorf("%s: %s, not %s", row.name, row.got, row.want)
		}
	}
}

// Adding one thing renames no other: what was there keeps its name, and what is not about the new thing its version.
func TestAddingAServiceRenamesNothing(t *testing.T) {
	for name, settings := range map[string]model.Settings{"SMI": smi(), "permissive": permissive()} {
		t.Run(name, func(t *testing.T) {
			before := shop(settings)
			// Its name is before all others, and it has the port, the address family and the caller of others.
			fresh := pod("aaa-0", thief, "100.64.0.99", serves("aaa", 80, 8080, model.HTTP))
			after := with(before, fresh, clusterIP("aaa", "198.18.0.99", answers(80, model.HTTP, behind(fresh, 8080))), admit("aaa", buyer, thief))
			for _, id := range []model.ProxyID{theBuyer, theSeller} {
				was, is := versions(compiled(t, before, id)), versions(compiled(t, after, id))
				for _, name := range sortedKeys(was) {
					_, there := is[name]
					changes := name == "Listener outbound-listener" || name == "RouteConfiguration rds-outbound.80"
					if !there || was[name] != is[name] && !changes {
						t.Errorf("%s of %s: was %s, is %s", name, id, was[name], is[name])
					}
				}
			}
		})
	}
}

// with is a mesh and more things.
func with(mesh *model.Mesh, more ...any) *model.Mesh {
	for s := range mesh.Services() {
		more = append(more, s)
	}
	for p := range mesh.Proxies() {
		more = append(more, p)
	}
	for p := range mesh.Permissions() {
		more = append(more, p)
	}
	for s := range mesh.Splits() {
		more = append(more, s)
	}
	return meshOf(mesh.Settings(), more...)
}

// versions are the versions of a class's resources by the last word of their type and by name; the class has one too.
func versions(c configuration) map[string]string {
	list := map[string]string{"class": c.Name}
	for _, r := range c.resources() {
		list[shortType(r)+" "+r.Name] = r.Version
	}
	return list
}
