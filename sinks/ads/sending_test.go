package ads

import (
	"net"
	"testing"
	"time"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// deaf is a service that sends messages to who does not read, until that takes time.
type deaf struct {
	discoveryv3.UnimplementedAggregatedDiscoveryServiceServer
	taken chan int
}

func (d deaf) DeltaAggregatedResources(stream discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResourcesServer) error {
	message := &response{}
	message.room = make([]part, 0, 1)
	message.add(make([]byte, 1000))
	for sent := 0; ; sent += message.size {
		select {
		case d.taken <- sent:
		case <-stream.Context().Done():
			return nil
		}
		if err := stream.SendMsg(message); err != nil {
			return nil
		}
	}
}

// TestGRPCTakesSomeAtOnce holds gRPC to what sending relies on: SendMsg does not wait while less than atOnce is on its
// way, whatever the other side does.
func TestGRPCTakesSomeAtOnce(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := deaf{taken: make(chan int)}
	server := grpc.NewServer(grpc.ForceServerCodecV2(codec{}))
	discoveryv3.RegisterAggregatedDiscoveryServiceServer(server, d)
	go func() { _ = server.Serve(l) }()
	defer server.Stop()
	conn, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := discoveryv3.NewAggregatedDiscoveryServiceClient(conn).DeltaAggregatedResources(t.Context()); err != nil {
		t.Fatal(err)
	}
	for sent := 0; sent < atOnce; {
		select {
		case sent = <-d.taken:
		case <-time.After(30 * time.Second):
			t.Fatalf("gRPC waits when %d bytes are on their way", sent)
		}
	}
}
