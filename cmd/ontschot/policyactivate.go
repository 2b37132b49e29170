package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/ontschot/ontschot/internal/server"
	"github.com/ontschot/ontschot/internal/signed"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// errUnchanged is the no of a gateway to a change of its policies.
var errUnchanged = errors.New("nothing has changed")

// unchanged words why a gateway did not take over what it was sent.
func unchanged(err error) error {
	if s := status.Convert(err); s.Code() == codes.FailedPrecondition || s.Code() == codes.InvalidArgument {
		return fmt.Errorf("%w: %s", errUnchanged, s.Message())
	}
	return err
}

func policyActivateCommand() *cobra.Command {
	var files reportFiles
	var approvals []string
	var say reply
	c := operated(&cobra.Command{
		Use:   "activate BUNDLE --approval FILE --approval FILE --test FILE --diff FILE --config FILE",
		Short: "Have an approved bundle of policies come into force on a running gateway",
		Long: `Have a bundle of policies come into force on the gateway that runs with a configuration. The gateway looks who has
approved which files, in the place of which revision, runs the cases of the bundle, enters the change in its audit log,
and lets it count from there on. No question fails: what has begun ends on the policies that it began with. Whatever is
wrong changes nothing, and is said here, in the log of the gateway and in "ontschot policy status". Exit code 1.`,
		Example: "  ontschot policy activate policies.tar.gz --approval anna.json --approval bram.json --test test.json --diff diff.json --config gateway.yaml",
		Args:    oneArg("a bundle"),
	}, func(c *cobra.Command, args []string, client ontschotv1.OperatorServiceClient) error {
		bundle, _, err := readBundleFile(args[0])
		if err != nil {
			return err
		}
		reports, err := files.read()
		if err != nil {
			return err
		}
		var signatures [][]byte
		for _, name := range approvals {
			raw, err := readUpTo(name, signed.MaxBytes)
			if err != nil {
				return err
			}
			signatures = append(signatures, raw)
		}
		stream, err := client.ActivatePolicy(c.Context())
		if err != nil {
			return unchanged(err)
		}
		err = server.SendPolicies(func(f *ontschotv1.PolicyFile) error { return stream.Send(&ontschotv1.ActivatePolicyRequest{File: f}) }, bundle, signatures, reports)
		if err != nil && !errors.Is(err, io.EOF) { // of which CloseAndRecv says why
			return unchanged(err)
		}
		answer, err := stream.CloseAndRecv()
		if err != nil {
			return unchanged(err)
		}
		return sayChange(c, say, answer.GetChange())
	})
	say.flags(c)
	c.Flags().StringArrayVar(&approvals, "approval", nil, "an approval: ontschot policy approve; two people at least")
	files.flags(c)
	return c
}

func sayChange(c *cobra.Command, say reply, change *ontschotv1.PolicyChange) error {
	said := changeAnswer{change.GetRevision(), change.GetParent(), change.GetEntry(), change.GetStatus()}
	return say.give(c, said, fmt.Sprintf("Van kracht / in force: %s\nIn plaats van / in the place of: %s\nLogboek / log: %d (%s)\n", said.Revision, orDash(said.Parent), said.Entry, said.Status))
}

func policyRollbackCommand() *cobra.Command {
	var say reply
	c := operated(&cobra.Command{
		Use:   "rollback --config FILE",
		Short: "Go back to the policies that were in force before the last activation",
		Long: `Go back to the policies that were in force before the last activation, on the gateway that runs with a
configuration. They were approved then, so nobody signs; the change is an entry in the audit log. Exit code 1 when
there are none.`,
		Example: "  ontschot policy rollback --config gateway.yaml",
		Args:    noArgs,
	}, func(c *cobra.Command, _ []string, client ontschotv1.OperatorServiceClient) error {
		answer, err := client.RollbackPolicy(c.Context(), &ontschotv1.RollbackPolicyRequest{})
		if err != nil {
			return unchanged(err)
		}
		return sayChange(c, say, answer.GetChange())
	})
	say.flags(c)
	return c
}
