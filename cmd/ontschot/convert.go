package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/store"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/server"
)

// earlierRecord is where a record that was converted stays, as evidence.
const earlierRecord = "record-version-2.db"

func auditConvertCommand() *cobra.Command {
	var path string
	c := &cobra.Command{
		Use:   "convert --config FILE",
		Short: "Take over what stands in a record of version 2",
		Long: `Take over what stands in a record of version 2, which this program does not write any more. The old record
is verified and kept beside the new one (` + earlierRecord + `). The new one begins in a new epoch that
names the old one's head, with every agreement and delegation in force and every consent; what had ended, has
ended. Whether an old record is whole nothing could tell, as its head was not kept outside it: so everything
waits to be confirmed, as after a loss ("ontschot audit recover"). End the gateway first.`,
		Example: "  ontschot audit convert --config gateway.yaml",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			conf, keys, err := recordOf(path, path)
			if err != nil {
				return err
			}
			place := filepath.Join(conf.Path(conf.Data), server.RecordFile)
			kept := filepath.Join(conf.Path(conf.Data), earlierRecord)
			if _, err := os.Stat(kept); err == nil {
				return fmt.Errorf("%w: %s is there: it was converted before", config.ErrConfig, kept)
			}
			if head, err := (audit.HeadFile{Path: server.HeadPath(conf)}).Read(); err != nil || head != "" {
				return fmt.Errorf("%w: %s is there; beside a record of version 2 is none", config.ErrConfig, server.HeadPath(conf))
			}
			earlier, err := store.ReadEarlier(c.Context(), place, tenantOf(keys))
			if errors.Is(err, store.ErrForeign) {
				return fmt.Errorf("%w: %w", config.ErrConfig, err)
			}
			if err != nil {
				return err
			}
			documents, err := earlier.Verify(tenantOf(keys), keys)
			if err != nil {
				return err
			}
			if err := os.Rename(place, kept); err != nil {
				return err
			}
			err = convert(c.Context(), c.OutOrStdout(), conf, earlier, documents)
			if err != nil { // as it was before
				err = errors.Join(err, server.RemoveRecord(place), os.Remove(server.HeadPath(conf)), os.Rename(kept, place))
			}
			return err
		},
	}
	c.Flags().StringVar(&path, "config", "gateway.yaml", "the gateway's configuration, YAML")
	return c
}

func convert(ctx context.Context, out io.Writer, conf *config.Gateway, earlier audit.Earlier, documents []audit.EarlierDocument) error {
	if err := (audit.HeadFile{Path: server.HeadPath(conf)}).Write(earlier.Head.Checkpoint); err != nil {
		return err
	}
	got, err := recoverRecord(ctx, conf, filepath.Join(conf.Path(conf.Data), server.RecordFile), 0)
	if err != nil {
		return err
	}
	conf.Sources, conf.Documents = nil, ""
	s, err := server.Assemble(ctx, conf, io.Discard)
	if err != nil {
		return err
	}
	defer s.Close()
	taken, refused, err := s.Gateway.TakeOver(ctx, documents)
	if err != nil {
		return err
	}
	for _, r := range refused {
		fmt.Fprintf(out, "not taken over: %s\n", r)
	}
	_, err = fmt.Fprintf(out, "%d entries of version 2 were verified, and %d documents taken over in epoch %d. %d wait to be confirmed: ontschot consent confirm, ontschot agreement confirm.\n",
		got.Kept, taken, got.Epoch, s.Log.Register().Waiting())
	return err
}
