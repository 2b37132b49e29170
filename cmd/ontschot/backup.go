package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/store/sqlite"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/server"
)

func backupCommand() *cobra.Command {
	var path, to string
	var say reply
	c := &cobra.Command{
		Use:   "backup --config FILE --to FILE",
		Short: "Make a whole copy of the audit log while the gateway serves",
		Long: `Make a whole copy of the audit log while the gateway serves: one file, verified before the command
returns. It holds pseudonyms and consents; keep it as the log itself is kept. The policies that came into
force lie beside it, in FILE.policies: no gateway starts without those that its log names. Keys and configuration
are not in it. A copy of record.db by itself is not whole: what was written last is beside it.`,
		Example: "  ontschot backup --config gateway.yaml --to /backup/record-2026-11-29.db",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			conf, keys, err := recordOf(path, to)
			if err != nil {
				return err
			}
			if _, err := os.Stat(to); !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("%w: %s is there already; a copy is never written over", config.ErrConfig, to)
			}
			s, err := sqlite.Inspect(c.Context(), filepath.Join(conf.Path(conf.Data), server.RecordFile))
			if err != nil {
				return err
			}
			defer s.Close()
			if err := s.Copy(c.Context(), to); err != nil {
				return err
			}
			report, err := verifyCopy(c.Context(), to, inspectionOf(keys, ""))
			if err != nil {
				return errors.Join(err, os.Remove(to))
			}
			if err := copyPolicies(policiesOf(conf), to+copiedPolicies); err != nil {
				return err
			}
			return say.give(c, backupAnswer{to, keys.Origin(), report.Size, report.Documents},
				fmt.Sprintf("%s holds the audit log of %s: %d entries, %d documents.\n", to, keys.Origin(), report.Size, report.Documents))
		},
	}
	c.Flags().StringVar(&path, "config", "gateway.yaml", "the gateway's configuration, YAML")
	c.Flags().StringVar(&to, "to", "", "the file to make")
	say.flags(c)
	return c
}

func restoreCommand() *cobra.Command {
	var path, from string
	var say reply
	c := &cobra.Command{
		Use:   "restore --config FILE --from FILE",
		Short: "Put a copy of the audit log back, and say what it lacks",
		Long: `Put a copy of the audit log back where the gateway has it, after it was verified and compared with the
head that is stored outside the store, and the policies beside it. Where a log is already, nothing is done.

A copy that lacks entries is not put back, and no gateway starts on it: among what it lacks can be
withdrawals, and data would flow again that a person has stopped. Look for a newer copy. See docs/operating.md.`,
		Example: "  ontschot restore --config gateway.yaml --from /backup/record-2026-11-29.db",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			conf, keys, err := recordOf(path, from)
			if err != nil {
				return err
			}
			head, err := audit.HeadFile{Path: conf.HeadPath()}.Read()
			if err != nil {
				return err
			}
			if head == "" {
				return fmt.Errorf("%w: %s is gone: nothing shows whether the copy is whole", config.ErrConfig, conf.HeadPath())
			}
			report, err := putBack(c.Context(), filepath.Join(conf.Path(conf.Data), server.RecordFile), from, inspectionOf(keys, head))
			if err != nil {
				return err
			}
			if err := copyPolicies(from+copiedPolicies, policiesOf(conf)); err != nil {
				return err
			}
			return say.give(c, restoreAnswer{keys.Origin(), report.Size}, fmt.Sprintf("The audit log of %s is back: %d entries, none is lacking.\n", keys.Origin(), report.Size))
		},
	}
	c.Flags().StringVar(&path, "config", "gateway.yaml", "the gateway's configuration, YAML")
	c.Flags().StringVar(&from, "from", "", "the copy")
	say.flags(c)
	return c
}

// putBack puts a copy where the audit log was, once it is verified, and gives what it holds. With
// a head that is stored outside it holds all of that.
func putBack(ctx context.Context, place, from string, by audit.Inspection) (audit.Report, error) {
	for _, one := range server.RecordFiles(place) {
		if _, err := os.Stat(one); !errors.Is(err, fs.ErrNotExist) {
			return audit.Report{}, fmt.Errorf("%w: %s is there; end the gateway and move it away first", config.ErrConfig, one)
		}
	}
	report, err := verifyCopy(ctx, from, by)
	if err != nil {
		return report, err
	}
	s, err := sqlite.Inspect(ctx, from)
	if err != nil {
		return report, err
	}
	defer s.Close()
	return report, s.Copy(ctx, place)
}

// copiedPolicies is what the folder with policies is called beside a copy of the audit log.
const copiedPolicies = ".policies"

func policiesOf(conf *config.Gateway) string {
	return filepath.Join(conf.Path(conf.Data), server.PolicyFolder)
}

// copyPolicies copies what came into force, one folder for each revision, and leaves what is
// there: a revision is what it was.
func copyPolicies(from, to string) error {
	revisions, err := os.ReadDir(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // none but what is built in
	}
	if err != nil {
		return err
	}
	for _, one := range revisions {
		place := filepath.Join(to, one.Name())
		if _, err := os.Stat(place); !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := os.CopyFS(place, os.DirFS(filepath.Join(from, one.Name()))); err != nil {
			return err
		}
	}
	return nil
}

// recordOf reads the configuration of a gateway and the keys of its audit log.
func recordOf(path, file string) (*config.Gateway, audit.Keys, error) {
	if file == "" {
		return nil, nil, fmt.Errorf("%w: a file is needed", errUsage)
	}
	conf, err := config.ReadGateway(path)
	if err != nil {
		return nil, nil, err
	}
	_, own, err := conf.ReadTrust()
	if err != nil {
		return nil, nil, err
	}
	keys, err := audit.ParseKeys(own.LogKeys...)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: log_keys of %s in the trust file", config.ErrConfig, own.Code)
	}
	return conf, keys, nil
}

// verifyCopy walks a copy as audit verify does.
func verifyCopy(ctx context.Context, path string, by audit.Inspection) (audit.Report, error) {
	s, err := sqlite.Inspect(ctx, path)
	if errors.Is(err, sqlite.ErrEarlier) {
		return audit.Report{}, server.EarlierRecordError(err)
	}
	if err != nil {
		return audit.Report{}, err
	}
	defer s.Close()
	return audit.Verify(ctx, s, by)
}
