package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/directory"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
)

func directoryCommand() *cobra.Command {
	return group("directory", "Keep, sign and read a directory of organisations", directorySignCommand(), directoryShowCommand(), directoryVouchCommand())
}

func directorySignCommand() *cobra.Command {
	var in, key, id string
	c := &cobra.Command{
		Use:   "sign --in directory.yaml --key FILE --id ID",
		Short: "Sign a directory, as its operator",
		Long: `Read directory.yaml and the files that it names, check it as every gateway does, sign it, and write the
signed file to stdout. Raise version every time: gateways refuse one that does not rise. See
docs/operating.md.`,
		Example: "  ontschot directory sign --in directory.yaml --key directory-1.key --id directory-1 > directory.jwt",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if in == "" || key == "" || id == "" {
				return fmt.Errorf("%w: --in, --key and --id are needed", errUsage)
			}
			now := time.Now()
			claims, err := directory.ReadDraft(in, now)
			if err != nil {
				return err
			}
			by, err := signerOf(claims.Issuer, id, key)
			if err != nil {
				return err
			}
			raw, err := directory.Sign(claims, by, now)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "%s\n", raw)
			return err
		},
	}
	c.Flags().StringVar(&in, "in", "", "the directory as you write it, YAML")
	c.Flags().StringVar(&key, "key", "", "the operator's private key, PKCS#8 PEM")
	c.Flags().StringVar(&id, "id", "", "the key's id in the gateways' configuration")
	return c
}

// signerOf reads a private key and has it sign once.
func signerOf(oin identity.OIN, id, path string) (signed.Signer, error) {
	private, err := config.PrivateKey(path)
	if err != nil {
		return signed.Signer{}, err
	}
	alg, err := directory.AlgOf(private.Public())
	if err != nil {
		return signed.Signer{}, err
	}
	by, err := signed.NewSigner(oin, id, alg, private)
	if err != nil {
		return by, fmt.Errorf("%w: %s: %w", config.ErrConfig, path, err)
	}
	return by, nil
}

func directoryShowCommand() *cobra.Command {
	var path, key, id, operator, format string
	c := &cobra.Command{
		Use:   "show [FILE|URL]",
		Short: "Verify a directory and show who is in it",
		Long: `Verify a directory by the keys that gateway.yaml pins, or by the one of --key, --id and --operator, and show who is in
it. Without FILE or URL it is the one that gateway.yaml names.`,
		Example: "  ontschot directory show --config gateway.yaml\n  ontschot directory show directory.jwt --key trust/directory-1.pem --id directory-1 --operator 00000001003214345001",
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 1 || format != "table" && format != "json" || (key == "") != (id == "") || (key == "") != (operator == "") {
				return fmt.Errorf("%w: one FILE or URL; --format is table or json; --key goes with --id and --operator", errUsage)
			}
			conf := &config.Gateway{Directory: &config.Directory{}}
			if key == "" {
				var err error
				if conf, err = config.ReadGateway(path); err != nil {
					return err
				}
				if conf.Directory == nil {
					return fmt.Errorf("%w: %s names no directory", config.ErrConfig, path)
				}
			} else {
				conf.Directory.Operator = identity.OIN(operator)
				conf.Directory.Keys = []config.DirectoryKey{{ID: id, File: key}}
			}
			d, err := readDirectory(c, conf, args)
			if err != nil {
				return err
			}
			return printDirectory(c.OutOrStdout(), d, format)
		},
	}
	c.Flags().StringVar(&path, "config", "gateway.yaml", "a gateway's configuration, which pins the operator's keys")
	c.Flags().StringVar(&key, "key", "", "the operator's public key, PEM")
	c.Flags().StringVar(&id, "id", "", "its id")
	c.Flags().StringVar(&operator, "operator", "", "the operator's OIN")
	c.Flags().StringVar(&format, "format", "table", "table, or json: exactly one object on stdout")
	return c
}

// readDirectory reads what is named, by the keys of a configuration. What a gateway has kept is
// not looked at.
func readDirectory(c *cobra.Command, conf *config.Gateway, args []string) (*directory.Directory, error) {
	one := *conf.Directory
	if len(args) == 1 {
		one.URL, one.File = "", args[0]
		if strings.Contains(args[0], "://") {
			one.URL, one.File = args[0], ""
		}
	}
	raw, by, err := directory.Read(c.Context(), conf, one)
	if err != nil {
		return nil, err
	}
	return directory.Verify(bytes.TrimSpace(raw), by, time.Now())
}

func printDirectory(w io.Writer, d *directory.Directory, format string) error {
	if format == "json" {
		return json.NewEncoder(w).Encode(d.Claims)
	}
	_, err := fmt.Fprintf(w, "Directory version %d of %s, issued %s.\n", d.Version, d.Issuer, time.Unix(d.IssuedAt, 0).UTC().Format(time.RFC3339))
	table := [][]string{{"code", "OIN", "kind", "name", "gateway", "own authorities", "keys"}}
	for _, p := range d.Parties {
		var keys []string
		for _, k := range p.Keys {
			text := k.ID
			if k.Lost {
				text += " (lost)"
			} else if k.Retired != "" {
				text += " (retired " + k.Retired + ")"
			}
			keys = append(keys, text)
		}
		ca := "-"
		if p.CA != "" {
			ca = "yes"
		}
		table = append(table, []string{p.Code, string(p.OIN), p.Kind, p.Name, orDash(p.Gateway), ca, orDash(strings.Join(keys, ", "))})
	}
	out := &page{w: w, width: operatorWidth}
	out.columnsOfText(nil, table)
	return errors.Join(err, out.err)
}

func directoryVouchCommand() *cobra.Command {
	var key, id, next, nextID, path string
	c := &cobra.Command{
		Use:   "vouch --key FILE --id ID --next FILE --next-id ID",
		Short: "Sign that a key is your organisation's next one",
		Long: `Sign with a key that others have pinned that another key is your organisation's next. Give the result to
the operator of the directory: then every gateway that reads it pins the next key, without its operator
doing anything. The key may sign what documents are signed with, access tokens excepted.`,
		Example: "  ontschot directory vouch --key keys/sign-1.pem --id sign-1 --next sign-2.pub.pem --next-id sign-2 > sign-2.vouched",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if key == "" || id == "" || next == "" || nextID == "" {
				return fmt.Errorf("%w: --key, --id, --next and --next-id are needed", errUsage)
			}
			conf, err := config.ReadGateway(path)
			if err != nil {
				return err
			}
			_, own, err := conf.ReadTrust()
			if err != nil {
				return err
			}
			by, err := signerOf(own.OIN, id, key)
			if err != nil {
				return err
			}
			public, err := config.PublicKey(next)
			if err != nil {
				return err
			}
			alg, err := directory.AlgOf(public)
			if err != nil {
				return err
			}
			raw, err := directory.Vouch(by, signed.Key{ID: nextID, Alg: alg, Public: public, Kinds: documentKinds()}, time.Now())
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "%s\n", raw)
			return err
		},
	}
	c.Flags().StringVar(&path, "config", "gateway.yaml", "the gateway's configuration, YAML")
	c.Flags().StringVar(&key, "key", "", "your private key of before, PKCS#8 PEM")
	c.Flags().StringVar(&id, "id", "", "its id in the trust files of others")
	c.Flags().StringVar(&next, "next", "", "the next public key, PEM")
	c.Flags().StringVar(&nextID, "next-id", "", "its id")
	return c
}

// documentKinds is what an organisation signs its documents with.
func documentKinds() []signed.Kind {
	return []signed.Kind{signed.Consent, signed.Agreement, signed.Statement, signed.Result, signed.Permit}
}
