package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/setup"
)

func trustCommand() *cobra.Command {
	return group("trust", "The entries of organisations in a trust file: show one, and add that of another", trustShowCommand(), trustAddCommand())
}

func trustShowCommand() *cobra.Command {
	var format string
	var fingerprint bool
	c := &cobra.Command{
		Use:   "show PARTY.YAML",
		Short: "Show an entry with its fingerprint, for both sides to compare",
		Long: `Show the entry of an organisation, as ontschot init writes it: who, where, its keys, and the fingerprint of all of it.
Whoever sends it reads the fingerprint out by another way than the file went, such as a telephone number that was known.`,
		Example: "  ontschot trust show party.yaml\n  ontschot trust show party.yaml --fingerprint",
		Args:    oneArg("the file of the entry"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := checkFormat(format); err != nil {
				return err
			}
			p, err := setup.ReadParty(args[0])
			if err != nil {
				return err
			}
			if fingerprint {
				_, err = fmt.Fprintln(c.OutOrStdout(), p.Fingerprint())
				return err
			}
			return printParty(c.OutOrStdout(), p, format)
		},
	}
	c.Flags().StringVar(&format, "format", "table", "table, or json: exactly one object on stdout")
	c.Flags().BoolVar(&fingerprint, "fingerprint", false, "print the fingerprint alone")
	return c
}

func trustAddCommand() *cobra.Command {
	var path, accept string
	var say reply
	c := &cobra.Command{
		Use:   "add PARTY.YAML --accept FINGERPRINT",
		Short: "Add the entry of another organisation to your trust file",
		Long: `Show the entry of another organisation with its fingerprint, and with --accept add it to the trust file of gateway.yaml; its
keys are put beside it, in trust/. A gateway that runs takes it over within two seconds. Compare the fingerprint with them first, by
another way than the file came. What stands in the trust file stays. Exit code 1 without --accept, or when the fingerprint is another.`,
		Example: "  ontschot trust add theirs.yaml --config gateway.yaml    # shows it\n  ontschot trust add theirs.yaml --config gateway.yaml --accept 1f2e-...",
		Args:    oneArg("the file of the entry"),
		RunE: func(c *cobra.Command, args []string) error {
			conf, err := config.ReadGateway(path)
			if err != nil {
				return err
			}
			p, err := setup.ReadParty(args[0])
			if err != nil {
				return err
			}
			if !strings.EqualFold(strings.TrimSpace(accept), p.Fingerprint()) {
				if err := printParty(c.OutOrStdout(), p, say.format); err != nil {
					return err
				}
				if accept != "" {
					return fmt.Errorf("%w: it is not the fingerprint of %s; nothing was added: another file, or somebody changed it", errNotAccepted, args[0])
				}
				return fmt.Errorf("%w: compare the fingerprint with %s by another way than the file came, then: --accept FINGERPRINT", errNotAccepted, p.Name)
			}
			trust := conf.Path(conf.Trust)
			if err := setup.Add(trust, p); err != nil {
				if errors.Is(err, setup.ErrKnown) {
					return fmt.Errorf("%w: change it by hand, where it is another one now: a key is never taken out (docs/operating.md): %w", errNotAccepted, err)
				}
				return err
			}
			return say.give(c, trustAnswer{p.Code, trust}, fmt.Sprintf("%s is in %s. A gateway that runs takes it over within two seconds.\n", p.Code, trust))
		},
	}
	c.Flags().StringVar(&path, "config", "gateway.yaml", "the gateway's configuration, which names the trust file")
	c.Flags().StringVar(&accept, "accept", "", "the fingerprint that they gave you")
	say.flags(c)
	return c
}

// errNotAccepted is the no of "trust add".
var errNotAccepted = errors.New("not added")

func printParty(w io.Writer, p setup.Party, format string) error {
	type key struct {
		ID     string `json:"id"`
		Alg    string `json:"alg"`
		SHA256 string `json:"sha256"`
	}
	var keys []key
	for _, k := range p.Keys {
		keys = append(keys, key{k.ID, k.Alg, k.Digest()})
	}
	if format == "json" {
		return json.NewEncoder(w).Encode(map[string]any{
			"code": p.Code, "oin": p.OIN, "kind": p.Kind, "name": p.Name, "laws": p.Laws, "gateway": p.Gateway, "log_keys": p.LogKeys, "keys": keys, "fingerprint": p.Fingerprint(),
		})
	}
	fmt.Fprintf(w, "%s (%s)\n  OIN          %s\n  kind         %s\n  laws         %s\n  gateway      %s\n", p.Name, p.Code, p.OIN, p.Kind, orDash(strings.Join(p.Laws, ", ")), orDash(p.Gateway))
	for _, k := range keys {
		fmt.Fprintf(w, "  key %-8s %s, SHA-256 %s\n", k.ID, k.Alg, k.SHA256)
	}
	for _, k := range p.LogKeys {
		fmt.Fprintf(w, "  log          %s\n", k)
	}
	_, err := fmt.Fprintf(w, "  fingerprint  %s\n", p.Fingerprint())
	return err
}
