package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ontschot/ontschot/internal/approval"
	"github.com/ontschot/ontschot/internal/config"
)

// reportFiles are the reports on a bundle, as files.
type reportFiles struct{ test, diff, replay string }

func (r *reportFiles) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&r.test, "test", "", "the report of its cases: ontschot policy test --format json")
	f.StringVar(&r.diff, "diff", "", "the certificate of what it changes: ontschot policy diff --format json")
	f.StringVar(&r.replay, "replay", "", "the report on past decisions, if there is one: ontschot policy replay --format json")
}

// mostReport bounds a report in bytes.
const mostReport = 8 << 20

func (r *reportFiles) read() (reports approval.Reports, err error) {
	if r.test == "" || r.diff == "" {
		return reports, fmt.Errorf("%w: --test and --diff are needed: the reports on the bundle", errUsage)
	}
	for _, one := range []struct {
		name string
		into *[]byte
	}{{r.test, &reports.Test}, {r.diff, &reports.Diff}, {r.replay, &reports.Replay}} {
		if one.name == "" {
			continue
		}
		if *one.into, err = readUpTo(one.name, mostReport); err != nil {
			return reports, err
		}
	}
	return reports, nil
}

// readUpTo reads a file of so many bytes at most.
func readUpTo(name string, most int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(raw)) > most {
		err = errors.New("it is too large")
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s: cannot be read in %d bytes: %w", errUsage, name, most, err)
	}
	return raw, nil
}

func policyApproveCommand() *cobra.Command {
	var key, as, role, out string
	var files reportFiles
	c := &cobra.Command{
		Use:   "approve BUNDLE --key FILE --as NAME --role ROLE --test FILE --diff FILE --out APPROVAL",
		Short: "Sign that a bundle of policies may come into force (two people)",
		Long: fmt.Sprintf(`Sign that a bundle of policies may come into force, in the place of the revision with which its diff
certificate compares. What you sign is this one bundle and these reports, byte by byte: another file needs a signature of
its own. Two different people must sign, and one of them as %s who is not the only author. NAME and the public
half of the key stand in gateway.yaml, under officers. ROLE is one of %s.`, approval.PrivacyOfficer, strings.Join(approval.Roles(), ", ")),
		Example: "  ontschot policy approve policies.tar.gz --key anna.pem --as anna --role privacy_officer --test test.json --diff diff.json --out anna.json",
		Args:    oneArg("a bundle"),
		RunE: func(c *cobra.Command, args []string) error {
			if key == "" || as == "" || role == "" || out == "" {
				return fmt.Errorf("%w: --key, --as, --role and --out are needed", errUsage)
			}
			_, b, err := readBundleFile(args[0])
			if err != nil {
				return err
			}
			reports, err := files.read()
			if err != nil {
				return err
			}
			parent := b.Parent
			if parent == "" {
				if parent, err = reports.Parent(); err != nil {
					return err
				}
			}
			about, err := reports.About(b.Digest, b.Revision, parent)
			if err != nil {
				return err
			}
			secret, err := config.PrivateKey(key)
			if err != nil {
				return err
			}
			raw, err := approval.Person{Name: as, Role: role, Key: secret}.Sign(about, time.Now())
			if err != nil {
				return err
			}
			if err := replaceFile(out, raw); err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "Ondertekend door / signed by: %s (%s)\nBundel / bundle: %s\nRevisie / revision: %s\nIn plaats van / in the place of: %s\nGoedkeuring / approval: %s\n",
				as, role, about.Bundle, about.Revision, about.Parent, out)
			return err
		},
	}
	f := c.Flags()
	f.StringVar(&key, "key", "", "your private key: ontschot keys new --kind officer")
	f.StringVar(&as, "as", "", "your name in gateway.yaml")
	f.StringVar(&role, "role", "", "in which role you sign")
	f.StringVar(&out, "out", "", "the file to make")
	files.flags(c)
	return c
}
