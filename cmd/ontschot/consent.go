package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/ontschot/ontschot/gateway/client"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

func consentCommand() *cobra.Command {
	return group("consent", "Ask a person for consent, take it down, narrow, renew and withdraw it",
		consentAskCommand(), consentGiveCommand(), consentListCommand(), consentReceiptCommand(), consentNarrowCommand(), consentWithdrawCommand(), consentRenewCommand(), consentConfirmCommand(), consentEraseCommand())
}

// consents is what the commands that ask a gateway have in common.
type consents struct {
	call call
	out  output
	who  who
}

// who is the person it is about: a member of a case, or of a consent question in a file. A
// BSN is never typed on a command line, where every process of the machine can read it.
type who struct{ file, name, person string }

func (w *who) flags(c *cobra.Command) {
	c.Flags().StringVar(&w.name, "case", "", caseHelp)
	c.Flags().StringVar(&w.person, "person", "", "reference of the person in the case, for example A1")
}

func (k *consents) command(c *cobra.Command, run func(ctx context.Context, cl ontschotv1.ConsentServiceClient, args []string, c *cobra.Command) error) *cobra.Command {
	k.call.flags(c)
	k.call.keyFlag(c)
	k.out.flags(c)
	if c.Args == nil {
		c.Args = noArgs
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		if err := k.out.check(); err != nil {
			return err
		}
		k.out.parties = k.call.parties()
		return k.call.do(c.Context(), func(ctx context.Context, cl *client.Client) error { return run(ctx, cl.Consents, args, c) })
	}
	return c
}

// wanted is the consent that is asked for, from flags and a case, or whole from a file.
type wanted struct {
	who         *who
	sources     []string
	from, until string
	settled     string
	kind        string
	holders     int32
	lasts       string // last day of that authority
	ofCase      bool   // the first day was taken from the case
}

// dated says of a refusal where its first day came from, and what to give instead.
func (q *wanted) dated(err error) error {
	if err == nil || !q.ofCase || fieldOf(err) != "question.from" {
		return err
	}
	return &hinted{err, "the first day is that of the case file (today in " + q.who.name + "); give another with --from " + civil.Today(time.Now()).String()}
}

func (q *wanted) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&q.who.file, "file", "", "the question as JSON (ontschot.v1.ConsentQuestion), or - for stdin; instead of the other flags")
	f.StringArrayVar(&q.sources, "source", nil, "CODE, or CODE=category,category; once for each source")
	q.dayFlags(c)
}

// dayFlags are what differs from one day to the next: from when, and who decides then.
func (q *wanted) dayFlags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&q.from, "from", "", "first day, YYYY-MM-DD; default the day of the case (today in it)")
	f.StringVar(&q.until, "until", "", "last day, YYYY-MM-DD; default twelve months")
	f.StringVar(&q.kind, "authority", "", "who decides for the person, in the register's terms; default what the case says")
	f.Int32Var(&q.holders, "holders", 0, "how many hold that authority")
	f.StringVar(&q.lasts, "authority-until", "", "the last day of that authority, YYYY-MM-DD, where one is known")
	f.StringVar(&q.settled, "settled", "", "what a human settled an unclear case on: gezagsregister, rechterlijke_uitspraak or voogdijregister")
	q.who.flags(c)
}

// read makes the question.
func (q *wanted) read(c *cobra.Command) (*ontschotv1.ConsentQuestion, error) {
	if q.who.file != "" {
		raw, err := readInput(c, q.who.file)
		if err != nil {
			return nil, err
		}
		m := &ontschotv1.ConsentQuestion{}
		if err := protojson.Unmarshal(raw, m); err != nil {
			return nil, fmt.Errorf("%w: %s: no question (ontschot.v1.ConsentQuestion)", config.ErrConfig, q.who.file)
		}
		return m, nil
	}
	cf, member, err := q.who.member()
	if err != nil {
		return nil, err
	}
	if len(q.sources) == 0 {
		return nil, fmt.Errorf("%w: --source is needed: which source may disclose something", errUsage)
	}
	m := &ontschotv1.ConsentQuestion{
		Person:  &ontschotv1.Person{Ref: string(member.Ref), Born: member.Born.String(), Identifiers: &budgetv1.Identifiers{Bsn: member.BSN}},
		Purpose: cf.Purpose, Grants: grants(q.sources), From: q.from, Until: q.until,
		Authority: authorityOf(cf, member.Ref, q.from),
	}
	if m.From == "" {
		m.From, q.ofCase = cf.Today.String(), true
	}
	if q.kind != "" {
		m.Authority = &ontschotv1.ConsentAuthority{Kind: q.kind, Holders: q.holders}
	}
	if q.lasts != "" {
		m.Authority.Until = q.lasts
	}
	m.Authority.Settled = q.settled
	return m, nil
}

// member finds the person in the case.
func (w *who) member() (*casefile.Case, casefile.Member, error) {
	if w.name == "" || w.person == "" {
		return nil, casefile.Member{}, fmt.Errorf("%w: --case and --person are needed: whose consent it is", errUsage)
	}
	cf, err := casefile.Open(w.name)
	if err != nil {
		return nil, casefile.Member{}, err
	}
	member, ok := cf.Member(identity.PersonRef(w.person))
	if !ok {
		return nil, casefile.Member{}, fmt.Errorf("%w: --person %s is no member of the case", errUsage, w.person)
	}
	return cf, member, nil
}

// authorityOf is what a case says of who decides for a person on a day.
func authorityOf(cf *casefile.Case, person identity.PersonRef, on string) *ontschotv1.ConsentAuthority {
	day, err := civil.Parse(on)
	if err != nil {
		day = cf.Today.Date
	}
	a, until := cf.AuthorityOn(person, day)
	return &ontschotv1.ConsentAuthority{Kind: a.Kind, Holders: int32(len(a.Holders)), Until: until.String()}
}

// grants reads CODE or CODE=category,category.
func grants(list []string) []*ontschotv1.ConsentGrant {
	var out []*ontschotv1.ConsentGrant
	for _, one := range list {
		code, categories, some := strings.Cut(one, "=")
		g := &ontschotv1.ConsentGrant{Source: code, Categories: []string{"*"}}
		if some {
			g.Categories = slices.DeleteFunc(strings.Split(categories, ","), func(s string) bool { return s == "" })
		}
		out = append(out, g)
	}
	return out
}

// signatures reads role:kind:loa:FILE; of the file, the assertion or the scanned page,
// only the hash is sent.
func signatures(c *cobra.Command, list []string) ([]*ontschotv1.ConsentSignature, error) {
	var out []*ontschotv1.ConsentSignature
	for _, one := range list {
		parts := strings.SplitN(one, ":", 4)
		if len(parts) != 4 {
			return nil, fmt.Errorf("%w: --signed is role:kind:loa:FILE, for example self:digid:substantieel:assertion.xml", errUsage)
		}
		raw, err := readInput(c, parts[3])
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(raw)
		out = append(out, &ontschotv1.ConsentSignature{Role: parts[0], Kind: parts[1], Loa: parts[2], Sha256: hex.EncodeToString(sum[:])})
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%w: --signed is needed, once for each who signs", errUsage)
	}
	return out, nil
}

// signing is who signs which text, and on which mandate.
type signing struct {
	notice          string
	signed          []string
	document, until string
	scope           []string
}

func (s *signing) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&s.notice, "notice", "", noticeHelp)
	f.StringArrayVar(&s.signed, "signed", nil, signedHelp)
	f.StringVar(&s.document, "mandate-document", "", "of a gemachtigde: the mandate, as FILE (the scan or the assertion, of which only the hash is sent) or as its SHA-256")
	f.StringSliceVar(&s.scope, "mandate-scope", nil, "of a gemachtigde: the purposes the mandate is for, with commas between them")
	f.StringVar(&s.until, "mandate-until", "", "of a gemachtigde: the last day of the mandate, YYYY-MM-DD; the consent may not last longer (--until)")
}

func (s signing) mandated() bool { return s.document != "" || len(s.scope) > 0 || s.until != "" }

// by is the signatures, that of the gemachtigde with their mandate.
func (s signing) by(c *cobra.Command) ([]*ontschotv1.ConsentSignature, error) {
	all, err := signatures(c, s.signed)
	if err != nil || !s.mandated() {
		return all, err
	}
	proxies := slices.DeleteFunc(slices.Clone(all), func(one *ontschotv1.ConsentSignature) bool { return one.GetRole() != ontschotv1.SignerProxy })
	if len(proxies) != 1 {
		return nil, fmt.Errorf("%w: --mandate-document, --mandate-scope and --mandate-until are of the one --signed gemachtigde:..., and here are %d", errUsage, len(proxies))
	}
	if s.document == "" || len(s.scope) == 0 || s.until == "" {
		return nil, fmt.Errorf("%w: a mandate needs all of --mandate-document, --mandate-scope and --mandate-until", errUsage)
	}
	m := &ontschotv1.ConsentMandate{DocumentSha256: s.document, Scope: s.scope, Until: s.until}
	if sum, err := hex.DecodeString(s.document); err != nil || len(sum) != sha256.Size {
		raw, err := readInput(c, s.document)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(raw)
		m.DocumentSha256 = hex.EncodeToString(sum[:])
	}
	proxies[0].Mandate = m
	return all, nil
}

const (
	signedHelp = "role:kind:loa:FILE, once for each who signs: role self, ouder_met_gezag, voogd, curator, mentor or gemachtigde (on a mandate); kind digid, eidas or paper; FILE the assertion or the scan, of which only the hash is sent"
	noticeHelp = "SHA-256 of the text that was shown, as \"consent ask\" prints it"
)

func consentAskCommand() *cobra.Command {
	var k consents
	q := wanted{who: &k.who}
	c := &cobra.Command{
		Use:   "ask --case CASE --person REF --source CODE",
		Short: "Print the text to put before a person, and who must sign",
		Long: `Print what a person is asked, in plain words: what, by whom, for what, from where and for how long; and
who must sign on that day. Nothing is written down. Show this text, and give its hash to "consent give".`,
		Example: "  ontschot consent ask --case case.json --person A3 --source UWV --source ZK5503=amount,period,entitlement",
	}
	q.flags(c)
	return k.command(c, func(ctx context.Context, cl ontschotv1.ConsentServiceClient, _ []string, c *cobra.Command) error {
		m, err := q.read(c)
		if err != nil {
			return err
		}
		answer, err := cl.AskConsent(ctx, &ontschotv1.AskConsentRequest{Question: m})
		if err != nil {
			return q.dated(err)
		}
		return k.out.printAny(c, answer, func(p *page) { p.ask(answer) })
	})
}

func consentGiveCommand() *cobra.Command {
	var k consents
	q := wanted{who: &k.who}
	var s signing
	c := &cobra.Command{
		Use:   "give --case CASE --person REF --source CODE --notice SHA256 --signed ...",
		Short: "Take down a yes and print the receipt",
		Long: `Take down the yes of a person, or of who may sign for them: the gateway signs it as its keeper, makes it
count, and gives the receipt. Ask first: the text that was shown is part of what is signed. A gemachtigde signs
on a mandate for the purpose, and the consent ends no later than that mandate.`,
		Example: "  ontschot consent give --case case.json --person A3 --source UWV --notice 9f86... --signed self:digid:substantieel:assertion.xml\n" +
			"  ontschot consent give --case case.json --person A3 --source UWV --until 2026-03-31 --notice 9f86... --signed gemachtigde:digid:substantieel:assertion.xml --mandate-document mandate.pdf --mandate-scope integral_budget.compose --mandate-until 2026-03-31",
	}
	q.flags(c)
	s.flags(c)
	return k.command(c, func(ctx context.Context, cl ontschotv1.ConsentServiceClient, _ []string, c *cobra.Command) error {
		m, err := q.read(c)
		if err != nil {
			return err
		}
		return q.dated(k.give(ctx, cl, c, m, s))
	})
}

func (k *consents) give(ctx context.Context, cl ontschotv1.ConsentServiceClient, c *cobra.Command, m *ontschotv1.ConsentQuestion, s signing) error {
	by, err := s.by(c)
	if err != nil {
		return err
	}
	answer, err := cl.GiveConsent(ctx, &ontschotv1.GiveConsentRequest{Question: m, NoticeSha256: s.notice, Signatures: by})
	if err != nil {
		k.whoSigns(ctx, cl, c, m, err)
		return err
	}
	return k.out.printAny(c, answer, func(p *page) { p.consentReceipt(answer.GetReceipt()) })
}

// whoSigns says on stderr who must sign, when somebody did who may not.
func (k *consents) whoSigns(ctx context.Context, cl ontschotv1.ConsentServiceClient, c *cobra.Command, m *ontschotv1.ConsentQuestion, refused error) {
	if reasonOf(refused) != budgetv1.ReasonWrongSigner {
		return
	}
	if answer, err := cl.AskConsent(ctx, &ontschotv1.AskConsentRequest{Question: m}); err == nil {
		if p, err := k.out.newPage(c.ErrOrStderr(), nil); err == nil {
			p.signers(answer.GetSigners())
		}
	}
}

// everyPage gets one page of a list after another, until the last.
func everyPage(get func(token string) (next string, err error)) error {
	for token := ""; ; {
		next, err := get(token)
		if err != nil || next == "" {
			return err
		}
		token = next
	}
}

func consentListCommand() *cobra.Command {
	var k consents
	c := &cobra.Command{
		Use: "list --case CASE --person REF", Short: "List the consents of one person",
		Long:    "List the consents of one person in the case of the token, those that ended too, newest first. Nobody else's are shown.",
		Example: "  ontschot consent list --case case.json --person A3",
	}
	k.who.flags(c)
	return k.command(c, func(ctx context.Context, cl ontschotv1.ConsentServiceClient, _ []string, c *cobra.Command) error {
		answer, err := k.list(ctx, cl)
		if err != nil {
			return err
		}
		return k.out.printAny(c, answer, func(p *page) { p.consents(answer.GetReceipts()) })
	})
}

// list gets all consents of the person.
func (k *consents) list(ctx context.Context, cl ontschotv1.ConsentServiceClient) (*ontschotv1.ListConsentsResponse, error) {
	cf, member, err := k.who.member()
	if err != nil {
		return nil, err
	}
	all := &ontschotv1.ListConsentsResponse{}
	return all, everyPage(func(token string) (string, error) {
		one, err := cl.ListConsents(ctx, &ontschotv1.ListConsentsRequest{Identifiers: &budgetv1.Identifiers{Bsn: member.BSN}, Purpose: cf.Purpose, PageToken: token})
		all.Receipts = append(all.Receipts, one.GetReceipts()...)
		return one.GetNextPageToken(), err
	})
}

func consentReceiptCommand() *cobra.Command {
	var k consents
	var record, document bool
	c := &cobra.Command{
		Use: "receipt ID", Short: "Print what the person takes home",
		Long: `Print the receipt of a consent: a page to read. With --record the same for machines (ISO/IEC TS 27560 as
JSON-LD, the signed document in it), with --document the signed document alone.`,
		Example: "  ontschot consent receipt ID\n  ontschot consent receipt ID --record > receipt.json",
		Args:    oneArg("its id"),
	}
	c.Flags().BoolVar(&record, "record", false, "the receipt for machines")
	c.Flags().BoolVar(&document, "document", false, "the signed document")
	return k.command(c, func(ctx context.Context, cl ontschotv1.ConsentServiceClient, args []string, c *cobra.Command) error {
		answer, err := cl.GetConsent(ctx, &ontschotv1.GetConsentRequest{Id: args[0]})
		if err != nil {
			return err
		}
		switch r := answer.GetReceipt(); {
		case record:
			_, err = fmt.Fprintln(c.OutOrStdout(), string(r.GetRecord()))
		case document:
			_, err = fmt.Fprintln(c.OutOrStdout(), string(r.GetDocument()))
		default:
			err = k.out.printAny(c, answer, func(p *page) { p.consentReceipt(r) })
		}
		return err
	})
}

func consentNarrowCommand() *cobra.Command {
	var k consents
	var without []string
	var lasts string
	c := &cobra.Command{
		Use: "narrow ID --without CODE", Short: "Take a source, or some categories, out of a consent",
		Long: `Take a source or some of its categories out of a consent. Nobody has to sign again for less. What is
taken out is not released from that moment on.

With --authority-until take in that whoever signed for the person has had no authority since that day:
nothing that rests on the consent is released from then on, until whoever has authority now signs anew.
` + idSaysEnough,
		Example: "  ontschot consent narrow ID --without UWV --without ZK5503=amount\n" +
			"  ontschot consent narrow ID --authority-until 2025-04-30",
		Args: oneArg("its id"),
	}
	k.who.flags(c)
	c.Flags().StringArrayVar(&without, "without", nil, "CODE, or CODE=category,category")
	c.Flags().StringVar(&lasts, "authority-until", "", "the last day on which the authority held that the consent rests on, YYYY-MM-DD; instead of --without")
	return k.command(c, func(ctx context.Context, cl ontschotv1.ConsentServiceClient, args []string, c *cobra.Command) error {
		person, err := k.who.optional()
		if err != nil {
			return err
		}
		answer, err := cl.NarrowConsent(ctx, &ontschotv1.NarrowConsentRequest{Id: args[0], Without: grants(without), AuthorityUntil: lasts, Identifiers: person})
		if err != nil {
			return err
		}
		return k.changed(c, answer, "De toestemming is kleiner geworden. Wat eruit is, wordt niet meer gedeeld (regel %d van het logboek).",
			"The consent has become smaller. What was taken out is not shared any more (entry %d of the log).")
	})
}

// idSaysEnough is what narrowing and withdrawing have in common.
const idSaysEnough = `
The id says enough, in the case of the token. With --case and --person it must be a consent of that person.
What is printed is the entry of the log, and the receipt as it is then.`

// optional is the person, where they are named.
func (w *who) optional() (*budgetv1.Identifiers, error) {
	if w.name == "" && w.person == "" {
		return nil, nil
	}
	_, member, err := w.member()
	return &budgetv1.Identifiers{Bsn: member.BSN}, err
}

// changed says what has become of a consent: a narrowing and a withdrawal in the same form.
func (k *consents) changed(c *cobra.Command, answer *ontschotv1.NarrowConsentResponse, nl, en string) error {
	return k.out.printAny(c, answer, func(p *page) {
		p.line(p.say(nl, en), answer.GetIndex())
		if answer.GetReceipt() != nil {
			p.consentReceipt(answer.GetReceipt())
		}
	})
}

func consentWithdrawCommand() *cobra.Command {
	var k consents
	c := &cobra.Command{
		Use: "withdraw ID", Short: "End a consent at once",
		Long: `End a consent. Nothing that rests on it is released from that moment on, also of a request that is being answered.
` + idSaysEnough + ` Who may
not read consents can end one all the same, and is given no receipt.`,
		Example: "  ontschot consent withdraw ID\n  ontschot consent withdraw ID --case case.json --person A3",
		Args:    oneArg("its id"),
	}
	k.who.flags(c)
	return k.command(c, func(ctx context.Context, cl ontschotv1.ConsentServiceClient, args []string, c *cobra.Command) error {
		if err := k.isOf(ctx, cl, args[0]); err != nil {
			return err
		}
		ended, err := cl.WithdrawConsent(ctx, &ontschotv1.WithdrawConsentRequest{Id: args[0]})
		if err != nil {
			return err
		}
		answer := &ontschotv1.NarrowConsentResponse{Index: ended.GetIndex()}
		if got, err := cl.GetConsent(ctx, &ontschotv1.GetConsentRequest{Id: args[0]}); err == nil { // reading may be refused, ending may not
			answer.Receipt = got.GetReceipt()
		}
		return k.changed(c, answer, "De toestemming is gestopt. Er wordt niets meer gedeeld dat daarop rust (regel %d van het logboek).",
			"The consent has ended. Nothing that rests on it is shared any more (entry %d of the log).")
	})
}

// isOf refuses a consent that is not of the person who is named; nobody need be.
func (k *consents) isOf(ctx context.Context, cl ontschotv1.ConsentServiceClient, id string) error {
	if k.who.name == "" && k.who.person == "" {
		return nil
	}
	all, err := k.list(ctx, cl)
	if err != nil {
		return &hinted{err, "whose consent it is cannot be looked up; without --case and --person the id is enough"}
	}
	if !slices.ContainsFunc(all.GetReceipts(), func(r *ontschotv1.ConsentReceipt) bool { return r.GetId() == id }) {
		return fmt.Errorf("%w: this is no consent of --person %s in the case of the token; \"ontschot consent list\" says which are", errUsage, k.who.person)
	}
	return nil
}

func consentConfirmCommand() *cobra.Command {
	var k consents
	c := &cobra.Command{
		Use: "confirm ID --case CASE --person REF", Short: "Say after a loss that a consent still holds",
		Long: `Say that a consent still holds, which waits since the audit log was taken on from one that lacked entries
("ontschot audit recover"). A withdrawal may be among what is lacking: ask the person first. A consent that
does not hold any more is withdrawn.`,
		Example: "  ontschot consent confirm ID --case case.json --person A3",
		Args:    oneArg("its id"),
	}
	k.who.flags(c)
	return k.command(c, func(ctx context.Context, cl ontschotv1.ConsentServiceClient, args []string, c *cobra.Command) error {
		_, member, err := k.who.member()
		if err != nil {
			return err
		}
		answer, err := cl.ConfirmConsent(ctx, &ontschotv1.ConfirmConsentRequest{Id: args[0], Identifiers: &budgetv1.Identifiers{Bsn: member.BSN}})
		if err != nil {
			return err
		}
		return k.out.printAny(c, answer, func(p *page) { p.consentReceipt(answer.GetReceipt()) })
	})
}

func consentEraseCommand() *cobra.Command {
	var k consents
	c := &cobra.Command{
		Use: "erase --case CASE --person REF --second-token FILE", Short: "Erase all that is stored of a person's consents",
		Long: `Erase all that is stored of a person's consents, for every purpose and in every case (GDPR art. 17): each
ends, and what the audit log holds of them that concerns the person is destroyed. It cannot be undone. What
others received, receipts they hold, and copies of the log made before are not reached: docs/operating.md.
Two case workers do it together.`,
		Example: "  ontschot consent erase --case case.json --person A3 --second-token colleague.jwt",
	}
	k.who.flags(c)
	return k.command(c, func(ctx context.Context, cl ontschotv1.ConsentServiceClient, _ []string, c *cobra.Command) error {
		_, member, err := k.who.member()
		if err != nil {
			return err
		}
		answer, err := cl.EraseConsents(ctx, &ontschotv1.EraseConsentsRequest{Identifiers: &budgetv1.Identifiers{Bsn: member.BSN}})
		if err != nil {
			return err
		}
		return k.out.printAny(c, answer, func(p *page) {
			p.line(p.say("Gewist. Aantal toestemmingen: %d. Aantal regels van het logboek waarin iets over deze persoon stond: %d (zie regel %d). Kopieën van vóór nu bevatten het nog.",
				"Erased. Consents: %d. Entries of the log that held something of this person: %d (see entry %d). Copies made before still hold it."), answer.GetConsents(), answer.GetEntries(), answer.GetIndex())
		})
	})
}

func consentRenewCommand() *cobra.Command {
	var k consents
	var s signing
	q := wanted{who: &k.who, sources: []string{""}} // those of the old one are put in its place
	c := &cobra.Command{
		Use: "renew ID --case CASE --person REF [--notice SHA256 --signed ...]", Short: "Ask again for the same, and take it down",
		Long: `Ask a person again for what a consent allows, for another period, and take it down in its place. Without
--signed it prints the text to show and who must sign, as "consent ask" does.`,
		Example: "  ontschot consent renew ID --case case.json --person A3\n  ontschot consent renew ID --case case.json --person A3 --notice 9f86... --signed self:digid:substantieel:assertion.xml",
		Args:    oneArg("its id"),
	}
	q.dayFlags(c)
	s.flags(c)
	return k.command(c, func(ctx context.Context, cl ontschotv1.ConsentServiceClient, args []string, c *cobra.Command) error {
		old, err := cl.GetConsent(ctx, &ontschotv1.GetConsentRequest{Id: args[0]})
		if err != nil {
			return err
		}
		m, err := q.read(c)
		if err != nil {
			return err
		}
		m.Grants, m.Replaces = old.GetReceipt().GetGrants(), args[0]
		if len(s.signed) > 0 || s.mandated() {
			return q.dated(k.give(ctx, cl, c, m, s))
		}
		answer, err := cl.AskConsent(ctx, &ontschotv1.AskConsentRequest{Question: m})
		if err != nil {
			return q.dated(err)
		}
		return k.out.printAny(c, answer, func(p *page) { p.ask(answer) })
	})
}

// ask shows what is put before a person.
func (p *page) ask(a *ontschotv1.AskConsentResponse) {
	p.line("%s", p.say(a.GetNotice().GetTextNl(), a.GetNotice().GetTextEn()))
	p.text(0, p.say("SHA-256 van deze tekst: ", "SHA-256 of this text: ")+p.say(a.GetNotice().GetSha256Nl(), a.GetNotice().GetSha256En()))
	p.signers(a.GetSigners())
}

func (p *page) signers(list []*ontschotv1.ConsentSigner) {
	for _, s := range list {
		p.text(0, fmt.Sprintf("%s: %d x %s", p.say("Handtekening nodig", "Signature needed"), s.GetCount(), strings.Join(p.roles(s.GetRoles()), p.say(" of ", " or "))))
	}
	if slices.ContainsFunc(list, func(s *ontschotv1.ConsentSigner) bool { return slices.Contains(s.GetRoles(), ontschotv1.SignerProxy) }) {
		p.text(0, p.say("Een gemachtigde tekent alleen op een machtiging voor dit doel. Die loopt tot en met de laatste dag van de toestemming.",
			"An authorised person signs on a mandate only, for this purpose and until the last day of the consent."))
	}
}

// roles names who signs.
func (p *page) roles(codes []string) []string {
	var names []string
	for _, code := range codes {
		names = append(names, p.coded(p.label("signers", code), code))
	}
	return names
}

// counted names who signed, each role once with how many did.
func (p *page) counted(codes []string) string {
	var all []string
	for _, code := range slices.Compact(slices.Sorted(slices.Values(codes))) {
		name := p.roles([]string{code})[0]
		if n := len(codes) - len(slices.DeleteFunc(slices.Clone(codes), func(c string) bool { return c == code })); n > 1 {
			name += fmt.Sprintf(" (%d)", n)
		}
		all = append(all, name)
	}
	return strings.Join(all, ", ")
}

func (p *page) consentReceipt(r *ontschotv1.ConsentReceipt) {
	p.line("%s", p.say(r.GetTextNl(), r.GetTextEn()))
	p.line("%s: %s", p.say("Stand", "State"), p.statusOf(r.GetStatus()))
}

func (p *page) consents(list []*ontschotv1.ConsentReceipt) {
	if len(list) == 0 {
		p.line("%s", p.say("Er zijn geen toestemmingen van deze persoon in deze zaak.", "There are no consents of this person in this case."))
		return
	}
	header := []string{"id", p.say("stand", "state"), p.say("van", "from"), p.say("tot en met", "until"), p.say("bronnen", "sources"), p.say("gegeven door", "given by")}
	var rows [][]string
	for _, r := range list {
		var sources []string
		for _, g := range r.GetGrants() {
			if len(g.GetCategories()) > 0 {
				sources = append(sources, p.party(g.GetSource()))
			}
		}
		rows = append(rows, []string{r.GetId(), p.statusOf(r.GetStatus()), p.date(r.GetFrom()), p.date(r.GetUntil()), strings.Join(sources, ", "), p.counted(r.GetGivenBy())})
	}
	p.columnsOfText(header, rows)
}
