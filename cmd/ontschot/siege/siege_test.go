package siege_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/ontschot/ontschot/gateway/client"
	"github.com/ontschot/ontschot/internal/config"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// What a flood is made of, and what the gateway may open.
const (
	idlers = 4200
	files  = 4096
)

// flood holds connections open that never say anything; of those that the gateway ends each is
// made again. They come at once, 2,000 a second on this one machine, and again 200 a second.
type flood struct {
	pace   *time.Ticker
	made   atomic.Int64
	failed atomic.Pointer[error]
	stop   context.CancelFunc
	all    sync.WaitGroup
}

func floodFrom(t *testing.T, address string, from func(i int) net.IP) *flood {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	f := &flood{stop: cancel, pace: time.NewTicker(500 * time.Microsecond)}
	for i := range idlers {
		f.all.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case <-f.pace.C:
				}
				f.hold(ctx, address, from(i))
			}
		})
	}
	t.Cleanup(func() { f.end(); f.pace.Stop() })
	return f
}

// hold is one connection, for as long as the gateway lets it.
func (f *flood) hold(ctx context.Context, address string, from net.IP) {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: from}}
	c, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		if ctx.Err() == nil {
			f.failed.CompareAndSwap(nil, &err)
		}
		return
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	if f.made.Add(1) == idlers {
		f.pace.Reset(5 * time.Millisecond)
	}
	_, _ = c.Read(make([]byte, 1))
}

func (f *flood) end() {
	f.stop()
	f.all.Wait()
}

// descriptors that a process has open.
func (g *gateway) descriptors() int {
	g.t.Helper()
	all, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", g.cmd.Process.Pid))
	require.NoError(g.t, err)
	return len(all)
}

// 4,200 connections that never say anything, under a limit of 4,096 descriptors, from one address
// and from many: callers are served, and another key, another certificate and the record are
// opened meanwhile.
func TestFourThousandIdleConnections(t *testing.T) {
	g := lay(t, false, func(_ *gateway, c *config.Gateway) { c.Sources = nil })
	g.files = files
	g.start()
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	b, err := g.ask(ctx)
	require.NoError(t, err)
	require.Equal(t, g.family.Requester().Sign.KeyID, signer(t, b))

	for i, one := range []struct {
		name string
		from func(int) net.IP
	}{
		{"from one address", func(int) net.IP { return net.IPv4(127, 0, 0, 2) }},
		{"from the address of the callers", func(int) net.IP { return net.IPv4(127, 0, 0, 1) }},
		{"from two hundred addresses", func(i int) net.IP { return net.IPv4(127, 0, 1, byte(1+i%200)) }},
	} {
		t.Run(one.name, func(t *testing.T) {
			g.t = t
			f := floodFrom(t, g.layout.Gateways[g.family.Case.Requester], one.from)
			require.True(t, assertEventually(func() bool { return f.made.Load() >= idlers }), "all have come")
			for range 5 {
				_, err := g.ask(ctx)
				require.NoError(t, err, "a municipal caller, over a connection of its own")
			}
			require.Less(t, g.descriptors(), files-512, "the reserve is there")
			id := fmt.Sprintf("sign-%d", 2+i)
			g.useAnotherKey(id)
			require.True(t, assertEventually(func() bool {
				b, err := g.ask(ctx)
				require.NoError(t, err)
				return signer(t, b) == id
			}), "the key is taken over")
			require.NoError(t, g.family.Renew(g.family.Case.Requester))
			own := g.family.Requester()
			g.replace("gateway/key.pem", own.Server.KeyPEM)
			g.replace("gateway/cert.pem", own.Server.CertPEM)
			g.replace("client/key.pem", own.Client.KeyPEM)
			g.replace("client/cert.pem", own.Client.CertPEM)
			require.True(t, assertEventually(func() bool { return g.shows() == string(own.Server.TLS.Leaf.Raw) }), "the certificate is taken over")
			_, err := g.ask(ctx)
			require.NoError(t, err)
			if failed := f.failed.Load(); failed != nil {
				require.NoError(t, *failed, "the flood was one")
			}
			require.Greater(t, f.made.Load(), int64(idlers), "those that were ended came again")
			f.end()
		})
	}
	g.t = t
	require.Contains(t, g.stderr.String(), `"msg":"connections are turned away; since the start"`)
	require.NotContains(t, g.stderr.String(), "127.0.0.2", "not from where")
}

// shows is the certificate of the gateway, as who connects sees it.
func (g *gateway) shows() string {
	c, err := dial(g)
	if err != nil {
		return ""
	}
	defer c.Close()
	return string(c.ConnectionState().PeerCertificates[0].Raw)
}

// Whoever is refused has few lines in the log, and the others are counted.
func TestRefusedCallsDoNotFloodTheLog(t *testing.T) {
	g := lay(t, false, func(_ *gateway, c *config.Gateway) { c.Sources, c.Limits.RefusedLines = nil, 3 })
	g.start()
	c, err := client.Open(filepath.Join(g.dir, "client.yaml"), func(context.Context) (string, error) { return "no token", nil })
	require.NoError(t, err)
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for range 30 {
		_, err := c.Agreements.ListAgreements(ctx, &ontschotv1.ListAgreementsRequest{})
		require.Equal(t, codes.Unauthenticated, status.Code(err))
	}
	g.says(`"msg":"more lines were not written"`)
	require.Less(t, strings.Count(g.stderr.String(), `"code":"Unauthenticated"`), 15, "three, and one more in twenty seconds")
}
