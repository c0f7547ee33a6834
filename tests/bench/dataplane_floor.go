package main

import (
	"encoding/json"
	"fmt"

	accesslogv3 "github.com/envoyproxy/go-control-plane/envoy/config/accesslog/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/flomesh-io/fsmc/model"
)

// floor writes two configurations that somebody would write by hand who wants nothing but two sidecars with mutual TLS between
// them: one listener, one route, one cluster each. They log as ours do, because whoever operates a mesh wants a line a
// request; what that costs is the same in all forms.
func (c *callers) floor(dir string) (form, error) {
	log, err := c.accessLog()
	if err != nil {
		return form{}, err
	}
	at := form{name: "floor"}
	client := fmt.Sprintf(floorText, administration(0).Port(), c.place.Service.Addr(), c.place.Service.Port(), log, "", c.place.Pod.Addr(), c.place.Pod.Port(), floorCall)
	server := fmt.Sprintf(floorText, administration(1).Port(), c.place.Pod.Addr(), c.place.Pod.Port(), log, floorAccept, c.place.App.Addr(), c.place.App.Port(), "")
	for i, text := range []string{client, server} {
		id := []model.ProxyID{c.client, c.server}[i]
		if at.folders[i], err = c.folder(dir, fmt.Sprintf("floor-%d", i), id, []byte(text), "envoy.yaml"); err != nil {
			return at, err
		}
	}
	return at, nil
}

// accessLog is the one of our connection managers, as JSON.
func (c *callers) accessLog() (string, error) {
	var log []*accesslogv3.AccessLog
	err := c.relisten(c.client, "outbound-listener", func(l *listenerv3.Listener) error {
		manager := &hcmv3.HttpConnectionManager{}
		if err := l.FilterChains[0].Filters[0].GetTypedConfig().UnmarshalTo(manager); err != nil {
			return err
		}
		log = manager.AccessLog
		return nil
	})
	if err != nil || len(log) == 0 {
		return "", fmt.Errorf("ours has no access log: %w", err)
	}
	var list []json.RawMessage
	for _, l := range log {
		text, err := protojson.Marshal(l)
		if err != nil {
			return "", err
		}
		list = append(list, text)
	}
	text, err := json.Marshal(list)
	return string(text), err
}

// floorText is a sidecar. Its places are the port of its administration, where it listens, its access log, TLS of that, and whom
// it calls, with TLS of that.
const floorText = `
admin: {address: {socket_address: {address: 127.0.0.1, port_value: %d}}}
static_resources:
  listeners:
  - address: {socket_address: {address: %s, port_value: %d}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: floor
          access_log: %s
          route_config: {virtual_hosts: [{name: all, domains: ["*"], routes: [{match: {prefix: /}, route: {cluster: next}}]}]}
          http_filters: [{name: router, typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}]
%s
  clusters:
  - name: next
    type: STATIC
    load_assignment: {cluster_name: next, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: %s, port_value: %d}}}}]}]}
%s`

const floorAccept = `      transport_socket:
        name: tls
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
          require_client_certificate: true
          common_tls_context: {` + floorTLS + `}`

const floorCall = `    transport_socket:
      name: tls
      typed_config:
        "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
        common_tls_context: {` + floorTLS + `}`

const floorTLS = `tls_params: {tls_minimum_protocol_version: TLSv1_3, tls_maximum_protocol_version: TLSv1_3}, ` +
	`tls_certificates: [{certificate_chain: {filename: ./tls.crt}, private_key: {filename: ./tls.key}}], validation_context: {trusted_ca: {filename: ./ca.crt}}`
