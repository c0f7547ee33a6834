package compiler

import (
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	routerv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
)

// The names of HTTP filters. Route tables configure filters by these names.
const (
	httpRBACFilter   = "envoy.filters.http.rbac"
	pathFilter       = "envoy.filters.http.rbac.paths"
	httpRouterFilter = "envoy.filters.http.router"
)

// outboundConnections understands the requests that the application sends to one port.
func outboundConnections(routes string) *hcmv3.HttpConnectionManager {
	manager := connectionManager(routes)
	manager.HttpFilters = []*hcmv3.HttpFilter{
		httpFilter(httpRouterFilter, &routerv3.Router{}), // sends the request on, so it is the last
	}
	return manager
}

// inboundConnections understands the requests that other sidecars send to one door. Paths are normalised before
// policy sees them, and the application gets the very path that policy has seen; what could be read in two ways is
// refused. The caller's identity is written into x-forwarded-client-cert in place of whatever came.
func inboundConnections(routes string) *hcmv3.HttpConnectionManager {
	manager := connectionManager(routes)
	manager.HttpFilters = []*hcmv3.HttpFilter{
		httpFilter(pathFilter, ambiguousPaths()),         // refuses paths that two readers would read in two ways
		httpFilter(httpRBACFilter, httpRBAC()),           // decides, before anything else looks at the request
		httpFilter(httpRouterFilter, &routerv3.Router{}), // hands the request to the application, so it is the last
	}
	manager.NormalizePath = yes()
	manager.MergeSlashes = true
	manager.PathWithEscapedSlashesAction = hcmv3.HttpConnectionManager_REJECT_REQUEST
	manager.ForwardClientCertDetails = hcmv3.HttpConnectionManager_SANITIZE_SET
	manager.SetCurrentClientCertDetails = &hcmv3.HttpConnectionManager_SetCurrentClientCertDetails{Uri: true}
	return manager
}

// connectionManager is what both directions have in common: HTTP/1, HTTP/2 and websockets over either, no time limit
// on idle streams, and the application's own Server header.
func connectionManager(routes string) *hcmv3.HttpConnectionManager {
	return &hcmv3.HttpConnectionManager{
		StatPrefix: connectionsPrefix + routes,
		RouteSpecifier: &hcmv3.HttpConnectionManager_Rds{
			Rds: &hcmv3.Rds{RouteConfigName: routes, ConfigSource: ads()},
		},
		Http2ProtocolOptions:       &corev3.Http2ProtocolOptions{AllowConnect: true},
		UpgradeConfigs:             []*hcmv3.HttpConnectionManager_UpgradeConfig{{UpgradeType: "websocket"}},
		StreamIdleTimeout:          &durationpb.Duration{},
		ServerHeaderTransformation: hcmv3.HttpConnectionManager_PASS_THROUGH,
		AccessLog:                  accessLog(),
	}
}

func httpFilter(name string, config proto.Message) *hcmv3.HttpFilter {
	return &hcmv3.HttpFilter{Name: name, ConfigType: &hcmv3.HttpFilter_TypedConfig{TypedConfig: packed(config)}}
}

// prometheusConnections serves Envoy's statistics and nothing else of its administration.
func prometheusConnections() *hcmv3.HttpConnectionManager {
	return &hcmv3.HttpConnectionManager{
		StatPrefix: "inbound-prometheus",
		RouteSpecifier: &hcmv3.HttpConnectionManager_RouteConfig{RouteConfig: &routev3.RouteConfiguration{
			Name: "prometheus",
			VirtualHosts: []*routev3.VirtualHost{{
				Name:    "prometheus",
				Domains: []string{"*"},
				Routes: []*routev3.Route{{
					Match:  &routev3.RouteMatch{PathSpecifier: &routev3.RouteMatch_Path{Path: "/stats/prometheus"}},
					Action: &routev3.Route_Route{Route: toTargets([]targetSpec{{Cluster: metricsCluster}})},
				}},
			}},
		}},
		HttpFilters: []*hcmv3.HttpFilter{httpFilter(httpRouterFilter, &routerv3.Router{})},
	}
}
