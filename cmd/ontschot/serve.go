package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/ontschot/ontschot/internal/collector"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/server"
)

// garbage is how many bytes of it may lie about while a gateway is busy.
const garbage = 32 << 20

func serveCommand() *cobra.Command {
	var path string
	var attached, quiet bool
	c := &cobra.Command{
		Use:   "serve --config FILE",
		Short: "Run a gateway with its adapters",
		Long: `Run a gateway: gRPC with mutual TLS, health and reflection, an embedded store, and one adapter
process for each source in the configuration; with https in it the same in JSON. The request log goes to stderr as
JSON lines, one for each call; nothing in it names a person or an amount. Traces and logs go to a collector too when
OTEL_EXPORTER_OTLP_ENDPOINT says where.

SIGHUP takes over what the files say now: certificates, keys, trust, and policies where none were activated.
SIGTERM has health say NOT_SERVING, refuses new calls and lets those under way end (limits.drain); a second one
ends at once.`,
		Example: "  ontschot dev init --case meppel --dir DIR\n  ontschot serve --config DIR/gateway.yaml",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			conf, err := config.ReadGateway(path)
			if err != nil {
				return err
			}
			conf.Quiet = quiet
			ctx := c.Context()
			if attached {
				ctx = untilEnd(ctx, c.InOrStdin())
			}
			return serve(ctx, conf, c.ErrOrStderr())
		},
	}
	c.Flags().StringVar(&path, "config", "gateway.yaml", "the gateway's configuration, YAML")
	c.Flags().BoolVar(&attached, "attached", false, "end when standard input does: with the program that started it, however that one ends")
	c.Flags().BoolVar(&quiet, "quiet", false, "no line for a call that was answered")
	return c
}

// errCut means that calls were under way when a gateway was told to end at once.
var errCut = errors.New("ended before all calls under way had; those were cut off")

// serve runs a gateway until it is told to end. SIGHUP has it take over what the files say; the
// first SIGTERM or interrupt lets calls under way end, and the second one does not.
func serve(ctx context.Context, conf *config.Gateway, stderr io.Writer) error {
	ends, hangups := make(chan os.Signal, 2), make(chan os.Signal, 1) // before it starts: none is missed
	signal.Notify(ends, os.Interrupt, syscall.SIGTERM)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(ends)
	defer signal.Stop(hangups)
	s, err := server.Start(ctx, conf, stderr)
	if err != nil {
		return err
	}
	defer s.Close()
	go collector.Tend(ctx, garbage)
	fmt.Fprintf(stderr, "ontschot: %s\n", s)
	sayReady(s.String())
	go watchdog(ctx, s.Alive)
	for told := 0; ; {
		select {
		case <-hangups:
			sayReloading()
			_ = s.Reload(ctx) // it says itself what came of it
			sayReady(s.String())
			continue
		case <-ends:
			told++
		case <-ctx.Done():
		}
		sayStopping()
		fmt.Fprintln(stderr, "ontschot: ends when the calls under way have; a second signal ends it at once")
		return drain(s, ends, told, conf.Limits.ForDrain()+conf.Limits.ForNotice())
	}
}

// drain lets calls under way end, until the second signal of all.
func drain(s *server.Server, ends <-chan os.Signal, told int, longest time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), longest)
	defer cancel()
	go func() {
		for ; told < 2; told++ {
			select {
			case <-ends:
			case <-ctx.Done():
				return
			}
		}
		cancel()
	}()
	if !s.Drain(ctx) {
		return errCut
	}
	return nil
}

// untilEnd is a context that ends with a stream of which nothing is expected: a pipe ends when
// the last process that could write to it is gone, also one that was killed.
func untilEnd(ctx context.Context, lifeline io.Reader) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, lifeline)
		cancel()
	}()
	return ctx
}
