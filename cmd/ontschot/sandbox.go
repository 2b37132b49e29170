package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/internal/dev/sandbox"
)

func sandboxCommand() *cobra.Command {
	var name, dir string
	var faults []string
	c := &cobra.Command{
		Use:   "sandbox --case CASE [--dir DIR]",
		Short: "Run the parties' own systems of a case on loopback",
		Long: `Run the systems that hold the records of a case, each with the interface such a party really has:
the municipality's case system (REST, OAuth2) and message archive, the Wlz registers (GraphQL),
UWV (SOAP), the insurer (REST), SVB (XML), CAK (REST, OAuth2), education and Valys (REST, never a BSN). With --dir they use the certificates and ports of a folder made by
ontschot dev init; without it they make their own.

--fault PARTY=down|slow|garbage|deny makes one of them misbehave.`,
		Example: "  ontschot sandbox --case meppel\n  ontschot sandbox --case DIR/case.json --dir DIR --fault UWV=slow",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cf, err := casefile.Open(name)
			if err != nil {
				return err
			}
			if dir == "" {
				if dir, err = os.MkdirTemp("", "ontschot-sandbox-"); err != nil {
					return err
				}
				defer os.RemoveAll(dir)
				if _, err := makeFolderWithoutCase(cf, dir, false); err != nil {
					return err
				}
			}
			box, err := startSandbox(cf, dir, faults, c.ErrOrStderr())
			if err != nil {
				return err
			}
			defer box.Close()
			for _, p := range cf.Parties {
				if at := box.URL(p.Code); at != "" {
					fmt.Fprintf(c.OutOrStdout(), "%-10s %-12s %s\n", p.Code, p.Kind, at)
				}
			}
			<-c.Context().Done()
			return nil
		},
	}
	c.Flags().StringVar(&name, "case", "meppel", caseHelp)
	c.Flags().StringVar(&dir, "dir", "", "a folder made by ontschot dev init")
	c.Flags().StringArrayVar(&faults, "fault", nil, "PARTY=down|slow|garbage|deny; may be repeated")
	return c
}

// slow is longer than any source is waited for.
const slow = time.Minute

// system is what a development folder holds for a party's own system.
type system struct {
	addr, secret string
	certificate  tls.Certificate
}

// systemsIn reads them: a party's system lies with the gateway whose adapter asks it, which is
// the requester's at the root, or the party's own in peers/CODE.
func systemsIn(cf *casefile.Case, dir string) (map[string]system, error) {
	all := map[string]system{}
	for _, p := range cf.Parties {
		at := dir
		if _, err := os.Stat(filepath.Join(dir, "sources", p.Code)); err != nil {
			at = filepath.Join(dir, "peers", p.Code)
		}
		conf, err := config.ReadGateway(filepath.Join(at, "gateway.yaml"))
		if err != nil {
			return nil, err
		}
		var one system
		for _, s := range conf.Sources {
			if s.Party != p.Code || s.Peer {
				continue
			}
			url, err := url.Parse(fmt.Sprint(s.Config["url"]))
			if err != nil {
				return nil, fmt.Errorf("%w: source %s: url", config.ErrConfig, s.Party)
			}
			one.addr = url.Host
		}
		at = filepath.Join(at, "sources", p.Code)
		if one.certificate, err = tls.LoadX509KeyPair(filepath.Join(at, "cert.pem"), filepath.Join(at, "key.pem")); err != nil {
			return nil, fmt.Errorf("%w: %s: %w", config.ErrConfig, at, err)
		}
		raw, err := config.ReadFile(filepath.Join(at, "client_secret"))
		if err != nil {
			return nil, err
		}
		one.secret = string(raw)
		all[p.Code] = one
	}
	return all, nil
}

// startSandbox serves a case with the certificates, secrets and ports of a
// development folder.
func startSandbox(cf *casefile.Case, dir string, faults []string, log io.Writer) (*sandbox.Sandbox, error) {
	systems, err := systemsIn(cf, dir)
	if err != nil {
		return nil, err
	}
	ca, err := config.ReadFile(filepath.Join(dir, "ca.pem"))
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	box, err := sandbox.Start(sandbox.Config{
		Case: cf, CA: pool, Log: log,
		Certificate:  func(party string) tls.Certificate { return systems[party].certificate },
		ClientSecret: func(party string) string { return systems[party].secret },
		Addr:         func(party string) string { return systems[party].addr },
	})
	if err != nil {
		return nil, err
	}
	for _, f := range faults {
		if err := setFault(box, cf, f); err != nil {
			box.Close()
			return nil, err
		}
	}
	return box, nil
}

func setFault(box *sandbox.Sandbox, cf *casefile.Case, text string) error {
	party, what, _ := strings.Cut(text, "=")
	fault, ok := map[string]sandbox.Fault{
		"down": sandbox.Down(), "slow": sandbox.Slow(slow), "garbage": sandbox.Garbage(), "deny": sandbox.Deny(),
	}[what]
	if _, known := cf.Party(party); !known || !ok {
		return fmt.Errorf("%w: --fault is PARTY=down|slow|garbage|deny, with a party of the case", errUsage)
	}
	box.SetFault(party, fault)
	return nil
}
