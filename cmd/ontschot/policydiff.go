package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/gateway/policy/impact"
	"github.com/ontschot/ontschot/gateway/wording"
)

// errRefused marks an answer that is no, and that has been printed.
var errRefused = errors.New("the revision cannot be used as it is; what is wrong stands above")

// errCertificate means that a certificate is not what a comparison comes to.
var errCertificate = errors.New("the certificate is not what these revisions come to")

// builtIn is how the policies that are built in are named where a folder can be.
const builtIn = "builtin"

// differ is how a comparison is asked for.
type differ struct {
	lang, format, out, verify string
	exitCode                  bool
}

func policyDiffCommand() *cobra.Command {
	var d differ
	c := &cobra.Command{
		Use:   "diff A B",
		Short: "Say exactly which answers change between two sets of policies, out of everything that can be asked",
		Long: `Compare two folders of policies over everything that can be asked: purpose, source, law, category,
role, level, legal basis, agreement, consent, mandate, overlays and days, and the doors. Every combination is
counted; the ones that change are named, in groups. "builtin" is the set that is built in.

What must always hold is tried for B: nothing passes on a consent or an agreement that does not count, overlays
only take away, each cell lets somebody through, and what has no cell lets nobody through.

The certificate (--out, or --format json) holds all of it, and a second run gives the same bytes. --verify holds
a certificate against a new comparison.

Exit code 0 also when there are changes (--exit-code: 1), 1 when something that must hold does not, 2 wrong
usage, 4 when a certificate is not right, 5 when a folder cannot be used or compared.`,
		Example: "  ontschot policy diff builtin policies\n  ontschot policy diff old new --out diff.json\n  ontschot policy diff --verify diff.json old new",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 2 {
				return fmt.Errorf(`%w: two folders of policies, or "builtin": ontschot policy diff A B`, errUsage)
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if d.format != "table" && d.format != "json" || d.lang != "nl" && d.lang != "en" {
				return fmt.Errorf("%w: --format is table or json, --lang is nl or en", errUsage)
			}
			return d.run(c.Context(), c.OutOrStdout(), c.ErrOrStderr(), args)
		},
	}
	f := c.Flags()
	f.StringVar(&d.out, "out", "", "write the certificate to this file")
	f.StringVar(&d.verify, "verify", "", "hold this certificate against a new comparison")
	f.BoolVar(&d.exitCode, "exit-code", false, "exit code 1 when anything changes")
	f.StringVar(&d.lang, "lang", language(), "language of the texts: nl or en; default by LANG, and nl")
	f.StringVar(&d.format, "format", "table", "table, or json: exactly one object on stdout")
	return c
}

// openRevision opens a folder of policies, or what is built in.
func openRevision(name string) (fs.FS, error) {
	if name == builtIn {
		return openPolicies("")
	}
	return openPolicies(name)
}

func (d *differ) run(ctx context.Context, out, errs io.Writer, args []string) error {
	var cores [2]*policy.Core
	var texts *wording.Texts
	for i, name := range args {
		folder, err := openRevision(name)
		if err != nil {
			return err
		}
		if cores[i], err = policy.ReadCore(ctx, folder); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if texts, err = wording.ReadTexts(folder); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	c, err := impact.Compare(ctx, cores[0], cores[1], impact.Options{Progress: d.progress(errs)})
	if err != nil {
		return err
	}
	raw, err := c.JSON()
	if err != nil {
		return err
	}
	if d.out != "" {
		if err := os.WriteFile(d.out, raw, 0o644); err != nil { //nolint:gosec // it is there to be handed on
			return fmt.Errorf("--out: %w", err)
		}
	}
	if d.format == "json" {
		if _, err := out.Write(raw); err != nil {
			return err
		}
	} else if err := (&diffPage{page: page{w: out, texts: texts, lang: d.lang, width: operatorWidth}, c: c}).print(); err != nil {
		return err
	}
	return d.verdict(c, raw)
}

// verdict is what the exit code says.
func (d *differ) verdict(c *impact.Certificate, raw []byte) error {
	if d.verify != "" {
		known, err := os.ReadFile(d.verify)
		if err != nil {
			return fmt.Errorf("--verify: %w", err)
		}
		if !bytes.Equal(known, raw) {
			return fmt.Errorf("%w: %s; compare again with --out, and find out who changed the file", errCertificate, d.verify)
		}
	}
	if !c.Holds() || d.exitCode && c.Changed > 0 {
		return errRefused
	}
	return nil
}

// progress says on a terminal what is being done, once it takes more than a second.
func (d *differ) progress(errs io.Writer) func(string) {
	began, shown := time.Now(), terminal(unshared(errs)) > 0
	words := map[string][2]string{
		"requests": {"vragen om gegevens", "requests for data"}, "doors": {"deuren", "doors"}, "changes": {"wat er verandert", "what changes"},
		"invariants": {"wat altijd waar moet zijn", "what must always hold"}, "check": {"narekenen met beide sets", "checking with both sets"},
	}
	return func(step string) {
		if shown && time.Since(began) > time.Second {
			said := words[step]
			fmt.Fprintln(errs, "... "+(&page{lang: d.lang}).say(said[0], said[1]))
		}
	}
}

// unshared is the writer behind the one that lets several write a line at a time.
func unshared(w io.Writer) io.Writer {
	if s, ok := w.(*shared); ok {
		return s.w
	}
	return w
}

// diffPage prints a certificate for an officer.
type diffPage struct {
	page
	c *impact.Certificate
}

// mostGroups is how many groups of a kind are printed; the certificate holds all.
const mostGroups = 25

func (p *diffPage) print() error {
	p.text(0, fmt.Sprintf("%s %.12s → %.12s", p.say("Vergelijking van twee sets regels:", "Two sets of rules compared:"), p.c.Parent, p.c.Revision))
	p.text(0, fmt.Sprintf(p.say("Alles wat gevraagd kan worden: %s combinaties. Er veranderen er %s.", "Everything that can be asked: %s combinations. %s of them change."),
		p.number(p.c.Combinations), p.number(p.c.Changed)))
	for _, kind := range impact.Kinds() {
		if p.c.Kinds[kind] > 0 {
			p.kind(kind)
		}
	}
	p.line("")
	p.text(0, p.say("Wat altijd waar moet zijn, in de nieuwe set:", "What must always hold, in the new set:"))
	for _, i := range p.c.Invariants {
		state := p.say("goed", "good")
		if !i.Holds {
			state = p.say("FOUT", "FAULT")
		}
		p.text(2, state+"  "+p.words(invariantWords(), i.Name))
		for _, b := range i.Broken {
			p.text(4, b.What)
		}
	}
	return p.err
}

// number writes a number with the thousands apart.
func (p *diffPage) number(n uint64) string {
	text, mark := strconv.FormatUint(n, 10), p.say(".", ",")
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + mark + text[at:]
	}
	return text
}

func (p *diffPage) words(table map[string][2]string, name string) string {
	said, ok := table[name]
	if !ok {
		return name
	}
	return p.say(said[0], said[1])
}

func (p *diffPage) kind(kind string) {
	p.line("")
	p.text(0, fmt.Sprintf("%s: %s", p.words(kindWords(), kind), p.combinations(p.c.Kinds[kind])))
	printed, left := 0, uint64(0)
	for _, g := range p.c.Groups {
		if g.Kind != kind {
			continue
		}
		if printed++; printed > mostGroups {
			left += g.Combinations
			continue
		}
		p.group(g)
	}
	if left > 0 {
		p.text(2, fmt.Sprintf(p.say("En nog %d groepen, samen %s; zie het certificaat.", "And %d more groups, together %s; see the certificate."), printed-mostGroups, p.combinations(left)))
	}
}

func (p *diffPage) combinations(n uint64) string {
	if n == 1 {
		return p.say("1 combinatie", "1 combination")
	}
	return p.number(n) + p.say(" combinaties", " combinations")
}

func (p *diffPage) group(g impact.Group) {
	for i, where := range g.Where {
		ending := "."
		if i == len(g.Where)-1 {
			ending = ". " + p.combinations(g.Combinations) + "."
		}
		p.text(2, p.about(where)+": "+p.how(g)+ending)
	}
	var said []string
	for _, name := range dimensionOrder() {
		if values, ok := g.For[name]; ok && g.Kind != impact.ReasonsOnly {
			said = append(said, p.words(dimensionWords(), name)+": "+p.list(name, values)+".")
		}
	}
	if len(said) > 0 {
		p.text(4, strings.Join(said, " "))
	}
}

// about says what combinations are about: source, law, category and purpose, or a door.
func (p *diffPage) about(where impact.Part) string {
	if operations, ok := where["operation"]; ok {
		return p.list("operation", operations)
	}
	var said []string
	for _, name := range []string{"source_kind", "law", "category", "purpose"} {
		values, ok := where[name]
		text := p.list(name, values)
		if !ok {
			text = p.words(dimensionWords(), "any_"+name)
		}
		said = append(said, text)
	}
	return fmt.Sprintf("%s, %s: %s (%s)", capital(said[0]), said[1], said[2], said[3])
}

// capital begins with a capital.
func capital(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// how says what becomes of them.
func (p *diffPage) how(g impact.Group) string {
	said := []string{p.words(howWords(), g.Kind)}
	if g.Domain == "doors" {
		said[0] = p.words(howWords(), "doors_"+g.Kind)
	}
	if len(g.Mask) == 2 {
		said = append(said, fmt.Sprintf(p.say("masker %s, was %s", "mask %s, was %s"), g.Mask[1], g.Mask[0]))
	}
	if len(g.Days) == 2 {
		said = append(said, fmt.Sprintf(p.say("%d dagen bewaren, was %d", "retained for %d days, was %d"), g.Days[1], g.Days[0]))
	}
	for _, codes := range []struct {
		of   []string
		what string
	}{
		{g.ReasonsNew, p.say("nieuwe reden", "new reason")}, {g.ReasonsGone, p.say("reden vervalt", "reason gone")},
		{g.ChecksNew, p.say("nieuwe controle", "new check")}, {g.ChecksGone, p.say("controle vervalt", "check gone")},
		{g.NotifyNew, p.say("bericht ook aan", "also told")}, {g.NotifyGone, p.say("geen bericht meer aan", "no longer told")},
	} {
		if len(codes.of) > 0 {
			said = append(said, codes.what+" "+strings.Join(codes.of, " "))
		}
	}
	if len(g.Dropped) == 2 && g.Kind == impact.ReasonsOnly {
		said = append(said, fmt.Sprintf("%s %s → %s", p.say("gegeven:", "category:"), orDash(g.Dropped[0]), orDash(g.Dropped[1])))
	}
	return strings.Join(said, "; ")
}

// list names values in words.
func (p *diffPage) list(dimension string, values []string) string {
	catalog := map[string]string{
		"purpose": "purposes", "source_kind": "source_kinds", "law": "laws", "category": "categories", "role": "roles", "second_role": "roles",
		"assurance": "assurance", "second_assurance": "assurance", "legal_basis": "legal_bases", "consent_signer": "signers", "operation": "operations",
	}[dimension]
	var said []string
	for _, v := range values {
		text := p.words(valueWords(), v)
		if catalog != "" && text == v {
			text = p.texts.Label(catalog, v, p.lang)
		}
		if !slices.Contains(said, text) && v != "-" {
			said = append(said, text)
		}
	}
	if len(said) < 2 {
		return strings.Join(said, "")
	}
	return strings.Join(said[:len(said)-1], ", ") + p.say(" of ", " or ") + said[len(said)-1]
}

func invariantWords() map[string][2]string {
	return map[string][2]string{
		impact.ConsentCounts:   {"Waar toestemming nodig is, gaat niets door zonder toestemming die telt.", "Where a consent is needed, nothing passes without one that counts."},
		impact.AgreementCounts: {"Tussen twee organisaties gaat niets door zonder overeenkomst die telt.", "Between two organisations nothing passes without an agreement that counts."},
		impact.OverlaysNarrow:  {"Wat een organisatie zelf weglaat, geeft nooit meer.", "What an organisation leaves out itself never gives more."},
		impact.CellsReachable:  {"Elk gegeven van elk vak kan bij iemand komen. Elke deur gaat voor iemand open.", "Each category of each cell can reach somebody, and each door opens for somebody."},
		impact.NothingBeside:   {"Wat in geen vak staat, gaat voor niemand door.", "What is in no cell passes nobody."},
		impact.CategoriesApart: {"Over elk gegeven wordt apart beslist (steekproef).", "Each category is decided for itself (by sample)."},
		impact.DoorsClosed:     {"Een deur zonder vak gaat voor niemand open.", "A door without a cell opens for nobody."},
	}
}

func kindWords() map[string][2]string {
	return map[string][2]string{
		impact.NewlyAllowed: {"Mag nu wel", "Newly allowed"}, impact.MoreFields: {"Gegevens die erbij komen", "More categories"},
		impact.MasksLooser: {"Minder streng gemaskeerd", "Masks looser"}, impact.NewlyDenied: {"Mag niet meer", "Newly denied"},
		impact.FewerFields: {"Gegevens die wegvallen", "Fewer categories"}, impact.MasksStricter: {"Strenger gemaskeerd", "Masks stricter"},
		impact.Obligations: {"Bewaren en bericht", "Retention and notices"}, impact.ReasonsOnly: {"Zelfde antwoord, andere reden", "Same answer, other reasons"},
	}
}

func howWords() map[string][2]string {
	return map[string][2]string{
		impact.NewlyAllowed: {"mag nu wel", "now passes"}, impact.MoreFields: {"mag nu ook", "now passes too"},
		impact.MasksLooser: {"wordt minder streng gemaskeerd", "is masked less strictly"}, impact.NewlyDenied: {"mag niet meer", "no longer passes"},
		impact.FewerFields: {"mag niet meer", "no longer passes"}, impact.MasksStricter: {"wordt strenger gemaskeerd", "is masked more strictly"},
		impact.Obligations: {"zelfde gegevens, andere plichten", "same data, other obligations"}, impact.ReasonsOnly: {"het antwoord blijft", "the answer stays"},
		"doors_" + impact.NewlyAllowed: {"gaat nu open", "now opens"}, "doors_" + impact.NewlyDenied: {"gaat niet meer open", "no longer opens"},
		"doors_" + impact.ReasonsOnly: {"het antwoord blijft", "the answer stays"},
	}
}

// dimensionOrder is the order in which conditions are read.
func dimensionOrder() []string {
	return []string{"role", "assurance", "second", "second_role", "second_assurance", "org_type", "legal_basis", "overlay", "overlay_of_asker", "overlay_of_source", "date",
		"agreement", "agreement_proof", "agreement_days", "agreement_terms", "agreement_fields",
		"consent", "consent_proof", "consent_status", "consent_signer", "mandate_scope", "mandate_days", "consent_subject", "consent_purpose", "consent_source", "consent_days"}
}

func dimensionWords() map[string][2]string {
	return map[string][2]string{
		"role": {"Voor", "For"}, "assurance": {"Zekerheid", "Assurance"}, "org_type": {"Soort vrager", "Kind of asker"}, "legal_basis": {"Grond", "Legal basis"},
		"second": {"Tweede medewerker", "Second worker"}, "second_role": {"Rol van de tweede", "Role of the second"}, "second_assurance": {"Zekerheid van de tweede", "Assurance of the second"},
		"overlay": {"Eigen regels van", "Overlay of"}, "overlay_of_asker": {"Eigen regels van de vrager", "Overlay of who asks"}, "overlay_of_source": {"Eigen regels van de bron", "Overlay of the source"}, "date": {"Dag", "Day"},
		"agreement": {"Overeenkomst", "Agreement"}, "agreement_proof": {"Bewijs van de overeenkomst", "Proof of the agreement"}, "agreement_days": {"Dagen van de overeenkomst", "Days of the agreement"},
		"agreement_terms": {"Partijen en doel van de overeenkomst", "Parties and purpose of the agreement"}, "agreement_fields": {"Gegeven in de overeenkomst", "Category in the agreement"},
		"consent": {"Toestemming", "Consent"}, "consent_proof": {"Bewijs van de toestemming", "Proof of the consent"}, "consent_status": {"Staat van de toestemming", "Status of the consent"},
		"consent_signer": {"Getekend door", "Signed by"}, "mandate_scope": {"Doel van de machtiging", "Purpose of the mandate"}, "mandate_days": {"Dagen van de machtiging", "Days of the mandate"},
		"consent_subject": {"Persoon van de toestemming", "Person of the consent"}, "consent_purpose": {"Doel van de toestemming", "Purpose of the consent"},
		"consent_source": {"Bron van de toestemming", "Source of the consent"}, "consent_days": {"Dagen van de toestemming", "Days of the consent"},
		"any_source_kind": {"elke bron", "any source"}, "any_law": {"elke wet", "any law"}, "any_category": {"elk gegeven", "any category"}, "any_purpose": {"elk doel", "any purpose"},
	}
}

func valueWords() map[string][2]string {
	return map[string][2]string{
		"unknown": {"onbekend", "unknown"}, "unknown.purpose": {"een onbekend doel", "an unknown purpose"}, "unknown.operation": {"een onbekende deur", "an unknown door"}, "none": {"geen", "none"},
		"missing": {"er is geen", "there is none"}, "present": {"die is er", "there is one"}, "own_source": {"eigen bron, niet nodig", "own source, not needed"}, "with_mandate": {"met machtiging", "with a mandate"},
		"right": {"klopt", "right"}, "other": {"een andere", "another"}, "not_yet": {"nog niet begonnen", "not yet begun"}, "first_day": {"eerste dag", "first day"}, "within": {"ertussenin", "within"},
		"last_day": {"laatste dag", "last day"}, "over": {"voorbij", "over"}, "runs": {"loopt", "runs"}, "named": {"genoemd", "named"}, "not_named": {"niet genoemd", "not named"},
		"no_id": {"zonder nummer", "without an id"}, "no_digest": {"zonder zegel", "without a digest"}, "other_requester": {"andere vrager", "another requester"}, "other_source": {"andere bron", "another source"},
		"other_purpose": {"ander doel", "another purpose"}, "active": {"actief", "active"}, "withdrawn": {"ingetrokken", "withdrawn"}, "wrong_signer": {"verkeerd getekend", "wrongly signed"},
		"authority_unclear": {"gezag onduidelijk", "authority unclear"}, "expired": {"verlopen", "expired"}, "replaced": {"vervangen", "replaced"}, "uncertain": {"onzeker", "uncertain"},
	}
}
