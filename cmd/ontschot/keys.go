package main

import (
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/internal/approval"
	"github.com/ontschot/ontschot/internal/certificate"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/server"
	"github.com/ontschot/ontschot/internal/setup"
	"github.com/ontschot/ontschot/internal/signed"
)

// keysCommand shows, and holds the commands beside it.
func keysCommand() *cobra.Command {
	c := keysShowCommand("keys")
	c.AddCommand(keysShowCommand("show"), keysNewCommand())
	return c
}

// keyRow is one key or certificate, as "keys show" prints it. Times are RFC 3339;
// empty: none.
type keyRow struct {
	What  string `json:"what"` // certificate, authority, revocation list, signing, log, pseudonym, pinned, issuer
	Owner string `json:"owner"`
	ID    string `json:"id"`
	State string `json:"state"` // in use, announced, earlier, retired, expired, unusable, not there, waits for its authority
	From  string `json:"from,omitempty"`
	Until string `json:"until,omitempty"`
	// Do is what must be done; empty: nothing.
	Do string `json:"do,omitempty"`
}

func keysShowCommand(name string) *cobra.Command {
	var path, format string
	c := &cobra.Command{
		Use:   name + " --config FILE",
		Short: "Show keys and certificates: in use, until when, what must be renewed",
		Long: `Show every key and certificate of a gateway and every key it has pinned of others: which is in use,
which is announced or retired, until when, and what must be done. Revocation lists from URLs are those that the gateway fetched last. Reads files only; the gateway may be
running. Exit code 1 when something must be done.`,
		Example: "  ontschot keys --config gateway.yaml\n  ontschot keys --format json",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if format != "table" && format != "json" {
				return fmt.Errorf("%w: --format is table or json", errUsage)
			}
			rows, err := keyRows(path, time.Now())
			if err != nil {
				return err
			}
			return printKeys(c.OutOrStdout(), rows, format)
		},
	}
	c.Flags().StringVar(&path, "config", "gateway.yaml", "the gateway's configuration, YAML")
	c.Flags().StringVar(&format, "format", "table", "table, or json: exactly one object on stdout")
	return c
}

// errToDo is the no of "keys show".
var errToDo = errors.New("something must be done; see above")

// operatorWidth lets the rows of a table for operators be as long as they are.
const operatorWidth = 1000

func printKeys(w io.Writer, rows []keyRow, format string) error {
	todo := false
	table := [][]string{{"what", "whose", "id", "state", "from", "until", "to do"}}
	for _, r := range rows {
		todo = todo || r.Do != ""
		table = append(table, []string{r.What, r.Owner, r.ID, r.State, orDash(r.From), orDash(r.Until), orDash(r.Do)})
	}
	if format == "json" {
		if err := json.NewEncoder(w).Encode(map[string]any{"keys": rows}); err != nil {
			return err
		}
	} else {
		p := &page{w: w, width: operatorWidth}
		p.columnsOfText(nil, table)
		if p.err != nil {
			return p.err
		}
	}
	if todo {
		return errToDo
	}
	return nil
}

// keyRows gathers what there is.
func keyRows(path string, now time.Time) ([]keyRow, error) {
	conf, err := config.ReadGateway(path)
	if err != nil {
		return nil, err
	}
	trust, own, err := conf.ReadTrust()
	if err != nil {
		return nil, err
	}
	pins, err := trust.Pins()
	if err != nil {
		return nil, err
	}
	rows, err := certificateRows(conf, own, now)
	if err != nil {
		return nil, err
	}
	signing, err := conf.SigningKeys(own.OIN)
	if err != nil {
		return nil, err
	}
	rows = append(rows, signingRows(own, signing, pins[own.OIN], now)...)
	logRow, err := logKeyRow(conf, own)
	if err != nil {
		return nil, err
	}
	rows = append(rows, logRow)
	for i, file := range conf.Keys.Pseudonym {
		state := "in use"
		if i > 0 {
			state = "earlier"
		}
		rows = append(rows, keyRow{What: "pseudonym", Owner: own.Code, ID: file, State: state})
	}
	for _, p := range trust.Parties {
		for _, k := range pins[p.OIN] {
			row := keyRow{What: "pinned", Owner: p.Code, ID: k.ID + " " + k.Alg, State: "in use"}
			if !k.Retired.IsZero() {
				row.Until = k.Retired.UTC().Format(time.RFC3339)
				if !now.Before(k.Retired) {
					row.State = "retired"
				}
			}
			rows = append(rows, row)
		}
		for _, i := range p.Issuers {
			rows = append(rows, keyRow{What: "issuer", Owner: p.Code, ID: i.Issuer + " " + i.Alg, State: "in use"})
		}
	}
	return rows, nil
}

func certificateRows(conf *config.Gateway, own config.Organisation, now time.Time) ([]keyRow, error) {
	holder, err := conf.Certificates(own.OIN, certificate.Rules{Offline: true})
	if err != nil {
		return []keyRow{{What: "certificate", Owner: own.Code, ID: conf.TLS.Certificate, State: "unusable", Do: err.Error()}}, nil
	}
	s := holder.State()
	rows := []keyRow{ends(keyRow{What: "certificate", Owner: own.Code, ID: s.Fingerprint, State: "in use", From: s.NotBefore.UTC().Format(time.RFC3339)}, s.Until, now)}
	for _, a := range s.Authorities {
		rows = append(rows, ends(keyRow{What: "authority", Owner: a.Name, State: "in use"}, a.NotAfter, now))
	}
	for _, l := range s.Lists {
		rows = append(rows, listRow(l, now))
	}
	return rows, nil
}

// listRow is of a revocation list. That the authority was not met yet is no fault: no chain
// of it was shown to this command.
func listRow(l certificate.List, now time.Time) keyRow {
	row := keyRow{What: "revocation list", Owner: l.Authority, ID: l.Where, State: "in use", Do: l.Problem}
	switch {
	case l.Authority == "":
		row.State = "not there"
		return row
	case now.After(l.NextUpdate):
		row.State, row.Do = "expired", cmp.Or(l.Problem, "get the next one now")
	case !l.Proven:
		row.State = "waits for its authority"
	}
	row.From, row.Until = l.ThisUpdate.UTC().Format(time.RFC3339), l.NextUpdate.UTC().Format(time.RFC3339)
	return row
}

// ends says until when, and that it is to be renewed when that is near.
func ends(r keyRow, until, now time.Time) keyRow {
	r.Until = until.UTC().Format(time.RFC3339)
	switch left := until.Sub(now); {
	case left <= 0:
		r.State, r.Do = "expired", "replace it now"
	case left < server.RenewBefore:
		r.Do = fmt.Sprintf("renew it: %d days left", int(left.Hours()/24))
	}
	return r
}

// signingRows says which key signs, and whether others can know it.
func signingRows(own config.Organisation, keys []signed.Timed, pinned []signed.Key, now time.Time) []keyRow {
	var rows []keyRow
	inUse := -1
	for i, k := range keys {
		if !now.Before(k.From) {
			inUse = i
		}
	}
	for i, k := range keys {
		row := keyRow{What: "signing", Owner: own.Code, ID: k.KeyID, State: "in use"}
		if !k.From.IsZero() {
			row.From = k.From.UTC().Format(time.RFC3339)
		}
		switch {
		case i > inUse:
			row.State = "announced"
		case i < inUse:
			row.State = "earlier"
		}
		known := false
		for _, p := range pinned {
			public, ok := p.Public.(interface{ Equal(crypto.PublicKey) bool })
			if p.ID == k.KeyID && ok && public.Equal(k.Key.Public()) {
				known = true
				if i == inUse && !p.Retired.IsZero() && !now.Before(p.Retired) {
					row.Do = "it is retired in the trust file: use another"
				}
				if i < inUse && p.Retired.IsZero() {
					row.Do = "retire it in the trust files"
				}
			}
		}
		if !known {
			row.Do = "pin its public half in the trust files, yours and others'"
		}
		rows = append(rows, row)
	}
	if inUse < 0 {
		rows = append(rows, keyRow{What: "signing", Owner: own.Code, State: "none in use", Do: "one key must have come into use"})
	}
	return rows
}

func logKeyRow(conf *config.Gateway, own config.Organisation) (keyRow, error) {
	key, err := server.LogKey(conf)
	if err != nil {
		return keyRow{}, err
	}
	row := keyRow{What: "log", Owner: own.Code, ID: fmt.Sprintf("%s+%08x", key.Verifier.Name(), key.Verifier.KeyHash()), State: "in use"}
	if pinned, err := audit.ParseKeys(own.LogKeys...); err != nil || !pinned.Hold(key) {
		row.Do = "put its public half among log_keys in the trust files, yours and others'"
	}
	return row, nil
}

func keysNewCommand() *cobra.Command {
	var kind, id, out, config, oin string
	var say reply
	c := &cobra.Command{
		Use:   "new --kind signing --id ID --out FILE",
		Short: "Make a key, and say where its two halves go",
		Long: `Make a new key in a file that only its owner can read, and print what is to be written where: first in
the trust files, yours and others' (announce), then in gateway.yaml with the time from which it signs
(use), and at last that the old one is retired (retire). A file that is there is not overwritten.`,
		Example: "  ontschot keys new --kind signing --id sign-2 --out keys/sign-2.pem\n  ontschot keys new --kind log --config gateway.yaml --out keys/log-2.key\n  ontschot keys new --kind log --oin 00000001003214345000 --out keys/log.key",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if out == "" {
				return fmt.Errorf("%w: --out is needed: the file to make", errUsage)
			}
			if oin != "" && !identity.IsOIN(identity.OIN(oin)) {
				return fmt.Errorf("%w: --oin is an OIN of twenty digits", errUsage)
			}
			secret, steps, err := newKey(kind, id, out, func() ([]byte, string, error) { return newLogKey(out, config, identity.OIN(oin)) })
			if err != nil {
				return err
			}
			f, err := os.OpenFile(out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
			if err != nil {
				return fmt.Errorf("%w: %w", errUsage, err)
			}
			if _, err := f.Write(secret); err != nil {
				return errors.Join(err, f.Close())
			}
			if err := f.Close(); err != nil {
				return err
			}
			public, err := publicHalf(kind, secret)
			if err != nil {
				return err
			}
			return say.give(c, keyAnswer{out, kind, id, public}, steps)
		},
	}
	f := c.Flags()
	f.StringVar(&kind, "kind", "signing", "signing, token, officer (a person who approves policies), log or pseudonym")
	f.StringVar(&id, "id", "", "its id in the trust files, for a signing or token key; the name of an officer")
	f.StringVar(&out, "out", "", "the file to make")
	f.StringVar(&config, "config", "gateway.yaml", "the gateway's configuration; a log key is named after its organisation")
	say.flags(c)
	f.StringVar(&oin, "oin", "", "for a first log key, where there is no gateway yet: the OIN of the organisation")
	return c
}

// publicHalf is what others may know of a key: PEM, or as a log key is written; empty of a
// pseudonym key, which has none.
func publicHalf(kind string, secret []byte) (string, error) {
	switch kind {
	case "pseudonym":
		return "", nil
	case "log":
		return audit.PublicOf(strings.TrimSpace(string(secret)))
	}
	block, _ := pem.Decode(secret)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return "", err
	}
	der, err := x509.MarshalPKIXPublicKey(key.(*ecdsa.PrivateKey).Public())
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), err
}

// newKey gives the secret half, and in words where both go.
func newKey(kind, id, out string, ofLog func() ([]byte, string, error)) (secret []byte, steps string, err error) {
	switch kind {
	case "signing", "token":
		if id == "" {
			return nil, "", fmt.Errorf("%w: --id is needed: the key's id in the trust files", errUsage)
		}
		return newSigningKey(kind, id, out)
	case "officer":
		if !approval.IsName(id) {
			return nil, "", fmt.Errorf("%w: --id is needed: the name of the person, at most 64 letters, digits and . _ - @", errUsage)
		}
		return newSigningKey(kind, id, out)
	case "log":
		return ofLog()
	case "pseudonym":
		secret = make([]byte, 32)
		rand.Read(secret)
		return secret, fmt.Sprintf("Use: put %s first among keys.pseudonym in gateway.yaml and restart. Keep the old one\nbehind it: what was registered under it is found by it.\n", out), nil
	}
	return nil, "", fmt.Errorf("%w: --kind is signing, token, officer, log or pseudonym", errUsage)
}

func newSigningKey(kind, id, out string) ([]byte, string, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, "", err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, "", err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, "", err
	}
	if kind == "officer" {
		return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), officerSteps(id, public), nil
	}
	kinds, use := "[at+jwt]", "have your token issuer sign with it"
	if kind == "signing" {
		kinds = "[ontschot-consent+jwt, ontschot-agreement+json, ontschot-statement+jwt, ontschot-result+jwt, ontschot-permit+jwt]"
		use = fmt.Sprintf("add to keys.signing in gateway.yaml, with a time when all have pinned it:\n     - {id: %s, file: %s, from: %q}", id, out, time.Now().UTC().Add(7*24*time.Hour).Format(time.RFC3339))
	}
	steps := fmt.Sprintf(`1. Announce: save this as trust/%s.pem, and have others do so, with under your keys in the trust file:
     - {id: %s, alg: ES256, kinds: %s, file: trust/%s.pem}

%s
2. Use: %s
3. Retire: once it signs, add to the old key in the trust files, with that time:
       retired: "..."
`, id, id, kinds, id, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}), use)
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), steps, nil
}

// officerSteps says where the halves of an officer's key go.
func officerSteps(name string, public []byte) string {
	return fmt.Sprintf(`1. The file that was made is yours alone: nobody else signs as %[1]s. Keep it off the gateway's machine.
2. Give this to who runs the gateway, to be saved as officers/%[1]s.pub.pem:

%[2]s
3. In gateway.yaml, with the roles that this person has (a restart):
     officers:
       - {name: %[1]s, roles: [%[3]s], key: officers/%[1]s.pub.pem}
`, name, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}), approval.PrivacyOfficer)
}

// newLogKey makes a key of the name that the log has, or, of an organisation without one, will have.
func newLogKey(out, path string, oin identity.OIN) ([]byte, string, error) {
	if oin != "" {
		secret, public, err := audit.GenerateKey(setup.LogOrigin(oin))
		return []byte(secret + "\n"), fmt.Sprintf("Put %s as keys.log into gateway.yaml, and this among your log_keys in the trust files, yours and others':\n     - %s\n", out, public), err
	}
	conf, err := config.ReadGateway(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", fmt.Errorf("%w; for a first key, before there is a gateway: --oin OIN", err)
	}
	if err != nil {
		return nil, "", err
	}
	origin := ""
	if old, err := server.LogKey(conf); err == nil {
		origin = old.Verifier.Name()
	} else if errors.Is(err, fs.ErrNotExist) { // none was made yet
		_, own, err := conf.ReadTrust()
		if err != nil {
			return nil, "", err
		}
		origin = setup.LogOrigin(own.OIN)
	} else {
		return nil, "", err
	}
	secret, public, err := audit.GenerateKey(origin)
	steps := fmt.Sprintf(`1. Announce: add to your log_keys in the trust files, yours and others':
     - %s
2. Use: set keys.log in gateway.yaml to %s and restart.
3. The old one stays among log_keys: receipts that it signed are verified by it.
`, public, out)
	return []byte(secret + "\n"), steps, err
}
