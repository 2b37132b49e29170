package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/ontschot/ontschot/internal/server"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

func statusCommand() *cobra.Command {
	var out output
	c := operated(&cobra.Command{
		Use:   "status --config FILE",
		Short: "Say how a running gateway stands, and what needs attention",
		Long: `Say how the gateway stands that runs with a configuration: where it listens, which policies are in force, how every
source stands, when certificates end, how long the log is and what its head is, how many connections were turned away.
What needs attention comes first, each with what to do. Run it as the user of the gateway. Exit code 1 when anything does.`,
		Example: "  ontschot status --config gateway.yaml\n  ontschot status --lang en --format json",
		Args:    noArgs,
	}, func(c *cobra.Command, _ []string, client ontschotv1.OperatorServiceClient) error {
		if err := out.check(); err != nil {
			return err
		}
		is, err := client.GetStatus(c.Context(), &ontschotv1.GetStatusRequest{})
		if err != nil {
			return err
		}
		p := &page{w: c.OutOrStdout(), lang: out.lang, width: operatorWidth}
		if out.format == "json" {
			raw, err := protojson.MarshalOptions{Multiline: true, EmitUnpopulated: true}.Marshal(is)
			if err != nil {
				return err
			}
			p.line("%s", raw)
		} else {
			p.status(is)
		}
		if p.err == nil && len(is.GetAttention()) > 0 {
			return errToDo
		}
		return p.err
	})
	c.Flags().StringVar(&out.format, "format", "table", "table, or json: exactly one object on stdout")
	c.Flags().StringVar(&out.lang, "lang", language(), "language of the texts: nl or en; default by LANG, and nl")
	return c
}

// status prints how a gateway stands: first what needs attention.
func (p *page) status(is *ontschotv1.GetStatusResponse) {
	for _, a := range is.GetAttention() {
		p.line("! %s", p.attention(a))
	}
	if is.GetDev() {
		p.line("! %s", p.say("Voor ontwikkeling (dev: true): niet voor echte gegevens.", "For development (dev: true): not for real data."))
	}
	if is.GetToday() != "" {
		p.line("! %s", p.say("De datum staat vast op "+is.GetToday()+".", "The date is set to "+is.GetToday()+"."))
	}
	rows := [][]string{
		{p.say("Gateway van", "Gateway of"), is.GetOrganisation()},
		{p.say("Draait sinds", "Runs since"), localTime(is.GetStarted())},
		{p.say("Klaar", "Ready"), p.yesNo(is.GetReady())},
	}
	for _, l := range is.GetListeners() {
		rows = append(rows, []string{p.say("Luistert: ", "Listens: ") + l.GetName(), l.GetAddress()})
	}
	rows = append(rows,
		[]string{p.say("Regels", "Policies"), p.policy(is.GetPolicy())},
		[]string{p.say("Logboek", "Log"), p.log(is.GetLog())},
		[]string{p.say("Kop van het logboek", "Head of the log"), p.say("na ", "after ") + fmt.Sprint(is.GetLog().GetHeadEntries()) + ": " + orDash(is.GetLog().GetHead())},
	)
	if d := is.GetDirectory(); d != nil {
		rows = append(rows, []string{p.say("Adresboek", "Directory"), fmt.Sprintf("%s %d", p.say("versie", "version"), d.GetVersion())})
	}
	for _, what := range slices.Sorted(maps.Keys(is.GetConnections())) {
		rows = append(rows, []string{p.say("Verbindingen: ", "Connections: ") + what, fmt.Sprint(is.GetConnections()[what])})
	}
	for _, why := range slices.Sorted(maps.Keys(is.GetConnectionsRefused())) {
		rows = append(rows, []string{p.say("Geweigerd: ", "Turned away: ") + why, fmt.Sprint(is.GetConnectionsRefused()[why])})
	}
	p.columnsOfText(nil, rows)
	p.statusOfSources(is)
	p.statusOfKeys(is.GetKeys())
}

func (p *page) policy(is *ontschotv1.PolicyInForce) string {
	text := fmt.Sprintf("%.12s, %s", is.GetRevision(), p.policySource(is.GetSource()))
	if is.GetSince() != nil {
		text += p.say(", sinds ", ", since ") + localTime(is.GetSince())
	}
	return text
}

func (p *page) log(l *ontschotv1.LogStatus) string {
	return fmt.Sprintf(p.say("%d regels, tijdvak %d, %d KiB, %d wachten", "%d entries, epoch %d, %d KiB, %d wait"), l.GetEntries(), l.GetEpoch(), l.GetBytes()>>10, l.GetWaiting())
}

// statusOfSources prints a line for every source.
func (p *page) statusOfSources(is *ontschotv1.GetStatusResponse) {
	var rows [][]string
	for _, a := range is.GetAdapters() {
		rows = append(rows, []string{a.GetParty(), strings.TrimSpace(a.GetId() + " " + a.GetVersion()), a.GetState(), localTime(a.GetSince()), fmt.Sprint(a.GetCalls()), fmt.Sprint(a.GetFailed())})
	}
	for _, one := range is.GetPeers() {
		rows = append(rows, []string{one.GetParty(), orDash(one.GetAddress()), one.GetState(), "-", "-", "-"})
	}
	if len(rows) == 0 {
		return
	}
	p.line("")
	p.columnsOfText([]string{p.say("bron", "source"), p.say("adapter of adres", "adapter or address"), p.say("toestand", "state"), p.say("sinds", "since"), p.say("vragen", "questions"), p.say("mislukt", "failed")}, rows)
}

// statusOfKeys prints a line for every certificate and key.
func (p *page) statusOfKeys(keys []*ontschotv1.KeyStatus) {
	words := map[string]string{
		"certificate": p.say("certificaat", "certificate"), "authority": p.say("uitgever", "authority"),
		"revocation_list": p.say("intreklijst", "revocation list"), "signing": p.say("tekensleutel", "signing key"),
		"in_use": p.say("in gebruik", "in use"), "announced": p.say("aangekondigd", "announced"), "earlier": p.say("eerdere", "earlier"),
		"expired": p.say("verlopen", "expired"), "not_there": p.say("is er niet", "not there"),
	}
	var rows [][]string
	for _, k := range keys {
		rows = append(rows, []string{words[k.GetWhat()], k.GetName(), words[k.GetState()], localTime(k.GetFrom()), localTime(k.GetUntil())})
	}
	p.line("")
	p.columnsOfText([]string{p.say("wat", "what"), p.say("naam", "name"), p.say("toestand", "state"), p.say("vanaf", "from"), p.say("tot", "until")}, rows)
}

func (p *page) yesNo(yes bool) string {
	if yes {
		return p.say("ja", "yes")
	}
	return p.say("nee", "no")
}

// attention says in a line what is wrong and what to do.
func (p *page) attention(a *ontschotv1.Attention) string {
	name, why := a.GetSubject(), a.GetWhy()
	text := map[string]string{
		server.AttentionAdapter: p.say("De adapter van "+name+" is niet klaar ("+why+"). Kijk waarom: ontschot adapter logs "+name,
			"The adapter of "+name+" is not ready ("+why+"). See why: ontschot adapter logs "+name),
		server.AttentionPeer: p.say("De gateway van "+name+" is niet te bereiken ("+why+"). Zoek de oorzaak: ontschot peer check "+name,
			"The gateway of "+name+" cannot be reached ("+why+"). Find the cause: ontschot peer check "+name),
		server.AttentionCertificate: p.say("Ons certificaat is verlopen of verloopt binnen dertig dagen. Vraag een nieuw aan en vervang het bestand.",
			"Our certificate has ended or ends within thirty days. Ask for another and replace the file."),
		server.AttentionAuthority: p.say("De uitgever "+name+" is verlopen. Haal hem uit het bestand, of zet de opvolger erbij.",
			"The authority "+name+" has ended. Take it out of its file, or add the one after it."),
		server.AttentionList: p.say("De intreklijst "+name+" is verlopen of ontbreekt. Haal de nieuwe op.",
			"The revocation list "+name+" has ended or is not there. Get the next one."),
		server.AttentionPolicy: p.say("Nieuwe regels zijn geweigerd; de oude gelden. Lees waarom: ontschot policy status",
			"Other policies were refused; the old ones are in force. Read why: ontschot policy status"),
		server.AttentionDirectory: p.say("Het adresboek is een dag lang niet gelezen. Kijk of het adres klopt, en bel wie het beheert.",
			"The directory was not read for a day. See whether its address is right, and call who keeps it."),
		server.AttentionLog: p.say("Het logboek kan niet geschreven worden; er wordt niets gedeeld. Kijk of de schijf vol is.",
			"The log cannot be written; nothing is shared. See whether the disk is full."),
		server.AttentionDocuments: p.say("Een document uit de map is niet ingelezen: "+name+". Herstel het, of haal het weg.",
			"A document of the folder was not taken: "+name+". Repair it, or take it away."),
		server.AttentionExport: p.say("De collector neemt geen traces of logs aan; vragen wachten daar niet op. Kijk naar OTEL_EXPORTER_OTLP_ENDPOINT.",
			"The collector takes no traces or logs; no question waits for that. Look at OTEL_EXPORTER_OTLP_ENDPOINT."),
	}[a.GetCode()]
	if text == "" { // of a newer gateway
		return strings.TrimSpace(a.GetCode() + " " + name + " " + why)
	}
	return text
}
