package main

import (
	"fmt"
	"time"

	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// statusOf words the state of an agreement or a consent.
func (p *page) statusOf(code string) string {
	nl := map[string]string{
		ontschotv1.StatusProposed:     "voorgesteld",
		ontschotv1.StatusAccepted:     "aanvaard, gaat later in",
		ontschotv1.StatusInForce:      "van kracht",
		ontschotv1.StatusExpired:      "verlopen",
		ontschotv1.StatusRejected:     "afgewezen",
		ontschotv1.StatusRevoked:      "ingetrokken",
		ontschotv1.StatusSuperseded:   "vervangen",
		ontschotv1.StatusUnverifiable: "handtekening niet te controleren",
		ontschotv1.StatusFuture:       "gaat later in",
		ontschotv1.StatusEnded:        "gestopt of vervangen",
		ontschotv1.StatusUncertain:    "moet bevestigd worden",
		ontschotv1.StatusVoid:         "telt niet: wie tekende, mag dat niet",
	}
	en := map[string]string{
		ontschotv1.StatusProposed:     "proposed",
		ontschotv1.StatusAccepted:     "accepted, begins later",
		ontschotv1.StatusInForce:      "in force",
		ontschotv1.StatusExpired:      "expired",
		ontschotv1.StatusRejected:     "rejected",
		ontschotv1.StatusRevoked:      "revoked",
		ontschotv1.StatusSuperseded:   "superseded",
		ontschotv1.StatusUnverifiable: "signature cannot be verified",
		ontschotv1.StatusFuture:       "begins later",
		ontschotv1.StatusEnded:        "withdrawn or replaced",
		ontschotv1.StatusUncertain:    "has to be confirmed",
		ontschotv1.StatusVoid:         "does not count: who signed may not",
	}
	if text := p.say(nl[code], en[code]); text != "" {
		return text
	}
	return code
}

func (p *page) agreement(a *ontschotv1.Agreement) {
	p.text(0, fmt.Sprintf("%s %s %s %s", p.say("Overeenkomst", "Agreement"), a.GetId(), p.say("met", "with"), p.party(a.GetWith())))
	p.columnsOfText(nil, [][]string{
		{p.say("stand", "state"), p.statusOf(a.GetStatus())},
		{p.say("voorgesteld door", "proposed by"), p.party(a.GetProposedBy())},
		{p.say("op", "on"), p.moment(a.GetProposedAtMs())},
		{p.say("doorlooptijd", "lead time"), p.lead(a)},
		{p.say("in plaats van", "replaces"), orDash(a.GetReplaces())},
		{p.say("reden", "reason"), orDash(a.GetReason())},
		{p.say("wat beide partijen tekenen (SHA-256)", "what both parties sign (SHA-256)"), a.GetTermsSha256()},
	})
}

func (p *page) agreements(list []*ontschotv1.Agreement) {
	header := []string{"id", p.say("met", "with"), p.say("stand", "state"), p.say("voorgesteld", "proposed"), p.say("door", "by"), p.say("tot en met", "until"), p.say("doorlooptijd", "lead time")}
	var rows [][]string
	for _, a := range list {
		rows = append(rows, []string{a.GetId(), p.party(a.GetWith()), p.statusOf(a.GetStatus()), p.moment(a.GetProposedAtMs()), p.party(a.GetProposedBy()), p.date(a.GetTerms().GetUntil()), p.lead(a)})
	}
	if len(list) == 0 {
		p.line("%s", p.say("Er zijn geen voorstellen en geen overeenkomsten.", "There are no proposals and no agreements."))
		return
	}
	p.columnsOfText(header, rows)
}

// purposes names purposes; one that the tables do not know is its own name.
func (p *page) purposes(codes []string) []string {
	var names []string
	for _, code := range codes {
		names = append(names, p.coded(p.label("purposes", code), code))
	}
	return names
}

func (p *page) changes(list []*ontschotv1.AgreementChange) {
	if len(list) == 0 {
		p.line("%s", p.say("Er verandert niets.", "Nothing changes."))
	}
	for _, c := range list {
		for i, line := range wrap(p.say(c.GetTextNl(), c.GetTextEn()), p.columns()-2) {
			p.line("%s%s", map[bool]string{true: "- ", false: "  "}[i == 0], line)
		}
	}
}

// delivered says whether the other end has it; why not is empty when it has.
func (p *page) delivered(whyNot, code string) {
	with := p.party(code)
	switch whyNot {
	case "":
		p.text(0, p.say("Bezorgd bij de gateway van ", "Delivered to the gateway of ")+with+".")
		return
	case "PEER_UNREACHABLE":
	default:
		p.text(0, fmt.Sprintf(p.say("De gateway van %s neemt dit niet aan (%s). Vraag de beheerder daar waarom.",
			"The gateway of %s does not take this (%s). Ask its operator why."), with, whyNot))
		return
	}
	p.text(0, fmt.Sprintf(p.say("De gateway van %s is nu niet bereikbaar. Uw gateway probeert het elke halve minuut opnieuw.",
		"The gateway of %s cannot be reached now. Your gateway tries again every half minute."), with))
}

// lead is how long it took from the first proposal to being in force.
func (p *page) lead(a *ontschotv1.Agreement) string {
	if a.LeadTimeMs == nil {
		return "-"
	}
	return p.lasted(time.Duration(a.GetLeadTimeMs()) * time.Millisecond)
}

// lasted words how long something took, in the largest unit that says enough.
func (p *page) lasted(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf(p.say("%d seconden", "%d seconds"), int(d.Round(time.Second).Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf(p.say("%d minuten", "%d minutes"), int(d.Round(time.Minute).Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf(p.say("%d uur", "%d hours"), int(d.Round(time.Hour).Hours()))
	}
	return fmt.Sprintf(p.say("%d dagen", "%d days"), int(d.Hours()/24))
}

// moment is a day and a time, in UTC.
func (p *page) moment(ms int64) string {
	at := time.UnixMilli(ms).UTC()
	return p.date(at.Format(time.DateOnly)) + at.Format(", 15:04 UTC")
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
