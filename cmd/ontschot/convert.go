package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/store/sqlite"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/server"
)

// Where an audit log that was converted stays, as evidence, and where the new one is made.
const (
	earlierRecord    = "record-version-2.db"
	conversionFolder = "converting"
)

func auditConvertCommand() *cobra.Command {
	var path string
	var say reply
	c := &cobra.Command{
		Use:   "convert --config FILE",
		Short: "Take over what is in an audit log of version 2",
		Long: `Take over what is in an audit log of version 2, which this program does not write any more. The old log
is verified and a whole copy kept beside the new one (` + earlierRecord + `). The new one begins in a new epoch that
names the old one's head, with every agreement and delegation in force and every consent; what had ended, has
ended. Nothing could show whether an old log is whole, as its head was not stored outside it: so everything
waits to be confirmed, as after a loss ("ontschot audit recover"). End the gateway first. When it is cut short, run
it again: the new log takes the place of the old one only when it is ready.`,
		Example: "  ontschot audit convert --config gateway.yaml",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			conf, keys, err := recordOf(path, path)
			if err != nil {
				return err
			}
			place := filepath.Join(conf.Path(conf.Data), server.RecordFile)
			earlier, err := sqlite.ReadEarlier(c.Context(), place, tenantOf(keys))
			if errors.Is(err, sqlite.ErrForeign) {
				return fmt.Errorf("%w: %w", config.ErrConfig, err)
			}
			if err != nil {
				return err
			}
			documents, err := earlier.Verify(tenantOf(keys), keys)
			if err != nil {
				return err
			}
			said, err := convert(c.Context(), conf, earlier, documents)
			if err != nil {
				return err
			}
			return say.give(c, said, said.words())
		},
	}
	c.Flags().StringVar(&path, "config", "gateway.yaml", "the gateway's configuration, YAML")
	say.flags(c)
	return c
}

// words is what became of an earlier log.
func (a convertAnswer) words() (text string) {
	for _, r := range a.Refused {
		text += fmt.Sprintf("not taken over: %s\n", r)
	}
	return text + fmt.Sprintf("%d entries of version 2 were verified, and %d documents taken over in epoch %d. %d wait to be confirmed: ontschot consent confirm, ontschot agreement confirm.\n",
		a.Entries, a.Taken, a.Epoch, a.Waiting)
}

func convert(ctx context.Context, conf *config.Gateway, earlier audit.Earlier, documents []audit.EarlierDocument) (said convertAnswer, err error) {
	head := conf.HeadPath()
	data, err := filepath.Abs(conf.Path(conf.Data))
	if err != nil {
		return said, err
	}
	place, beside := filepath.Join(data, server.RecordFile), filepath.Join(data, conversionFolder)
	if err := os.RemoveAll(beside); err != nil { // what an earlier try left
		return said, err
	}
	kept := filepath.Join(data, earlierRecord)
	if err := os.Remove(kept); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return said, err
	}
	if err := sqlite.CopyEarlier(ctx, place, kept); err != nil {
		return said, err
	}
	made := *conf
	made.Data, made.Head, made.Sources, made.Documents = beside, filepath.Join(beside, config.HeadFile), nil, ""
	if err := os.Mkdir(beside, 0o700); err != nil {
		return said, err
	}
	if said, err = convertInto(ctx, &made, earlier, documents); err != nil {
		return said, errors.Join(err, os.RemoveAll(beside))
	}
	// The old log first loses what is beside it, which is in the copy; then the new
	// head counts, and then the new log. Cut short in between, an old log and the
	// head of a new one do not start, and converting again makes both anew.
	if err := sqlite.Settle(ctx, place); err != nil {
		return said, err
	}
	raw, err := (audit.HeadFile{Path: made.Head}).Read()
	if err == nil {
		err = audit.HeadFile{Path: head}.Write(raw)
	}
	if err == nil {
		err = os.Rename(filepath.Join(beside, server.RecordFile), place)
	}
	if err == nil {
		err = os.RemoveAll(beside)
	}
	return said, err
}

// convertInto makes the new log in a folder of its own, and says what became of it.
func convertInto(ctx context.Context, conf *config.Gateway, earlier audit.Earlier, documents []audit.EarlierDocument) (said convertAnswer, err error) {
	place := filepath.Join(conf.Data, server.RecordFile)
	if err := (audit.HeadFile{Path: conf.Head}).Write(earlier.Head.Checkpoint); err != nil {
		return said, err
	}
	got, err := recoverRecord(ctx, conf, place, 0)
	if err != nil {
		return said, err
	}
	s, err := server.Assemble(ctx, conf, io.Discard)
	if err != nil {
		return said, err
	}
	taken, refused, err := s.Broker.TakeOver(ctx, documents)
	waiting := s.Log.Register().Waiting()
	s.Close()
	if err != nil {
		return said, err
	}
	said = convertAnswer{Entries: got.Outside, Taken: taken, Refused: append([]string{}, refused...), Epoch: got.Epoch, Waiting: int64(waiting)}
	return said, sqlite.Settle(ctx, place)
}
