package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/server"
)

func serveCommand() *cobra.Command {
	var path string
	c := &cobra.Command{
		Use:   "serve --config FILE",
		Short: "Run a gateway with its adapters",
		Long: `Run a gateway: gRPC with mutual TLS, health and reflection, an embedded store, and one adapter
process for each source in the configuration. Errors of the log go to stderr as JSON lines; nothing
in it names a person or an amount. Ends on SIGTERM, after the calls under way.`,
		Example: "  ontschot dev init --case meppel --dir DIR\n  ontschot serve --config DIR/gateway.yaml",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			conf, err := config.ReadGateway(path)
			if err != nil {
				return err
			}
			s, err := server.Start(c.Context(), conf, c.ErrOrStderr())
			if err != nil {
				return err
			}
			defer s.Close()
			fmt.Fprintf(c.ErrOrStderr(), "ontschot: %s\n", s)
			<-c.Context().Done()
			return nil
		},
	}
	c.Flags().StringVar(&path, "config", "gateway.yaml", "the gateway's configuration, YAML")
	return c
}
