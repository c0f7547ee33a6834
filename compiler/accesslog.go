package compiler

import (
	accesslogv3 "github.com/envoyproxy/go-control-plane/envoy/config/accesslog/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	celv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/filters/cel/v3"
	streamv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/stream/v3"
	"google.golang.org/protobuf/types/known/structpb"
)

// accessLog writes a JSON object a request or connection to standard output.
func accessLog() []*accesslogv3.AccessLog {
	return []*accesslogv3.AccessLog{standardOutput(nil)}
}

// refusedLog writes the connections to a listener that no other log would show, or not the reason of: those that no filter
// chain takes, and those whose handshake fails.
func refusedLog() []*accesslogv3.AccessLog {
	unknown := &accesslogv3.AccessLogFilter{FilterSpecifier: &accesslogv3.AccessLogFilter_ResponseFlagFilter{
		ResponseFlagFilter: &accesslogv3.ResponseFlagFilter{Flags: []string{"NR"}},
	}}
	distrusted := &accesslogv3.AccessLogFilter{FilterSpecifier: &accesslogv3.AccessLogFilter_ExtensionFilter{
		ExtensionFilter: &accesslogv3.ExtensionFilter{
			Name: "envoy.access_loggers.extension_filters.cel",
			ConfigType: &accesslogv3.ExtensionFilter_TypedConfig{TypedConfig: packed(&celv3.ExpressionFilter{
				Expression: `has(connection.transport_failure_reason) && connection.transport_failure_reason != ""`,
			})},
		},
	}}
	return []*accesslogv3.AccessLog{standardOutput(&accesslogv3.AccessLogFilter{
		FilterSpecifier: &accesslogv3.AccessLogFilter_OrFilter{
			OrFilter: &accesslogv3.OrFilter{Filters: []*accesslogv3.AccessLogFilter{unknown, distrusted}},
		},
	})}
}

func standardOutput(filter *accesslogv3.AccessLogFilter) *accesslogv3.AccessLog {
	return &accesslogv3.AccessLog{
		Name:       "envoy.access_loggers.stdout",
		Filter:     filter,
		ConfigType: &accesslogv3.AccessLog_TypedConfig{TypedConfig: packedLog},
	}
}

// packedLog is in every listener and filter chain, and depends on nothing: packed each time, it was a fifth of the work
// of a compilation.
var packedLog = packed(&streamv3.StdoutAccessLog{AccessLogFormat: &streamv3.StdoutAccessLog_LogFormat{
	LogFormat: &corev3.SubstitutionFormatString{
		Format: &corev3.SubstitutionFormatString_JsonFormat{JsonFormat: logFormat()},
	},
}})

// logFormat has the fields that users of the mesh know, and beside them who the peer proved to be, which chain or
// route took the call, and why a connection ended.
func logFormat() *structpb.Struct {
	fields := map[string]*structpb.Value{}
	for _, f := range [][2]string{
		{"authority", "%REQ(:AUTHORITY)%"},
		{"bytes_received", "%BYTES_RECEIVED%"},
		{"bytes_sent", "%BYTES_SENT%"},
		{"connection_termination_details", "%CONNECTION_TERMINATION_DETAILS%"},
		{"downstream_local_address", "%DOWNSTREAM_LOCAL_ADDRESS%"},
		{"downstream_peer", "%DOWNSTREAM_PEER_URI_SAN%"},
		{"downstream_remote_address", "%DOWNSTREAM_REMOTE_ADDRESS%"},
		{"downstream_transport_failure_reason", "%DOWNSTREAM_TRANSPORT_FAILURE_REASON%"},
		{"duration", "%DURATION%"},
		{"filter_chain", "%FILTER_CHAIN_NAME%"},
		{"method", "%REQ(:METHOD)%"},
		{"path", "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%"},
		{"protocol", "%PROTOCOL%"},
		{"request_id", "%REQ(X-REQUEST-ID)%"},
		{"requested_server_name", "%REQUESTED_SERVER_NAME%"},
		{"response_code", "%RESPONSE_CODE%"},
		{"response_code_details", "%RESPONSE_CODE_DETAILS%"},
		{"response_flags", "%RESPONSE_FLAGS%"},
		{"route", "%ROUTE_NAME%"},
		{"start_time", "%START_TIME%"},
		{"time_to_first_byte", "%RESPONSE_DURATION%"},
		{"upstream_cluster", "%UPSTREAM_CLUSTER%"},
		{"upstream_host", "%UPSTREAM_HOST%"},
		{"upstream_peer", "%UPSTREAM_PEER_URI_SAN%"},
		{"upstream_service_time", "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%"},
		{"upstream_transport_failure_reason", "%UPSTREAM_TRANSPORT_FAILURE_REASON%"},
		{"user_agent", "%REQ(USER-AGENT)%"},
		{"x_forwarded_for", "%REQ(X-FORWARDED-FOR)%"},
	} {
		fields[f[0]] = structpb.NewStringValue(f[1])
	}
	return &structpb.Struct{Fields: fields}
}
