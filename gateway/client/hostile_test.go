package client_test

import (
	"context"
	"crypto/tls"
	"net"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/client"
	"github.com/ontschot/ontschot/internal/config"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// Whoever uses the client can name every type that they meet: none is of a package that only
// this module may import.
func TestNothingInternalIsInTheSignaturesOfTheClient(t *testing.T) {
	seen := map[reflect.Type]bool{}
	var look func(reflect.Type, string)
	look = func(of reflect.Type, by string) {
		const ours = "github.com/ontschot/ontschot/"
		if seen[of] || of.PkgPath() != "" && !strings.HasPrefix(of.PkgPath(), ours) {
			return
		}
		seen[of] = true
		require.NotContains(t, of.PkgPath(), ours+"internal/", by)
		for i := range of.NumMethod() {
			look(of.Method(i).Type, by+"."+of.Method(i).Name)
		}
		switch of.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Chan:
			look(of.Elem(), by)
		case reflect.Map:
			look(of.Key(), by)
			look(of.Elem(), by)
		case reflect.Func:
			for i := range of.NumIn() {
				look(of.In(i), by)
			}
			for i := range of.NumOut() {
				look(of.Out(i), by)
			}
		case reflect.Struct:
			for i := range of.NumField() {
				if f := of.Field(i); f.IsExported() {
					look(f.Type, by+"."+f.Name)
				}
			}
		}
	}
	for _, one := range []any{client.Open, client.ReadTrust, client.Client{}, client.Trust{}, client.Verified{}} {
		look(reflect.TypeOf(one), reflect.TypeOf(one).String())
	}
	require.Greater(t, len(seen), 60)
}

// calls are all that a client can be asked, with or without anything in it.
func calls(c *client.Client, ctx context.Context, empty bool) map[string]func() (any, error) {
	some := func(b *budgetv1.Budget) *budgetv1.Budget {
		if empty {
			return nil
		}
		return b
	}
	b := some(&budgetv1.Budget{Purpose: "x"})
	all := map[string]func() (any, error){
		"assemble": func() (any, error) { return c.AssembleBudget(ctx, nil, nil) },
		"view":     func() (any, error) { return c.View(ctx, nil) },
		"account":  func() (any, error) { return c.Account(ctx, nil) },
		"dissolve": func() (any, error) { return c.Dissolve(ctx, nil) },
		"plan":     func() (any, error) { return c.CheckPlan(ctx, nil) },
		"sunset":   func() (any, error) { return c.Sunset(ctx, nil) },
		"register": func() (any, error) { return c.Register(ctx, nil) },
	}
	if empty {
		return all
	}
	all["assemble"] = func() (any, error) {
		return c.AssembleBudget(ctx, &ontschotv1.AssembleBudgetRequest{Persons: []*ontschotv1.Person{nil, {}}}, func(*ontschotv1.Progress) {})
	}
	all["view"] = func() (any, error) { return c.View(ctx, &ontschotv1.ViewRequest{Budget: b}) }
	all["account"] = func() (any, error) { return c.Account(ctx, &ontschotv1.AccountRequest{Budget: b}) }
	all["dissolve"] = func() (any, error) { return c.Dissolve(ctx, &ontschotv1.DissolveRequest{Budget: b}) }
	return all
}

// Nothing that a program does wrongly ends in a panic: no request, no context, a client that is
// closed, twice, or closed while it asks.
func TestAMistakeIsAnError(t *testing.T) {
	w := newTown(t)
	c := w.open(filepath.Join(w.dir, "client.yaml"))
	for _, empty := range []bool{true, false} {
		for name, call := range calls(c, t.Context(), empty) {
			_, err := call()
			require.Error(t, err, name)
		}
	}
	for name, call := range calls(c, nil, true) { //nolint:staticcheck // that is what is tried
		_, err := call()
		require.Error(t, err, name)
	}
	_, err := new(client.Trust).Verify(nil)
	require.ErrorIs(t, err, client.ErrConfig)
	require.ErrorIs(t, new(client.Trust).VerifyAccount(nil), client.ErrConfig)
	require.ErrorIs(t, new(client.Trust).VerifyDissolution(nil), client.ErrConfig)
	trust, err := client.ReadTrust(filepath.Join(w.dir, "client.yaml"))
	require.NoError(t, err)
	_, err = trust.Verify(nil)
	require.Error(t, err)
	require.Error(t, trust.VerifyAccount(nil))
	require.Error(t, trust.VerifyDissolution(nil))

	ended := make(chan error, 8)
	for range 8 {
		go func() {
			for {
				if _, err := c.AssembleBudget(t.Context(), w.request(), nil); err != nil {
					ended <- err
					return
				}
			}
		}()
	}
	require.NoError(t, c.Close())
	for range 8 {
		require.Contains(t, []codes.Code{codes.Canceled, codes.Unavailable}, status.Code(<-ended))
	}
	require.Error(t, c.Close())
	for name, call := range calls(c, t.Context(), true) {
		_, err := call()
		require.Error(t, err, name)
	}
}

// liar is a server that answers every call with the same bytes, so many times.
type liar struct {
	answer []byte
	times  int
}

// Marshal and Unmarshal make it a codec: what is sent is what it has.
func (l *liar) Marshal(any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(l.answer)}, nil
}
func (l *liar) Unmarshal(mem.BufferSlice, any) error { return nil }
func (l *liar) Name() string                         { return "proto" }

func (l *liar) serve(_ any, stream grpc.ServerStream) error {
	if err := stream.RecvMsg(new(struct{})); err != nil {
		return err
	}
	for range l.times {
		if err := stream.SendMsg(new(struct{})); err != nil {
			return err
		}
	}
	return nil
}

// Whatever a server answers, the client neither panics nor gives a budget that was not released.
func FuzzAnswersOfAServerThatLies(f *testing.F) {
	w := newTown(f)
	r := w.request()
	good, err := w.open(filepath.Join(w.dir, "client.yaml")).AssembleBudget(f.Context(), r, nil)
	require.NoError(f, err)
	l := &liar{}
	c := w.lied(l)
	raw, err := proto.Marshal(&ontschotv1.AssembleBudgetResponse{Event: &ontschotv1.AssembleBudgetResponse_Budget{Budget: good}})
	require.NoError(f, err)
	bare, err := proto.Marshal(good)
	require.NoError(f, err)
	for _, one := range [][]byte{raw, raw[:len(raw)/2], append(raw, raw...), bare, {}, {0xff, 0xff}, {0x0a, 0x00}, {0x12, 0x00}, append([]byte{0xfa, 0x3f, 0x01, 'x'}, raw...)} {
		f.Add(one, byte(1))
		f.Add(one, byte(3))
	}
	f.Fuzz(func(t *testing.T, answer []byte, times byte) {
		l.answer, l.times = answer, int(times%4)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		for _, call := range calls(c, ctx, false) {
			_, _ = call()
		}
		b, err := c.AssembleBudget(ctx, r, nil)
		require.True(t, err != nil && b == nil || err == nil && proto.Equal(good, b))
	})
}

// lied is a client of a server that lies.
func (w *town) lied(l *liar) *client.Client {
	w.t.Helper()
	conf, err := config.ReadClient(filepath.Join(w.dir, "client.yaml"))
	require.NoError(w.t, err)
	listener, err := net.Listen("tcp", "localhost:0")
	require.NoError(w.t, err)
	s := grpc.NewServer(grpc.Creds(credentials.NewTLS(&tls.Config{Certificates: []tls.Certificate{w.family.Requester().Server.TLS}})),
		grpc.ForceServerCodecV2(l), grpc.UnknownServiceHandler(l.serve))
	go s.Serve(listener)
	w.t.Cleanup(s.Stop)
	return w.open(w.with(conf.Gateway, listener.Addr().String()))
}
