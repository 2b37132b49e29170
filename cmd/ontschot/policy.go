package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/policies"
)

// policyCommand holds what a privacy officer does with the policies.
func policyCommand() *cobra.Command {
	return group("policy", "The rules by which is shared, and their texts (privacy officer)",
		policyInitCommand(), policyCheckCommand(), policyTestCommand(), policyExplainCommand(), policyDiffCommand(), policyReplayCommand(),
		policyBuildCommand(), policyApproveCommand(), policyActivateCommand(), policyRollbackCommand(), policyStatusCommand(), policyHistoryCommand(), policyShadowCommand())
}

func policyInitCommand() *cobra.Command {
	var dir string
	var say reply
	c := &cobra.Command{
		Use:   "init --dir DIR",
		Short: "Write the policies that are built in, as a folder of your own",
		Long: `Write the policies that are built in as a folder: tables, worked cases and texts, with a README in Dutch.
Nothing is written over. A gateway uses the folder when gateway.yaml says "policies: DIR".`,
		Example: "  ontschot policy init --dir policies",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if dir == "" {
				return fmt.Errorf("%w: --dir DIR is needed: the folder to make", errUsage)
			}
			if err := writePolicies(dir); err != nil {
				return err
			}
			return say.give(c, folderAnswer{dir}, fmt.Sprintf("Klaar / made: %s\nREADME.md zegt hoe u verder gaat / says how to go on (Dutch).\n", dir))
		},
	}
	c.Flags().StringVar(&dir, "dir", "", "the folder to make")
	say.flags(c)
	return c
}

// writePolicies writes what is built in to a folder that is not there, or is empty.
func writePolicies(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: --dir: %w", errUsage, err)
	}
	if len(entries) > 0 {
		return fmt.Errorf("%w: %s is not empty; name a folder that is not there yet", errUsage, dir)
	}
	return os.CopyFS(dir, policies.FS)
}

// openPolicies reads a folder of policies as it is now, or a bundle; empty: what is built in.
// Errors: policy.ErrRules.
func openPolicies(name string) (fs.FS, error) {
	if name == "" {
		return policies.FS, nil
	}
	if is, err := os.Stat(name); err == nil && is.Mode().IsRegular() {
		_, bundle, err := readBundleFile(name)
		return bundle.FS, err
	}
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w; write a first folder with: ontschot policy init --dir DIR", policy.ErrRules, err)
	}
	defer root.Close()
	return policy.ReadFolder(root.FS())
}
