//go:build linux

package local

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/flomesh-io/fsmc/compiler"
)

// adminClient speaks to the administration of the pod's sidecar, which listens inside the pod only.
func (p *pod) adminClient() *http.Client {
	return &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return p.dial(ctx, network, address)
		},
	}}
}

// askAdmin asks a sidecar's administration.
func askAdmin(ctx context.Context, admin *http.Client, path string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d%s", compiler.AdminPort, path), nil)
	if err != nil {
		return nil, err
	}
	return admin.Do(request)
}

// ready says whether a sidecar is ready.
func ready(ctx context.Context, admin *http.Client) bool {
	response, err := askAdmin(ctx, admin, "/ready")
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// lastUpdate is when a sidecar last took listeners, clusters or routes from a control plane; zero when it does not say.
func lastUpdate(ctx context.Context, admin *http.Client) time.Time {
	response, err := askAdmin(ctx, admin, `/stats?filter=ds(\..*)?\.update_time$`)
	if err != nil {
		return time.Time{}
	}
	defer func() { _ = response.Body.Close() }()
	var last int64
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		_, value, _ := strings.Cut(lines.Text(), ": ")
		if at, err := strconv.ParseInt(value, 10, 64); err == nil {
			last = max(last, at)
		}
	}
	if last == 0 {
		return time.Time{}
	}
	return time.UnixMilli(last)
}

// later is the later of two times.
func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
