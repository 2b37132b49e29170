package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/gateway/wording"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// contractExplain is the version of the contract in which policy explain answers.
const contractExplain = "ontschot.policy-explain/1"

// Who asks and who tells, where no organisation is named. Both are made up.
const (
	someRequester = "00000099000000119000"
	someSource    = "00000099000005503000"
)

// errNoAnswer means that the answer to a what-if is no.
var errNoAnswer = errors.New("the answer is no")

// explainTimeout bounds one judgement: nobody waits for it but who asked.
const explainTimeout = 10 * time.Second

// whatIf is a question that nobody asks about nobody.
type whatIf struct {
	officer
	source, purpose, basis  string
	laws                    []string // a law, and NAME=on|off for each statute that is switched
	fields, without         []string
	role, assurance, signer string
	requester, date         string
	law                     string
	statutes                map[string]bool
	config, caseName        string
	entry                   int64             // of the log; below zero: none
	asOf                    bool              // a day was named
	parties                 map[string]string // names by OIN
}

func policyExplainCommand() *cobra.Command {
	var q whatIf
	c := &cobra.Command{
		Use:   "explain [--source KIND --law LAW | --entry N | --case CASE] [--law NAME=on|off]",
		Short: "Say what the policies would answer, and why",
		Long: `Say what the policies would answer to a question, and why: each check that passes or not, with its article, each kind
of data, and what then has to be done. Nobody asks it and it is about nobody. What is not named is in order: a case
worker of a municipality asks, there is an agreement, and a consent of the person.

--entry N explains a decision of a gateway's audit log instead, by the rules of that time: the whole log is verified
first, and those rules must decide again what it says. Reads only; the gateway may be running. Persons are numbers.

--law NAME=on|off has a statute of catalog/statutes count or not, as if the table said so: what then changes is told,
of the question, and of every cell of the matrix and of money that is put together. Give --as-of DATE with it. With
--entry it is told of that decision. With --case a case is played twice, without the switch and with it, and it is told
which lines of the budget and how much money that is, for whom.

Exit code 1 when the answer to a question is no, or an entry cannot be explained.`,
		Example: "  ontschot policy explain --source careoffice --law wlz --fields amount,product --role consulent\n" +
			"  ontschot policy explain --source uwv --law wia --without consent --lang en\n" +
			"  ontschot policy explain --as-of 2026-07-01 --law wams=on\n" +
			"  ontschot policy explain --config gateway.yaml --entry 14\n" +
			"  ontschot policy explain --case meppel --law wams=on",
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			fsys, err := q.open("table", "json")
			if err != nil {
				return q.unusable(err)
			}
			return q.explainOne(c, fsys)
		},
	}
	q.flags(c, "table, or json: exactly one object on stdout")
	f := c.Flags()
	f.StringVar(&q.source, "source", "", "kind of source: municipality, careoffice, uwv ...")
	f.StringArrayVar(&q.laws, "law", nil, "the law (wmo, wlz ...); or NAME=on|off, a statute that is switched; may be repeated")
	f.StringArrayVar(&q.laws, "law-switch", nil, "NAME=on|off, as --law NAME=on|off")
	f.StringVar(&q.purpose, "purpose", ontschotv1.PurposeComposeBudget, "what it is for")
	f.StringVar(&q.basis, "basis", "avg-6-1-e", "the legal basis that the question rests on")
	f.StringSliceVar(&q.fields, "fields", nil, "kinds of data, by commas; without it all of the cell")
	f.StringVar(&q.role, "role", "consulent", "role of who asks")
	f.StringVar(&q.assurance, "assurance", ontschotv1.AssuranceSubstantial, "how surely it is known who asks: laag, substantieel, hoog")
	f.StringVar(&q.signer, "signer", ontschotv1.SignerSelf, "who signed the consent")
	f.StringArrayVar(&q.without, "without", nil, "what there is not: consent or agreement; may be repeated")
	f.StringVar(&q.requester, "requester", someRequester, "OIN of the organisation that asks: its overlay counts")
	f.StringVar(&q.date, "date", "", "the day of the question, YYYY-MM-DD; without it today")
	f.StringVar(&q.date, "as-of", "", "as --date")
	f.Int64Var(&q.entry, "entry", -1, "explain this entry of the audit log")
	f.StringVar(&q.config, "config", "gateway.yaml", "with --entry: the gateway's configuration, YAML")
	f.StringVar(&q.caseName, "case", "", "with --law NAME=on|off: "+caseHelp)
	return c
}

// explainOne explains an entry, a case or a question.
func (q *whatIf) explainOne(c *cobra.Command, fsys fs.FS) error {
	q.asOf = q.date != ""
	if err := cmp.Or(q.parse(), q.oneThing(c.Flags().Changed)); err != nil {
		return err
	}
	switch {
	case q.entry >= 0:
		return q.explainEntry(c)
	case q.caseName != "":
		return q.explainCase(c, fsys)
	}
	return q.run(c.Context(), fsys, c.OutOrStdout())
}

// oneThing refuses what does not go together: a question, an entry, a case.
func (q *whatIf) oneThing(named func(flag string) bool) error {
	about := []string{"source", "fields", "role", "assurance", "signer", "without", "requester"}
	switch {
	case q.entry < 0 && q.caseName == "":
		return nil
	case named("entry") && q.caseName != "":
		return q.usage("--entry en --case: één van de twee", "--entry and --case: one of them")
	case named("purpose") || q.entry >= 0 && named("basis") || slices.ContainsFunc(about, named):
		return q.usage("een regel van het logboek en een casus zeggen zelf wie wat vraagt. Daar gaat alleen --law NAAM=on|off bij, --as-of DATUM, en bij een casus --basis", "an entry and a case say themselves who asks what: of a question only --law NAME=on|off goes with them, --as-of DATE, and --basis with a case")
	case len(q.statutes) == 0 && (q.caseName != "" || q.asOf):
		return q.usage("noem de wet die aan of uit gaat, --law NAAM=on of NAAM=off", "name the statute that is switched, --law NAME=on or NAME=off")
	}
	return nil
}

// usage says what was typed wrong.
func (q *whatIf) usage(nl, en string, args ...any) error {
	return &toldError{q.say("verkeerd gebruik: ", errUsage.Error()+": ") + fmt.Sprintf(q.say(nl, en), args...), errUsage}
}

// unusable words why a folder of policies cannot be used.
func (q *whatIf) unusable(err error) error {
	switch {
	case errors.As(err, new(policy.Problems)) || q.lang == wording.English || !errors.Is(err, policy.ErrRules) && !errors.Is(err, wording.ErrTable):
		return q.told(err)
	case errors.Is(err, fs.ErrNotExist):
		return &toldError{fmt.Sprintf("deze regels kunnen niet worden gebruikt: %s is er niet. Schrijf een eerste map met: ontschot policy init --dir MAP", q.dir), err}
	}
	return &toldError{"deze regels kunnen niet worden gebruikt. Wat er mis is: " + err.Error(), err}
}

// parse reads the flags that are more than a word.
func (q *whatIf) parse() error {
	q.statutes = map[string]bool{}
	for _, value := range q.laws {
		name, state, isSwitch := strings.Cut(value, "=")
		switch {
		case isSwitch && (state == "on" || state == "off"):
			q.statutes[name] = state == "on"
		case isSwitch:
			return q.usage("--law %s: een wet gaat aan of uit, NAAM=on of NAAM=off", "--law %s: a statute is switched on or off, NAME=on or NAME=off", value)
		case q.law != "":
			return q.usage("--law: één wet per keer; genoemd zijn %s en %s", "--law: one law at a time; %s and %s were named", q.law, value)
		default:
			q.law = policy.LawKey(value)
		}
	}
	q.source = policy.KindKey(q.source)
	if (q.source == "") != (q.law == "") {
		return q.usage("--source en --law horen bij elkaar: een vak van de matrix is beide", "--source and --law go together: a cell of the matrix is both")
	}
	if q.source == "" && len(q.statutes) == 0 && q.entry < 0 && q.caseName == "" {
		return q.usage("noem een vraag, --source SOORT --law WET, een regel van het logboek, --entry N, of een wet die aan of uit gaat, --law NAAM=on", "name a question, --source KIND --law LAW, an entry of the log, --entry N, or a statute that is switched, --law NAME=on")
	}
	for _, one := range q.without {
		if one != "consent" && one != "agreement" {
			return q.usage("--without is consent (toestemming) of agreement (overeenkomst)", "--without is consent or agreement")
		}
	}
	if q.date == "" {
		q.date = civil.Today(time.Now()).String()
	}
	if _, err := civil.Parse(q.date); err != nil {
		return q.usage("--date, --as-of: geen datum; schrijf JJJJ-MM-DD", "--date, --as-of: no civil date; write YYYY-MM-DD")
	}
	if !identity.IsOIN(identity.OIN(q.requester)) {
		return q.usage("--requester is een OIN, twintig cijfers", "--requester is an OIN, twenty digits")
	}
	return nil
}

// known refuses a word that no table has: an answer to a slip of the pen would mislead.
func (q *whatIf) known(e *policy.Engine) error {
	type word struct{ flag, value, list string }
	words := []word{{"purpose", q.purpose, "purposes"}, {"basis", q.basis, "legal_bases"}, {"role", q.role, "roles"}, {"assurance", q.assurance, "assurance"}, {"signer", q.signer, "signers"}}
	if q.source != "" {
		words = append(words, word{"source", q.source, "source_kinds"}, word{"law", q.law, "laws"})
	}
	for _, field := range q.fields {
		words = append(words, word{"fields", field, "categories"})
	}
	for name := range q.statutes {
		words = append(words, word{"law", name, "statutes"})
	}
	for _, w := range words {
		if list := e.Words(w.list); !slices.Contains(list, w.value) {
			return q.usage("--%s: geen tabel kent %q; wel %s", "--%s: no table has %q; there are %s", w.flag, w.value, strings.Join(list, ", "))
		}
	}
	return nil
}

// read gives the rules and their texts; the rules must know what is asked.
func (q *whatIf) read(ctx context.Context, fsys fs.FS) (*policy.Engine, *wording.Texts, error) {
	e, err := policy.New(ctx, policy.Config{FS: fsys, Timeout: explainTimeout})
	if err != nil {
		return nil, nil, q.told(err)
	}
	if err := q.known(e); err != nil {
		return nil, nil, err
	}
	texts, err := wording.ReadTexts(fsys)
	return e, texts, err
}

func (q *whatIf) run(ctx context.Context, fsys fs.FS, w io.Writer) error {
	e, texts, err := q.read(ctx, fsys)
	if err != nil {
		return err
	}
	told := explanation{Contract: contractExplain, Revision: e.Revision(), Date: q.date}
	if q.source != "" {
		told.Question = q.answer(ctx, e, texts)
	}
	if len(q.statutes) > 0 {
		other, err := q.switchedRules(ctx, fsys)
		if err != nil {
			return err
		}
		told.Switched = q.switched(ctx, e, other, texts)
		if q.source != "" {
			told.Switched.Question = q.answer(ctx, other, texts)
		}
	}
	if err := (&explainPage{officer: q.officer, texts: texts, told: told}).print(w); err != nil {
		return err
	}
	if told.denied() {
		return &toldError{q.say("het antwoord is nee", "the answer is no"), errNoAnswer}
	}
	return nil
}

// switchedRules are the rules of a folder with the statutes switched.
func (q *whatIf) switchedRules(ctx context.Context, fsys fs.FS) (*policy.Engine, error) {
	other, err := policy.Switched(fsys, q.statutes)
	if err != nil {
		return nil, err
	}
	e, err := policy.New(ctx, policy.Config{FS: other, Timeout: explainTimeout})
	if err != nil {
		return nil, q.told(err)
	}
	return e, nil
}

// input is the question as the rules see it.
func (q *whatIf) input() policy.Input {
	in := policy.Input{
		Subject:  policy.Subject{Type: "organisation", ID: q.requester, Properties: policy.SubjectProperties{OrgType: "gemeente", Role: q.role, Assurance: q.assurance}},
		Action:   policy.Action{Name: "read", Properties: policy.ActionProperties{Purpose: q.purpose, Law: q.law}},
		Resource: policy.Resource{Type: "person", ID: "nobody", Properties: policy.ResourceProperties{Source: someSource, SourceKind: q.source, Fields: q.fields, LegalBasis: q.basis}},
		Context:  policy.Context{Contract: policy.ContractRequest, Date: q.date},
	}
	purposes := []string{q.purpose}
	if !slices.Contains(q.without, "agreement") {
		in.Context.Agreement = &policy.AgreementTerms{ID: "what-if", Requester: q.requester, Source: someSource, Purposes: purposes, From: q.date, Until: q.date, Fields: q.fields, Digest: "what-if"}
	}
	if !slices.Contains(q.without, "consent") {
		in.Context.Consent = &policy.ConsentTerms{ID: "what-if", Status: "active", Subject: "nobody", By: q.signer, Purposes: purposes, Sources: []string{someSource}, From: q.date, Until: q.date}
		if q.signer == ontschotv1.SignerProxy { // signs with a mandate that is in order
			in.Context.Consent.Mandate = &policy.MandateTerms{Scope: purposes, Until: q.date}
		}
	}
	return in
}

// explanation is what is told; the same for who reads and for a program.
type explanation struct {
	Contract string          `json:"contract"`
	Revision string          `json:"revision"`
	Date     string          `json:"date"`
	Question *explained      `json:"question,omitempty"`
	Entry    *explainedEntry `json:"entry,omitempty"`
	Switched *switchedLaws   `json:"switched,omitempty"`
}

// denied says whether the last of the answers to the question is no.
func (x explanation) denied() bool {
	last := x.Question
	if x.Switched != nil && x.Switched.Question != nil {
		last = x.Switched.Question
	}
	return last != nil && !last.Allow
}

// explained is one question with its answer.
type explained struct {
	Asked  policy.Input     `json:"asked"`
	Allow  bool             `json:"decision"`
	Checks []explainedCheck `json:"checks"`
	Fields []explainedField `json:"fields"`
	// Bases are the grounds of the cell that the question may rest on.
	Bases         []policy.CellBasis `json:"basis"`
	RetentionDays int                `json:"retention_days,omitempty"`
	Notify        []string           `json:"notify,omitempty"`
	// Way is what would make it a yes, each act a text; or that nothing does.
	Way []string `json:"way,omitempty"`
}

// explainedCheck is one check: what is so when it passes, and where it does not, why and
// what can be done.
type explainedCheck struct {
	Code    string `json:"code"`
	Passed  bool   `json:"passed"`
	Title   string `json:"title"`
	Why     string `json:"why,omitempty"`
	Do      string `json:"do,omitempty"`
	Article string `json:"article"`
}

// explainedField is one kind of data: under which mask it passes, or why it does not. Would
// says that it is the checks that hold it back, and nothing else.
type explainedField struct {
	Category string `json:"category"`
	Mask     string `json:"mask,omitempty"`
	Code     string `json:"code,omitempty"`
	Why      string `json:"why,omitempty"`
	Article  string `json:"article,omitempty"`
	Would    bool   `json:"would,omitempty"`
}

// answer lets an engine answer the question, and words it.
func (q *whatIf) answer(ctx context.Context, e *policy.Engine, texts *wording.Texts) *explained {
	if len(q.fields) == 0 {
		q.fields = e.Words("categories")
		if cell := cellOf(e, q.purpose, q.source, q.law); cell != nil {
			q.fields = slices.DeleteFunc(q.fields, func(field string) bool { return cell.Fields[field] == "" })
		}
	}
	in := q.input()
	o := e.Evaluate(ctx, in)
	x := q.explain(e, texts, in, o)
	for _, field := range q.fields {
		one := explainedField{Category: field, Mask: o.Fields[field], Code: o.Dropped[field]}
		reason, ok := texts.Reason(one.Code, q.lang)
		if ok {
			one.Why, one.Article = reason.Short, reason.Article
		}
		one.Would = one.Mask == "" && one.Code == "" // nothing but the checks holds it back
		x.Fields = append(x.Fields, one)
	}
	x.Way = q.way(e.Way(ctx, in), in, slices.Concat(o.Reasons, slices.Collect(maps.Values(o.Dropped))), texts)
	return x
}

// explain words an answer of the rules: its checks, and the bases of the cell.
func (q *whatIf) explain(e *policy.Engine, texts *wording.Texts, in policy.Input, o policy.Outcome) *explained {
	x := &explained{Asked: in, Allow: o.Allow, RetentionDays: o.RetentionDays, Notify: o.Notify, Checks: []explainedCheck{}, Fields: []explainedField{}, Bases: []policy.CellBasis{}}
	checks := o.Checks
	if len(checks) == 0 {
		checks = o.Reasons // it could not be judged
	}
	for _, code := range checks {
		x.Checks = append(x.Checks, q.check(texts, code, !slices.Contains(o.Reasons, code)))
	}
	if cell := cellOf(e, in.Action.Properties.Purpose, in.Resource.Properties.SourceKind, in.Action.Properties.Law); cell != nil {
		x.Bases = slices.Concat(cell.Bases, cell.Dated)
	}
	return x
}

func (q *whatIf) check(texts *wording.Texts, code string, passed bool) explainedCheck {
	reason, _ := texts.Reason(code, q.lang)
	one := explainedCheck{Code: code, Passed: passed, Title: texts.Label("checks", code, q.lang), Article: reason.Article}
	if !passed {
		one.Why, one.Do = reason.Explanation, reason.Do
	}
	return one
}

// cellOf is a cell of the matrix; nil: there is none.
func cellOf(e *policy.Engine, purpose, source, law string) *policy.Cell {
	cells := e.Cells()
	i := slices.IndexFunc(cells, func(c policy.Cell) bool { return c.Purpose == purpose && c.Source == source && c.Law == law })
	if i < 0 {
		return nil
	}
	return &cells[i]
}

// way words each act of a way to yes for a privacy officer, with the check that it is about.
// Failed are the codes of what did not pass.
func (q *whatIf) way(acts []*budgetv1.WayToYes, in policy.Input, failed []string, texts *wording.Texts) []string {
	at := in.Resource.Properties
	source := cmp.Or(q.parties[at.Source], texts.Label("source_kinds", at.SourceKind, q.lang))
	var said []string
	for _, act := range acts {
		about := map[string]string{
			"CONSENT": "TOEST-", "AUTHORITY": "TOEST-", "AGREEMENT": "OVK-", budgetv1.ActLegalBasis: "GROND-", "ROLE": "ROL-", "ASSURANCE": "ROL-", budgetv1.ActRequest: "SYS-",
		}
		kind, _, _ := strings.Cut(act.GetAct(), "_")
		prefix := cmp.Or(about[act.GetAct()], about[kind])
		code := "VELD-02" // what an agreement does not name, where it is not the agreement itself
		if i := slices.IndexFunc(failed, func(code string) bool { return strings.HasPrefix(code, prefix) }); i >= 0 {
			code = failed[i]
		}
		reason, _ := texts.Reason(code, q.lang)
		params := map[string]string{
			"source": source, "code": code, "article": reason.Article, "cell": strings.Join([]string{in.Action.Properties.Purpose, at.SourceKind, in.Action.Properties.Law}, "/"),
		}
		for oin, name := range q.parties {
			params["party "+oin] = name
		}
		params["party "+at.Source] = source
		said = append(said, texts.Way([]*budgetv1.WayToYes{act}, wording.ReaderOfficer, q.lang, params))
	}
	return said
}

// switchedLaws is what changes when statutes count, or not.
type switchedLaws struct {
	Statutes map[string]bool `json:"statutes"`
	Date     string          `json:"date,omitempty"` // where it is another than that of what is explained
	Cells    []switchedCell  `json:"cells"`
	Pooling  []switchedPool  `json:"pooling"`
	Silent   []silentStatute `json:"silent"` // that change nothing on this day, and why
	// Entry is what changes of a decision of the log, Case of the budget of a case.
	Entry    []switchedPair `json:"entry,omitempty"`
	Case     *switchedCase  `json:"case,omitempty"`
	Question *explained     `json:"question,omitempty"`
}

// switchedCell is a cell of which other data pass on a ground, for a question that is in
// order for the rest.
type switchedCell struct {
	Purpose string   `json:"purpose"`
	Source  string   `json:"source"`
	Law     string   `json:"law"`
	Basis   string   `json:"basis"`
	Article []string `json:"article"`
	Gained  []string `json:"gained,omitempty"`
	Lost    []string `json:"lost,omitempty"`
}

// switchedPool is money that may be put together, or no longer.
type switchedPool struct {
	Statute        string   `json:"statute"`
	Article        string   `json:"article"`
	Allowed        bool     `json:"allowed"` // after the switch
	Laws           []string `json:"laws"`
	Municipalities []string `json:"municipalities"`
	From           string   `json:"from"`
	To             string   `json:"to"`
}

// silentStatute changes nothing.
type silentStatute struct {
	Statute string `json:"statute"`
	Why     string `json:"why"`
}

// switched holds two engines beside each other: every cell on every ground, and the money
// that is put together.
func (q *whatIf) switched(ctx context.Context, was, is *policy.Engine, texts *wording.Texts) *switchedLaws {
	x := &switchedLaws{Statutes: q.statutes, Cells: []switchedCell{}, Pooling: []switchedPool{}, Silent: []silentStatute{}}
	for _, cell := range was.Cells() {
		for _, basis := range was.Words("legal_bases") {
			before, after := q.passes(ctx, was, cell, basis), q.passes(ctx, is, cell, basis)
			gained, lost := less(after, before), less(before, after)
			if len(gained)+len(lost) > 0 {
				x.Cells = append(x.Cells, switchedCell{cell.Purpose, cell.Source, cell.Law, basis, q.articles(cell, basis), gained, lost})
			}
		}
	}
	x.pools(was, is, q.date, false)
	x.pools(is, was, q.date, true)
	for _, name := range was.Words("statutes") {
		_, asked := q.statutes[name]
		dated := func(c switchedCell) bool { return slices.Contains(q.statutesOf(was, c), name) }
		pooled := func(p switchedPool) bool { return p.Statute == name }
		if asked && !slices.ContainsFunc(x.Cells, dated) && !slices.ContainsFunc(x.Pooling, pooled) {
			x.Silent = append(x.Silent, silentStatute{name, q.nothing(texts, name, q.date)})
		}
	}
	return x
}

// nothing says that a statute changes nothing on a day.
func (q *whatIf) nothing(texts *wording.Texts, statute, date string) string {
	return fmt.Sprintf(q.say("%s verandert op %s niets: zij staat al zo, geldt die dag niet, of telt hier niet mee",
		"%s changes nothing on %s: it is so already, does not hold that day, or does not count here"), texts.Label("statutes", statute, q.lang), texts.Date(date, q.lang))
}

// passes lists the data of a cell that pass on a ground, in order for the rest.
func (q *whatIf) passes(ctx context.Context, e *policy.Engine, cell policy.Cell, basis string) []string {
	one := whatIf{source: cell.Source, law: cell.Law, purpose: cell.Purpose, basis: basis, date: q.date, requester: q.requester,
		role: q.role, assurance: q.assurance, signer: q.signer, without: q.without}
	for field := range cell.Fields {
		one.fields = append(one.fields, field)
	}
	slices.Sort(one.fields)
	o := e.Evaluate(ctx, one.input())
	return slices.DeleteFunc(one.fields, func(field string) bool { return o.Fields[field] == "" })
}

// articles are those of the dated grounds of a cell that rest on what is switched.
func (q *whatIf) articles(cell policy.Cell, basis string) []string {
	all := []string{}
	for _, b := range cell.Dated {
		if _, switched := q.statutes[b.Statute]; switched && b.AVG6 == basis {
			all = append(all, b.National...)
		}
	}
	return all
}

// statutesOf are the statutes that a change of a cell rests on.
func (q *whatIf) statutesOf(e *policy.Engine, changed switchedCell) []string {
	var all []string
	for _, cell := range e.Cells() {
		for _, b := range cell.Dated {
			if cell.Purpose == changed.Purpose && cell.Source == changed.Source && cell.Law == changed.Law && b.AVG6 == changed.Basis {
				all = append(all, b.Statute)
			}
		}
	}
	return all
}

// pools notes the statutes that pool money in one engine on a day, and not in the other.
func (x *switchedLaws) pools(in, notIn *policy.Engine, date string, allowed bool) {
	for _, b := range in.Bases() {
		same := false
		for _, other := range notIn.Bases() {
			same = same || other.GetId() == b.GetId()
		}
		if !same && b.GetFrom() <= date && date <= cmp.Or(b.GetTo(), date) {
			x.Pooling = append(x.Pooling, switchedPool{b.GetId(), b.GetArticle(), allowed, b.GetPoolableLaws(), b.GetMunicipalities(), b.GetFrom(), b.GetTo()})
		}
	}
}

// less is what the one list has beyond the other.
func less(of, other []string) []string {
	return slices.DeleteFunc(slices.Clone(of), func(one string) bool { return slices.Contains(other, one) })
}
