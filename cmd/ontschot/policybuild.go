package main

import (
	"context"
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/gateway/wording"
	"github.com/ontschot/ontschot/internal/identity"
)

func policyBuildCommand() *cobra.Command {
	var dir, out, parent string
	var say reply
	c := &cobra.Command{
		Use:   "build --dir DIR --out FILE",
		Short: "Make one file of a folder of policies, to be approved and activated",
		Long: `Make one file of a folder of policies: a bundle in the form of OPA (tar.gz). The same folder is the same
bytes, on every machine. A folder that cannot be used is refused, exit code 5. --parent says in whose place it is
to come: a revision (64 digits) or a bundle; a gateway on which another one is in force then refuses it.`,
		Example: "  ontschot policy build --dir policies --out policies.tar.gz\n  ontschot policy build --dir policies --out policies.tar.gz --parent earlier.tar.gz",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if dir == "" || out == "" {
				return fmt.Errorf("%w: --dir DIR and --out FILE are needed: the folder, and the file to make", errUsage)
			}
			from, err := parentOf(parent)
			if err != nil {
				return err
			}
			folder, err := openPolicies(dir)
			if err != nil {
				return err
			}
			e, err := loadPolicies(c.Context(), folder)
			if err != nil {
				return err
			}
			raw, err := policy.WriteBundle(folder, e.Revision(), from)
			if err != nil {
				return err
			}
			if err := replaceFile(out, raw); err != nil {
				return err
			}
			b, err := policy.ReadBundle(raw)
			if err != nil {
				return err
			}
			return say.give(c, bundleAnswer{out, b.Revision, b.Parent, b.Digest}, fmt.Sprintf("Klaar / made: %s\nRevisie / revision: %s\nIn plaats van / in the place of: %s\nSHA-256: %s\n", out, b.Revision, orDash(b.Parent), b.Digest))
		},
	}
	f := c.Flags()
	f.StringVar(&dir, "dir", "", "the folder of the policies")
	f.StringVar(&out, "out", "", "the file to make")
	say.flags(c)
	f.StringVar(&parent, "parent", "", "the revision in whose place it comes: 64 digits, or a bundle of it")
	return c
}

// parentOf is a revision that was named by its digits or by a bundle of it.
func parentOf(name string) (string, error) {
	if name == "" || identity.IsSHA256(name) {
		return name, nil
	}
	_, b, err := readBundleFile(name)
	return b.Revision, err
}

// readBundleFile reads a bundle from a file. Errors: errUsage, policy.ErrRules.
func readBundleFile(name string) ([]byte, policy.Bundle, error) {
	raw, err := readUpTo(name, policy.MaxBundle)
	if err != nil {
		return nil, policy.Bundle{}, err
	}
	b, err := policy.ReadBundle(raw)
	if err != nil {
		return nil, policy.Bundle{}, fmt.Errorf("%s: %w", name, err)
	}
	return raw, b, nil
}

// loadPolicies reads all of a folder, as a gateway does before it uses it. Errors:
// policy.ErrRules, wording.ErrTable.
func loadPolicies(ctx context.Context, folder fs.FS) (*policy.Engine, error) {
	e, err := policy.New(ctx, policy.Config{FS: folder})
	if err != nil {
		return nil, err
	}
	texts, err := wording.ReadTexts(folder)
	if err != nil {
		return nil, err
	}
	_, err = wording.ReadAgreementTexts(folder, texts)
	return e, err
}
