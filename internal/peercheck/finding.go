// Package peercheck answers: why can this gateway not ask that one, and who repairs it? It tries
// every hop in order, with nobody in question, and says in words what is good and what is not.
package peercheck

import (
	"fmt"
	"strings"
)

// State of a hop.
type State string

// The states. After a Fault what rests on it is not tried.
const (
	Good   State = "good"
	Notice State = "notice" // it works; somebody should know
	Fault  State = "fault"
)

// Who repairs a fault.
const (
	You  = "you"
	They = "they"
	Both = "both"
)

// Finding is what was found at one hop.
type Finding struct {
	Hop    string `json:"hop"`
	State  State  `json:"state"`
	Cause  string `json:"cause,omitempty"` // a code; empty when it is good
	Repair string `json:"repair,omitempty"`
	TextNL string `json:"text_nl"`
	TextEN string `json:"text_en"`
}

// Text in a language: nl or en.
func (f Finding) Text(lang string) string {
	if lang == "en" {
		return f.TextEN
	}
	return f.TextNL
}

// Report is the findings of one check, in the order of the hops.
type Report struct {
	Party    string    `json:"party"`
	Findings []Finding `json:"findings"`
}

// Failed reports whether something must be repaired.
func (r *Report) Failed() bool {
	for _, f := range r.Findings {
		if f.State == Fault {
			return true
		}
	}
	return false
}

func (r *Report) good(hop, nl, en string, args ...any) {
	r.Findings = append(r.Findings, Finding{Hop: hop, State: Good, TextNL: fmt.Sprintf(nl, args...), TextEN: fmt.Sprintf(en, args...)})
}

// cause is a fault as it is known in advance: its words, and who repairs it.
type cause struct{ code, repair, nl, en string }

func (r *Report) fault(hop string, c cause, args ...any) {
	r.say(hop, Fault, c, args...)
}

func (r *Report) say(hop string, state State, c cause, args ...any) {
	fill := func(text string) string {
		if strings.Contains(text, "%") {
			return fmt.Sprintf(text, args...)
		}
		return text
	}
	r.Findings = append(r.Findings, Finding{Hop: hop, State: state, Cause: c.code, Repair: c.repair, TextNL: fill(c.nl), TextEN: fill(c.en)})
}

// The causes there are.
var (
	noParty     = cause{"NO_PARTY", You, "Deze partij staat niet in uw vertrouwensbestand. Zet haar daarin.", "This party is not in your trust file. Put it there."}
	noAddress   = cause{"NO_ADDRESS", You, "Uw vertrouwensbestand noemt geen adres van haar gateway. Vraag het op en zet het erin.", "Your trust file has no address of its gateway. Ask for it and put it there."}
	noName      = cause{"NAME_UNKNOWN", You, "De naam %s bestaat niet. Vraag de partij naar het goede adres.", "The name %s does not exist. Ask the party for the right address."}
	tcpRefused  = cause{"NOT_LISTENING", They, "Op %s luistert niemand. Haar gateway staat uit of het adres klopt niet.", "Nobody listens on %s. Its gateway is stopped or the address is wrong."}
	tcpSilent   = cause{"NO_ROUTE", Both, "%s antwoordt niet. Kijk naar de firewalls aan beide kanten.", "%s does not answer. Look at the firewalls at both ends."}
	noTLS       = cause{"NO_TLS", They, "Er luistert iets dat geen TLS 1.3 spreekt. Is dit de poort van de gateway?", "Something listens that does not speak TLS 1.3. Is this the gateway's port?"}
	noRoot      = cause{"AUTHORITY_UNKNOWN", You, "U kent de uitgever van haar certificaat niet. Zet die in tls.ca, of als ca bij deze partij.", "You do not know who issued its certificate. Put that one in tls.ca, or as ca of this party."}
	certEnded   = cause{"CERTIFICATE_EXPIRED", They, "Haar certificaat is verlopen of nog niet geldig. Zij vervangt het.", "Its certificate has expired or is not valid yet. They replace it."}
	certRevoked = cause{"CERTIFICATE_REVOKED", They, "Haar certificaat is ingetrokken. Zij vraagt een nieuw aan.", "Its certificate was revoked. They ask for a new one."}
	noList      = cause{"NO_REVOCATION_LIST", You, "U hebt geen geldige intrekkingslijst van haar uitgever. Zie tls.crls.", "You have no revocation list of its issuer that is in date. See tls.crls."}
	certUnfit   = cause{"CERTIFICATE_UNFIT", They, "Haar certificaat staat niet op naam van %s. Het is anders ongeschikt als server.", "Its certificate is not made out to %s. Else it is unfit for a server."}
	otherOIN    = cause{"OTHER_ORGANISATION", You, "Op dit adres antwoordt een andere organisatie: %s in plaats van %s. Vraag het goede adres.", "Another organisation answers at this address: %s instead of %s. Ask for the right address."}
	ownUnused   = cause{"OWN_CERTIFICATE", You, "Uw eigen certificaat kan niet worden gebruikt. Zie ontschot keys.", "Your own certificate cannot be used. See ontschot keys."}
	refused     = cause{"OURS_REFUSED", They, "Zij aanvaarden uw certificaat niet. Zij zetten uw uitgever in hun tls.ca of als ca bij u.", "They do not accept your certificate. They put your issuer in their tls.ca or as ca of you."}
	unknownUs   = cause{"OURS_UNKNOWN", They, "Zij kennen uw OIN niet. Zij zetten u in hun vertrouwensbestand.", "They do not know your OIN. They put you in their trust file."}
	tooOld      = cause{"PEER_TOO_OLD", They, "Haar gateway is te oud voor deze vraag. Zij zetten er een nieuwere neer.", "Its gateway is too old for this question. They install a newer one."}
	version     = cause{"PEER_VERSION", Both, "De gateways spreken geen gezamenlijke versie. Een van beide moet nieuwer worden.", "The gateways share no version. One of the two must become newer."}
	silent      = cause{"PEER_SILENT", They, "Haar gateway is bereikt, maar antwoordt met %s. Haar logboek zegt meer.", "Its gateway was reached, but answers with %s. Its log says more."}
	clock       = cause{"CLOCK", Both, "De klokken lopen %s uiteen, meer dan twee seconden. Zet beide gelijk met NTP.", "The clocks are %s apart, more than two seconds. Set both by NTP."}
	ownSilent   = cause{"OWN_GATEWAY", You, "Uw eigen gateway antwoordt niet. Start hem met ontschot serve.", "Your own gateway does not answer. Start it with ontschot serve."}
	oursUnpin   = cause{"OUR_KEY_NOT_PINNED", They, "Zij hebben uw sleutel %s niet vastgelegd. Geef hun de openbare helft.", "They have not pinned your key %s. Give them its public half."}
	oursGone    = cause{"OUR_KEY_NOT_IN_USE", Both, "Bij hen is uw sleutel %s niet meer in gebruik. Teken met een andere, of laat het herstellen.", "At their end your key %s is not in use any more. Sign with another, or have it put right."}
	theirUnpin  = cause{"THEIR_KEY_NOT_PINNED", You, "U hebt haar sleutel %s niet vastgelegd. Vraag de openbare helft en zet die in uw vertrouwensbestand.", "You have not pinned its key %s. Ask for its public half and put it in your trust file."}
	theirGone   = cause{"THEIR_KEY_NOT_IN_USE", Both, "Bij u is haar sleutel %s niet meer in gebruik. Vraag of zij met een andere kan tekenen.", "At your end its key %s is not in use any more. Ask whether it can sign with another."}
	noAgreed    = cause{"NO_AGREEMENT", Both, "Er is geen overeenkomst tussen u beiden. Stel er een voor: ontschot agreement propose.", "There is no agreement between the two of you. Propose one: ontschot agreement propose."}
	oneSided    = cause{"AGREEMENT_ONE_SIDED", Both, "Maar een van u beiden heeft overeenkomst %s. Aanvaard haar opnieuw.", "Only one of the two of you has agreement %s. Accept it again."}
	differs     = cause{"AGREEMENT_DIFFERS", Both, "Overeenkomst %s heeft bij u andere voorwaarden dan bij haar. Stel een nieuwe voor.", "Agreement %s has other terms at your end than at theirs. Propose a new one."}
	ended       = cause{"AGREEMENT_ENDED", Both, "Geen overeenkomst is bij beide van kracht. De nieuwste, %s, is bij u %s en bij haar %s.", "No agreement is in force at both ends. The newest, %s, is %s at yours and %s at theirs."}
	nothing     = cause{"POLICY_DENIES", "", "Van een vraag voor %s gaat niets door: %s.", "Of a question for %s nothing passes: %s."}
	withheldBy  = cause{"POLICY_WITHHOLDS", "", "Van een vraag voor %s wordt achtergehouden: %s.", "Of a question for %s is withheld: %s."}
	noAdapter   = cause{"NO_ADAPTER", They, "Haar gateway heeft geen adapter die antwoordt. Zij richt die in of start hem opnieuw.", "Its gateway has no adapter that answers. They configure or restart it."}
)
