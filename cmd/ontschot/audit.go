package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/store/sqlite"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/server"
)

func auditCommand() *cobra.Command {
	return group("audit", "Check the tamper-evident audit log", auditVerifyCommand(), auditRecoverCommand(), auditConvertCommand())
}

// isDatabase looks whether a file that can be read begins as a database does.
func isDatabase(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return true // not readable is not damaged
	}
	defer f.Close()
	head := make([]byte, 16)
	_, err = io.ReadFull(f, head)
	return err == nil && string(head) == "SQLite format 3\x00"
}

// unreadable: a file that is there and is no audit log is a damaged one; what
// cannot be read at this moment is not.
func unreadable(path string, err error) error {
	if errors.Is(err, sqlite.ErrEarlier) {
		return server.EarlierRecordError(err)
	}
	if errors.Is(err, sqlite.ErrForeign) || !isDatabase(path) {
		return fmt.Errorf("%w: it is there and is no audit log: %w", audit.ErrDamaged, err)
	}
	return err
}

func auditVerifyCommand() *cobra.Command {
	var v verification
	var say reply
	c := &cobra.Command{
		Use:   "verify --data DIR",
		Short: "Walk the whole audit log and name the first entry that does not hold",
		Long: `Walk the audit log of a gateway: every entry, its place in the tree, the signed head, the openings of
its commitments, and that no release follows the end of what it rests on. Reads only; the gateway
may be running.

The key that the audit log must be signed with is read from --key, a file with the log_keys of the
organisation, one on a line in the trust file. Without it DIR/log.pub is used, which proves that the log agrees
with itself; only a key kept elsewhere proves that nobody replaced the whole. The log must hold all that
the head in --head is of.`,
		Example: "  ontschot audit verify --data /var/lib/ontschot --key log.pub",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if v.data == "" {
				return fmt.Errorf("%w: --data is needed: the data folder of a gateway", errUsage)
			}
			by, err := v.inspection()
			if err != nil {
				return err
			}
			// What an auditor holds grows with the documents, and nobody waits: collected sooner
			// than in a gateway, it takes half the memory.
			defer debug.SetGCPercent(debug.SetGCPercent(auditGCPercent))
			report, err := v.walk(c.Context(), by)
			if err != nil {
				return err
			}
			return say.give(c, verifyAnswer{
				Log: by.Keys.Origin(), Entries: report.Size, Decisions: report.Kinds[audit.Decision] + report.Kinds[audit.Deny], Releases: report.Kinds[audit.Release],
				Documents: report.Documents, InForce: report.LiveDocuments, Retries: report.Retries, HeadCompared: by.Head != "", Epoch: report.Epoch, Waiting: report.Waiting,
			}, v.words(by, report))
		},
	}
	c.Flags().StringVar(&v.data, "data", "", "the data folder of a gateway")
	c.Flags().StringVar(&v.key, "key", "", "a file with the public log key; default DIR/log.pub")
	c.Flags().StringVar(&v.head, "head", "", "the file with the head outside the store; default DIR/head")
	say.flags(c)
	return c
}

// auditGCPercent is how much garbage there may be of what is in use while an audit log is verified.
const auditGCPercent = 40

// verification is what "audit verify" is asked: files, and what is empty is the default.
type verification struct{ data, key, head string }

func (v verification) headFile() string {
	return cmp.Or(v.head, filepath.Join(v.data, config.HeadFile))
}

// inspection reads what is known from elsewhere than the log. A head that is not there is
// an error only when it was asked for.
func (v verification) inspection() (audit.Inspection, error) {
	key := cmp.Or(v.key, filepath.Join(v.data, server.PublicLogKey))
	raw, err := config.ReadFile(key)
	if err != nil {
		return audit.Inspection{}, err
	}
	keys, err := audit.ParseKeys(strings.Fields(string(raw))...)
	if err != nil {
		return audit.Inspection{}, fmt.Errorf("%w: %s: no log key", config.ErrConfig, key)
	}
	head, err := audit.HeadFile{Path: v.headFile()}.Read()
	if err == nil && head == "" && v.head != "" {
		err = fmt.Errorf("%w: --head %s is not there", config.ErrConfig, v.head)
	}
	return inspectionOf(keys, head), err
}

// walk verifies the audit log.
func (v verification) walk(ctx context.Context, by audit.Inspection) (audit.Report, error) {
	path := filepath.Join(v.data, server.RecordFile)
	s, err := sqlite.Inspect(ctx, path)
	if errors.Is(err, fs.ErrNotExist) {
		return audit.Report{}, fmt.Errorf("%w: %s holds no %s: is it the data folder of a gateway?", config.ErrConfig, v.data, server.RecordFile)
	}
	if err != nil {
		return audit.Report{}, unreadable(path, err)
	}
	defer s.Close()
	report, err := audit.Verify(ctx, s, by)
	if err != nil {
		return audit.Report{}, unreadable(path, err)
	}
	return report, nil
}

func (v verification) words(by audit.Inspection, r audit.Report) string {
	text := fmt.Sprintf("The audit log of %s holds: %d entries, %d decisions, %d releases, %d documents of which %d in force; %d of the decisions were requests made again.\n",
		by.Keys.Origin(), r.Size, r.Kinds[audit.Decision]+r.Kinds[audit.Deny], r.Kinds[audit.Release], r.Documents, r.LiveDocuments, r.Retries)
	if by.Head == "" {
		text += fmt.Sprintf("It was not compared with a head stored outside it: %s is not there; name the file with --head. A log that was put back as a whole would verify as well.\n", v.headFile())
	}
	if r.Epoch > 1 {
		text += fmt.Sprintf("It is in epoch %d, begun after a loss or a conversion; %d documents wait to be confirmed.\n", r.Epoch, r.Waiting)
	}
	return text
}

func auditRecoverCommand() *cobra.Command {
	var path, from string
	var epoch int64
	var say reply
	c := &cobra.Command{
		Use:   "recover --config FILE [--from COPY]",
		Short: "Go on from an audit log that lacks entries, in a new epoch",
		Long: `Go on from an audit log that lacks entries, or from none when there is none any more. It is the only way on, and
for when no copy holds all: among what is lacking can be withdrawals. So a new epoch of the log begins,
with an origin of its own, and everything in it waits: every consent until a case worker has asked the person
("ontschot consent confirm"), every agreement until the other party confirms it, which the gateway asks by
itself where it can, and every delegation ("ontschot agreement confirm"). Until then nothing is shared on it.

End the gateway first. With --from the copy is put where the log was. When log and head file are both
gone and receipts show a later epoch, say with --epoch which is the next one. See docs/operating.md.`,
		Example: "  ontschot audit recover --config gateway.yaml --from /backup/record-2026-11-29.db",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			conf, keys, err := recordOf(path, path)
			if err != nil {
				return err
			}
			place := filepath.Join(conf.Path(conf.Data), server.RecordFile)
			if from != "" {
				if _, err := putBack(c.Context(), place, from, inspectionOf(keys, "")); err != nil {
					return err
				}
			}
			got, err := recoverRecord(c.Context(), conf, place, epoch)
			if err != nil {
				return unreadable(place, err)
			}
			said := recoverAnswer{Log: keys.Origin(), Epoch: got.Epoch, Left: got.Store, Waiting: got.Waiting}
			lacking := "unknown"
			if n := max(0, got.Outside-got.Store); got.Outside >= 0 {
				lacking, said.Lacking = fmt.Sprint(n), &n
			}
			return say.give(c, said, fmt.Sprintf("The audit log of %s goes on in epoch %d. Entries that are left: %d; that are lacking: %s.\n%d documents wait to be confirmed: ontschot consent confirm, ontschot agreement confirm.\n",
				keys.Origin(), got.Epoch, got.Store, lacking, got.Waiting))
		},
	}
	c.Flags().StringVar(&path, "config", "gateway.yaml", "the gateway's configuration, YAML")
	c.Flags().StringVar(&from, "from", "", "the newest copy of the audit log, put back first")
	c.Flags().Int64Var(&epoch, "epoch", 0, "the number of the epoch to begin, when nothing that is left shows it")
	say.flags(c)
	return c
}

func recoverRecord(ctx context.Context, conf *config.Gateway, place string, epoch int64) (audit.Recovery, error) {
	_, own, err := conf.ReadTrust()
	if err != nil {
		return audit.Recovery{}, err
	}
	by, err := server.RecordConfig(conf, own)
	if err != nil {
		return audit.Recovery{}, err
	}
	s, err := sqlite.Open(ctx, place)
	if err != nil {
		return audit.Recovery{}, err
	}
	defer s.Close()
	by.Store = s
	return audit.Recover(ctx, by, epoch)
}

// inspectionOf is how an audit log is verified by its keys, and by a head that is stored outside
// it; empty: there is none to compare with.
func inspectionOf(keys audit.Keys, head string) audit.Inspection {
	return audit.Inspection{Tenant: tenantOf(keys), Keys: keys, Head: head}
}

// tenantOf is the organisation of an audit log, which is the end of its origin.
func tenantOf(keys audit.Keys) identity.OIN {
	origin := keys.Origin()
	return identity.OIN(origin[strings.LastIndex(origin, "/")+1:])
}
