package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/certificate"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/internal/dev/family"
	"github.com/ontschot/ontschot/internal/signed"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

const caseHelp = "an embedded case (meppel, woerden, diemen-zwolle) or a case file"

func devCommand() *cobra.Command {
	return group("dev", "Make what development needs: a CA, keys, documents, tokens", devInitCommand(), devTokenCommand(), devSourceCommand(), devSignCommand())
}

func devInitCommand() *cobra.Command {
	var name, dir string
	var federated bool
	c := &cobra.Command{
		Use:   "init --case CASE --dir DIR [--federated]",
		Short: "Make a folder from which every part can be started by hand",
		Long: `Make a certificate authority, certificates and keys for every party of a case, the signed agreements
and consents, and the configuration of a gateway and a client, in a folder. The case itself is
written beside them as case.json. Nothing of it is fit for anything but development.

The gateway of the organisation that asks lies at the root of the folder, those of the others in peers/CODE.
With --federated each of them asks its own organisation's system only, and the one at the root asks the others:
each has its own adapter, keys, log, and its own copy of the agreement; consents stay with the one that asks.`,
		Example: "  ontschot dev init --case meppel --dir /tmp/meppel\n  ontschot dev init --federated --case meppel --dir /tmp/meppel",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cf, err := casefile.Open(name)
			if err != nil {
				return err
			}
			if dir == "" {
				return fmt.Errorf("%w: --dir is needed: the folder to make", errUsage)
			}
			f, err := makeFolder(cf, name, dir, federated)
			if err != nil {
				return err
			}
			fmt.Fprint(c.OutOrStdout(), handSteps(f, dir, federated))
			return nil
		},
	}
	c.Flags().StringVar(&name, "case", "meppel", caseHelp)
	c.Flags().StringVar(&dir, "dir", "", "the folder to make; it must not exist or be empty")
	c.Flags().BoolVar(&federated, "federated", false, "a gateway for each organisation, which asks its own system only")
	return c
}

// makeFolder lays out a development folder with the case in it.
func makeFolder(cf *casefile.Case, name, dir string, federated bool) (*family.Family, error) {
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return nil, fmt.Errorf("%w: %s is not empty; name a new folder", errUsage, dir)
	}
	f, err := makeFolderWithoutCase(cf, dir, federated)
	if err != nil {
		return nil, err
	}
	raw, err := casefile.Raw(name)
	if err != nil {
		return nil, err
	}
	return f, os.WriteFile(filepath.Join(dir, "case.json"), raw, 0o600)
}

// makeFolderWithoutCase lays out everything but the case, which holds the persons.
func makeFolderWithoutCase(cf *casefile.Case, dir string, federated bool) (*family.Family, error) {
	return staging{federated: federated}.layOut(cf, dir)
}

func (s staging) layOut(cf *casefile.Case, dir string) (*family.Family, error) {
	f, err := family.New(cf, time.Now())
	if err != nil {
		return nil, err
	}
	layout, err := f.FreeLayout()
	if err != nil {
		return nil, err
	}
	layout.Federated, layout.Policies = s.federated, s.policies
	if s.basis != "" {
		f.LegalBasis = s.basis
	}
	return f, f.Write(dir, layout)
}

// handSteps are the commands that go on from a development folder.
func handSteps(f *family.Family, dir string, federated bool) string {
	steps := `Go on by hand, each in a terminal of its own:
  ontschot sandbox --case DIR/case.json --dir DIR       # the parties' own systems
  ontschot serve --config DIR/gateway.yaml              # the gateway and its adapters
`
	for _, p := range f.Case.Parties {
		if federated && p.Code != f.Case.Requester {
			steps += "  ontschot serve --config DIR/" + f.FolderOf(p.Code) + "gateway.yaml   # that of " + p.Code + ", which decides too\n"
		}
	}
	steps += `  ontschot dev token --dir DIR > DIR/client/token       # an access token, good for five minutes
  ontschot budget get --config DIR/client.yaml --case DIR/case.json
  ontschot audit verify --data DIR/data                 # the audit log, when the gateway has stopped or runs
`
	if person, source := consentedElsewhere(f.Case); federated && source != "" {
		steps += strings.NewReplacer("PERSON", person, "SOURCE", source, "AT/", f.FolderOf(source)).Replace(`  ontschot consent list --config DIR/client.yaml --case DIR/case.json --person PERSON
  ontschot consent withdraw ID --config DIR/client.yaml # of the one that names SOURCE; then ask again
  ontschot audit verify --data DIR/AT/data   # that log has the questions before, and none after
`)
	}
	return strings.ReplaceAll(steps, "DIR", dir)
}

// consentedElsewhere gives a person of a case and another organisation that may be asked about
// them; empty when there is none.
func consentedElsewhere(cf *casefile.Case) (person, source string) {
	for _, c := range cf.Consents {
		for _, code := range c.Sources {
			if code != cf.Requester {
				return string(c.Person), code
			}
		}
	}
	return "", ""
}

func devTokenCommand() *cobra.Command {
	var dir string
	var only narrowing
	c := &cobra.Command{
		Use:   "token --dir DIR [--purposes LIST] [--sources LIST] [--categories LIST]",
		Short: "Mint an access token for the client of a development folder",
		Long: `Mint an access token (RFC 9068) that is bound to the client's certificate (RFC 8705) and good for
five minutes, signed with the token key of the development folder, and print it on stdout. It is
for every source and category unless some are named. When the certificate is of another organisation
than the gateway, such as a software vendor, the token says that it acts for this one (RFC 8693); with
--audit it says that it is an auditor, whom an agreement names.`,
		Example: "  ontschot dev token --dir /tmp/meppel > token\n  ontschot dev token --dir /tmp/meppel --sources UWV --categories entitlement,product > token",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			raw, err := mintNarrow(dir, only)
			if err != nil {
				return err
			}
			fmt.Fprintln(c.OutOrStdout(), raw)
			return nil
		},
	}
	c.Flags().StringVar(&dir, "dir", ".", "a folder made by ontschot dev init")
	c.Flags().StringSliceVar(&only.purposes, "purposes", nil, "purpose codes the token is for")
	c.Flags().StringSliceVar(&only.sources, "sources", nil, "party codes of the sources it is for")
	c.Flags().StringSliceVar(&only.categories, "categories", nil, "categories of data it is for")
	c.Flags().StringVar(&only.role, "role", "", "the role of the case worker; default one who may do most")
	c.Flags().BoolVar(&only.audit, "audit", false, "the organisation in the certificate audits spending at the gateway of another, which client.yaml names")
	c.Flags().StringVar(&only.subject, "subject", "", "who the case worker is, for example to be a second person")
	return c
}

func devSignCommand() *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "sign REQUEST.CSR --ca DIR",
		Short: "Sign a certificate request as an authority for trials",
		Long: `Sign a certificate request with the authority in a folder, and print the certificate on stdout. Where the folder has no authority
one is made: ca.pem, which goes where tls.ca is, and ca.key. It stands in for PKIoverheid in a trial, and proves nothing.`,
		Example: "  ontschot dev sign meppel/tls/request.csr --ca ca > meppel/tls/cert.pem",
		Args:    oneArg("the file of the request"),
		RunE: func(c *cobra.Command, args []string) error {
			request, err := config.ReadFile(args[0])
			if err != nil {
				return err
			}
			cert, err := family.SignRequest(dir, request, time.Now())
			if err != nil {
				return fmt.Errorf("%w: %s: %w", config.ErrConfig, args[0], err)
			}
			_, err = c.OutOrStdout().Write(cert)
			return err
		},
	}
	c.Flags().StringVar(&dir, "ca", "ca", "the folder of the authority; made when it is not there")
	return c
}

// narrowing is what a token is for, and whose it is; what is empty is left as it is minted.
type narrowing struct {
	purposes, sources, categories []string
	role, subject                 string
	audit                         bool // it is of whom the certificate names, who audits spending at the gateway of another
}

// of gives a detail with less in it.
func (n narrowing) of(d token.Detail, trust *config.Trust) (token.Detail, error) {
	if len(n.purposes) > 0 {
		d.Purposes = n.purposes
	}
	if len(n.categories) > 0 {
		d.Categories = n.categories
	}
	if len(n.sources) > 0 {
		d.Sources = nil
	}
	for _, code := range n.sources {
		p, err := trust.Party(code)
		if err != nil {
			return d, err
		}
		d.Sources = append(d.Sources, string(p.OIN))
	}
	return d, nil
}

// caseOf is the commitment to the case that tokens of a folder are for; in a folder without a
// case one to none that anybody has is made.
func caseOf(path string) (string, error) {
	raw, err := config.ReadFile(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return strings.TrimSpace(string(raw)), err
	}
	commitment := family.NewCase()
	return commitment, os.WriteFile(path, []byte(commitment+"\n"), 0o600)
}

// mintNarrow signs with what lies in a development folder.
func mintNarrow(dir string, only narrowing) (string, error) {
	client, err := config.ReadClient(filepath.Join(dir, "client.yaml"))
	if err != nil {
		return "", err
	}
	trust, own, err := client.ReadTrust()
	if err != nil {
		return "", err
	}
	pair, _, err := client.TLS.Load(client.Path)
	if err != nil {
		return "", err
	}
	key, err := config.PrivateKey(client.Path("client/token.pem"))
	if err != nil {
		return "", err
	}
	by, err := certificate.Peer(pair.Leaf)
	if err != nil {
		return "", err
	}
	issuer := own.OIN
	if only.audit {
		issuer = by
	}
	signer, err := signed.NewSigner(issuer, family.TokenKeyID, "ES256", key)
	if err != nil {
		return "", err
	}
	commitment, err := caseOf(client.Path("client/case"))
	if err != nil {
		return "", err
	}
	purpose, err := config.ReadFile(client.Path("client/purpose"))
	if errors.Is(err, fs.ErrNotExist) {
		purpose, err = []byte(ontschotv1.PurposeComposeBudget), nil
	}
	if err != nil {
		return "", err
	}
	var unknown error
	narrow := func(c *token.Claims) {
		c.Audience = string(own.OIN)
		if only.audit {
			c.Role, c.Details[0].Purposes = "controleur", []string{ontschotv1.PurposeAuditSpending}
		}
		c.Details[0], unknown = only.of(c.Details[0], trust)
		c.Role, c.Subject = cmp.Or(only.role, c.Role), cmp.Or(only.subject, c.Subject)
		if by != issuer {
			c.Actor = &token.Actor{Subject: c.Client, Organisation: by}
		}
	}
	raw, err := family.MintToken(signer, pair.Leaf, commitment, strings.TrimSpace(string(purpose)), time.Now(), narrow)
	return raw, errors.Join(unknown, err)
}
