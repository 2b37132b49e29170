package main

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/setup"
)

func initCommand() *cobra.Command {
	var o setup.Organisation
	var oin string
	var say reply
	c := &cobra.Command{
		Use:   "init --oin OIN --name NAME --code CODE --dir DIR",
		Short: "Make what a gateway of your organisation needs: keys, certificate requests, configuration",
		Long: `Make the folder of a gateway: signing, token, log and pseudonym keys, certificate requests with the OIN where
PKIoverheid and FSC have it, gateway.yaml with every key explained, trust.yaml with your own entry, client.yaml for your own
systems, party.yaml, to be sent to others, and ontschot.service, by which systemd runs this folder without our package.
Kind and laws follow from the code; give --kind and --laws where they do not.
Files are for their owner only (0600, folders 0700). A file that is there is not written over: run it again to make what lacks.`,
		Example: "  ontschot init --oin 00000001003214345000 --name \"Gemeente Meppel\" --code GM0119 --dir meppel\n" +
			"  ontschot init --oin 00000001003214345000 --name \"Gemeente Meppel\" --code GM0119 --host gateway.meppel.nl --withdraw-url https://toestemming.meppel.nl/intrekken --officer fg@meppel.nl --dir /etc/ontschot",
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if o.Dir == "" {
				return fmt.Errorf("%w: --dir is needed: the folder to make", errUsage)
			}
			o.OIN = identity.OIN(oin)
			o.Program, o.User = self()
			made, err := setup.Init(o)
			if errors.Is(err, setup.ErrInput) {
				return fmt.Errorf("%w: %w", errUsage, err)
			}
			if err != nil {
				return err
			}
			return say.give(c, initAnswer{o.Dir, append([]string{}, made.New...), append([]string{}, made.There...)}, stepsOf(o.Dir, made))
		},
	}
	f := c.Flags()
	f.StringVar(&oin, "oin", "", "the OIN of your organisation, twenty digits")
	f.StringVar(&o.Name, "name", "", "its name, as in its certificates")
	f.StringVar(&o.Code, "code", "", "its code in trust files: GM0119, ZK5503, UZOVI9991, UWV, SVB, CAK")
	f.StringVar(&o.Kind, "kind", "", "its kind; default by the code")
	f.StringSliceVar(&o.Laws, "laws", nil, "the laws that it is a source of; default those of its kind")
	f.StringVar(&o.Host, "host", "", "the name by which others reach the gateway; default that of this machine")
	f.StringVar(&o.Listen, "listen", "", "host:port to listen on; default 0.0.0.0:8443, with --dev 127.0.0.1:8443")
	f.StringVar(&o.WithdrawURL, "withdraw-url", "", "where a person can withdraw a consent; else to be filled in")
	f.StringVar(&o.Officer, "officer", "", "how to reach your data protection officer; else to be filled in")
	f.StringVar(&o.Dir, "dir", "", "the folder to make")
	f.BoolVar(&o.Dev, "dev", false, "for development, on this machine alone")
	say.flags(c)
	return c
}

// self is where this program is, and who runs it; of what cannot be known, and of root, nothing.
func self() (program, name string) {
	program, _ = os.Executable()
	if who, err := user.Current(); err == nil && who.Uid != "0" {
		name = who.Username
	}
	return program, name
}

// asService says how systemd runs the folder, of which the path is absolute.
func asService(dir string, made setup.Made) string {
	if !slices.Contains(slices.Concat(made.New, made.There), setup.UnitFile) {
		return fmt.Sprintf("     As a service: no unit was made, for %s has a character that systemd reads as something else;\n     choose another folder, or the unit of the packages (deploy/systemd).\n", dir)
	}
	unit := filepath.Join(dir, setup.UnitFile)
	text := "     Or have systemd run it:\n"
	if setup.Hidden(dir) {
		text = fmt.Sprintf("     Or have systemd run it. Its unit sees no home and no temporary folder: make this one elsewhere\n     (--dir /etc/ontschot), since here, in %s, it will not start. There:\n", dir)
	}
	if raw, err := os.ReadFile(unit); err == nil && strings.Contains(string(raw), "\nUser="+setup.UsualUser+"\n") {
		text += fmt.Sprintf("       useradd --system --no-create-home --shell /usr/sbin/nologin %[1]s; chown -R %[1]s: %[2]s\n", setup.UsualUser, dir)
	}
	return text + fmt.Sprintf("       systemctl link %s && systemctl enable --now ontschot\n     It looks for the program where ExecStart= says; put it there, or change that line.\n", unit)
}

// stepsOf says what was made, what was there, and what comes next.
func stepsOf(dir string, made setup.Made) (steps string) {
	for _, name := range made.New {
		steps += fmt.Sprintf("  made   %s\n", filepath.Join(dir, name))
	}
	for _, name := range made.There {
		steps += fmt.Sprintf("  there  %s (as it was)\n", filepath.Join(dir, name))
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	steps += fmt.Sprintf(`
What comes next:
  1. Have %s and %s signed by your authority (PKIoverheid). Put what
     comes back into %s and %s, and the roots of that authority into %s.
  2. Look through %s, and fill in what the next command asks for:
       ontschot config check --config %s
  3. Send %s to those who are to deal with you, and add theirs:
       ontschot trust add THEIRS --config %s
  4. Start it: ontschot serve --config %s
`, at("tls/request.csr"), at("client/request.csr"), at("tls/cert.pem"), at("client/cert.pem"), at("tls/ca.pem"),
		at("gateway.yaml"), at("gateway.yaml"), at("party.yaml"), at("gateway.yaml"), at("gateway.yaml"))
	if whole, err := filepath.Abs(dir); err == nil {
		steps += asService(whole, made)
	}
	if slices.Contains(made.New, "keys/sign-1.pem") {
		steps += fmt.Sprintf("Keep a copy of %s on paper or elsewhere offline: what is lost of it cannot be made again.\n", at("keys"))
	}
	return steps
}
