package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/ontschot/ontschot/adapters/boundary"
	"github.com/ontschot/ontschot/adapters/host"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/manifest"
	"github.com/ontschot/ontschot/internal/server"
	"github.com/ontschot/ontschot/internal/signed"
)

// signature is what an agency says when it signs an adapter.
type signature struct {
	organisation, key, id, out string
	days                       int
	sandbox                    manifest.Sandbox
}

func adapterSignCommand() *cobra.Command {
	var s signature
	c := &cobra.Command{
		Use:   "sign PROGRAM [ARGUMENT ...] --organisation OIN --key FILE --key-id ID --out FILE",
		Short: "Sign an adapter's program, for who is to run it (agency)",
		Long: `Sign which program your adapter is and what it wants, for the operators of gateways that are to run it. The
program is started once, without configuration, to say what it is. Operators read the manifest that comes out,
and countersign it: ontschot adapter trust. They pin your key in their trust file with the kind ontschot-adapter+json.`,
		Example: "  ontschot adapter sign ./ontschot-adapter --organisation 00000099000005503000 --key sign.pem --key-id sign-1 --out manifest.json",
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return fmt.Errorf("%w: name the program; see %s --help", errUsage, c.CommandPath())
			}
			return s.sign(c, args)
		},
	}
	f := c.Flags()
	f.StringVar(&s.organisation, "organisation", "", "your OIN, twenty digits")
	f.StringVar(&s.key, "key", "", "your private key, PKCS#8 PEM, P-256: ontschot keys new --kind signing")
	f.StringVar(&s.id, "key-id", "", "its id in the trust files of others")
	f.StringVar(&s.out, "out", "", "the file to write")
	f.IntVar(&s.days, "days", 365, "how many days it counts")
	f.StringArrayVar(&s.sandbox.Read, "read", nil, "a file or folder that the program must read on every machine; may be given more than once")
	f.IntVar(&s.sandbox.MemoryMiB, "memory-mib", 0, "memory that it needs at most; default: what it says itself, or 512")
	f.IntVar(&s.sandbox.Processes, "processes", 0, "processes and threads that it needs at most; default 256")
	return c
}

func (s signature) sign(c *cobra.Command, args []string) error {
	oin := identity.OIN(s.organisation)
	if !identity.IsOIN(oin) || s.key == "" || s.id == "" || s.out == "" {
		return fmt.Errorf("%w: --organisation, an OIN of twenty digits, --key, --key-id and --out are needed", errUsage)
	}
	key, err := config.PrivateKey(s.key)
	if err != nil {
		return err
	}
	by, err := signed.NewSigner(oin, s.id, "ES256", key)
	if err != nil {
		return err
	}
	path, err := filepath.Abs(args[0])
	if err != nil {
		return err
	}
	program, err := boundary.Read(path)
	if err != nil {
		return err
	}
	defer program.Close()
	what, err := host.Describe(c.Context(), host.Config{
		Program: program, Path: path, Args: args[1:], Log: c.ErrOrStderr(), Boundary: boundary.Profile{Read: s.sandbox.Read},
	})
	if err != nil {
		return err
	}
	now := time.Now()
	m := manifest.Of(what)
	m.Issued, m.Expires = now.Unix(), now.AddDate(0, 0, s.days).Unix()
	m.Size, m.SHA256 = program.Size(), program.SHA256()
	m.Sandbox.Read = append(m.Sandbox.Read, s.sandbox.Read...)
	m.Sandbox.MemoryMiB, m.Sandbox.Processes = cmp.Or(s.sandbox.MemoryMiB, m.Sandbox.MemoryMiB), s.sandbox.Processes
	raw, err := m.Sign(by, now)
	if err != nil {
		return err
	}
	if err := os.WriteFile(s.out, raw, 0o644); err != nil {
		return err
	}
	m.Issuer = oin
	return printManifest(c.OutOrStdout(), m, "")
}

// answer of an operator to a manifest.
type answer struct{ accept, older bool }

func adapterTrustCommand() *cobra.Command {
	var path string
	var a answer
	c := &cobra.Command{
		Use:   "trust MANIFEST --config FILE",
		Short: "Read what an agency's adapter wants, and countersign it with --accept (operator)",
		Long: `Show which program an agency has signed and what it wants of your machine. With --accept your organisation's
key is put under it, in the same file; gateway.yaml names that file as manifest of the source, and no other program
is started for it. --older has a manifest count again that a newer one had replaced.`,
		Example: "  ontschot adapter trust manifest.json --config gateway.yaml\n  ontschot adapter trust manifest.json --accept",
		Args:    oneArg("a manifest"),
		RunE: func(c *cobra.Command, args []string) error {
			conf, err := config.ReadGateway(path)
			if err != nil {
				return err
			}
			return a.trust(c.OutOrStdout(), conf, args[0])
		},
	}
	c.Flags().StringVar(&path, "config", "gateway.yaml", "your gateway's configuration, YAML")
	c.Flags().BoolVar(&a.accept, "accept", false, "countersign it")
	c.Flags().BoolVar(&a.older, "older", false, "have it count although a newer one ran before")
	return c
}

func (a answer) trust(w io.Writer, conf *config.Gateway, file string) error {
	raw, err := config.ReadFile(file)
	if err != nil {
		return err
	}
	trust, own, err := conf.ReadTrust()
	if err != nil {
		return err
	}
	keys, err := trust.Verifier()
	if err != nil {
		return err
	}
	now := time.Now()
	m, err := manifest.Offered(keys.Fresh(), raw, own.OIN, now)
	if err != nil {
		return err
	}
	agency, _ := trust.Directory().ByOIN(m.Issuer)
	if err := printManifest(w, m, agency.Name); err != nil {
		return err
	}
	if a.older {
		if err := server.Manifests(conf).Older(agency.Code, m); err != nil {
			return err
		}
	}
	_, unsigned := manifest.Verify(keys.Fresh(), raw, own.OIN, now)
	switch {
	case unsigned == nil:
		_, err = fmt.Fprintln(w, "\nU hebt dit al ondertekend. You have signed this already.")
		return err
	case !a.accept:
		_, err = fmt.Fprintln(w, "\nEr is nog niets ondertekend. Klopt het? Doe het dan nog eens met --accept.\nNothing is signed yet. If this is right, do it again with --accept.")
		return err
	}
	if raw, err = countersigned(conf, own, raw); err != nil {
		return err
	}
	if _, err := manifest.Verify(keys.Fresh(), raw, own.OIN, now); err != nil {
		return fmt.Errorf("%w; does your own key in the trust file have the kind %s?", err, signed.Manifest)
	}
	if err := replaceFile(file, raw); err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "\nOndertekend. Zet in gateway.yaml bij de bron: manifest: %[1]s\nSigned. Put with the source in gateway.yaml: manifest: %[1]s\n", file)
	return err
}

func countersigned(conf *config.Gateway, own config.Organisation, raw []byte) ([]byte, error) {
	signers, err := conf.SigningKeys(own.OIN)
	if err != nil {
		return nil, err
	}
	ring, err := signed.NewRing(signers...)
	if err != nil {
		return nil, err
	}
	return ring.Signer().Countersign(signed.Manifest, raw)
}

// replaceFile writes a file whole or not at all.
func replaceFile(path string, raw []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".manifest-")
	if err != nil {
		return err
	}
	_, err = f.Write(raw)
	if err := errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// printManifest shows what is signed, in both languages.
func printManifest(w io.Writer, m manifest.Manifest, agency string) error {
	list := func(all []string) string {
		if len(all) == 0 {
			return "-"
		}
		return strings.Join(all, ", ")
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range [][2]string{
		{"Organisatie / agency", strings.TrimSpace(agency + " " + string(m.Issuer))},
		{"Adapter", m.ID + " " + m.Version},
		{"Programma / program", fmt.Sprintf("%s/%s, %d bytes", m.OS, m.Arch, m.Size)},
		{"SHA-256", m.SHA256},
		{"Geldig tot / counts until", time.Unix(m.Expires, 0).UTC().Format(time.RFC3339)},
		{"Wetten / laws", list(m.Laws)},
		{"Gegevens / data", list(m.Categories)},
		{"Nummer van een persoon / number of a person", list(m.Identifiers)},
		{"Verbinding met / connects to (keys of config)", list(m.Egress)},
		{"Geheimen / secrets", list(m.Secrets)},
		{"Leest bestanden / reads files", list(m.Sandbox.Read)},
		{"Geheugen / memory (MiB)", fmt.Sprint(cmp.Or(m.Sandbox.MemoryMiB, 512))},
		{"Processen / processes", fmt.Sprint(cmp.Or(m.Sandbox.Processes, 256))},
	} {
		fmt.Fprintf(t, "%s\t%s\n", row[0], row[1])
	}
	return t.Flush()
}
