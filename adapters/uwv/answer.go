package uwv

import (
	"slices"
	"strings"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/native"
)

// results are the children that an answer may have (FWI v0205): what UWV knows, or why it
// gives none of it.
func results() native.Table {
	return native.Table{
		Format: "SuwiML answer", Read: []string{"NietsGevonden", "NietGerechtigd", "NietVanToepassing"},
		Ignored: []string{"ClientSuwi[]/*", "FWI[]/*", "Fout[]/*"},
	}
}

// client takes what UWV knows of a person out of the envelope. It is not there when UWV
// says that it found nothing, which is the only way to say so: a fault, a message of the
// infrastructure, and a refusal inside an ordinary answer are the errors that they mean.
// The name of the answer's root is not published, so none is asked for.
func client(raw []byte, out *adapters.Writer) (native.Node, error) {
	envelope, err := native.XML(raw)
	if err != nil {
		return native.Node{}, err
	}
	body := envelope.Get("Body")
	if envelope.Name() != "Envelope" || !body.Has() {
		return native.Node{}, adapters.BadData("/Envelope/Body", "an answer")
	}
	if fault := body.Get("Fault"); fault.Has() {
		return native.Node{}, faultOf(fault)
	}
	roots := body.Members()
	if len(roots) != 1 {
		return native.Node{}, body.Bad("", "one answer")
	}
	return chosen(roots[0], out)
}

func chosen(root native.Node, out *adapters.Writer) (native.Node, error) {
	unknown, err := results().Check(root)
	if err != nil {
		return native.Node{}, err
	}
	for _, u := range unknown {
		out.Unknown("", u.Name(), root.At())
	}
	there := func(name string) bool {
		return slices.ContainsFunc(root.Members(), func(n native.Node) bool { return n.Name() == name })
	}
	clients := root.All("ClientSuwi")
	switch {
	case there("NietGerechtigd"):
		return native.Node{}, adapters.NotAuthorised()
	case there("Fout") || failed(root.All("FWI")):
		return native.Node{}, adapters.Unavailable() // also beside data: then they are not whole
	case there("NietVanToepassing"):
		return native.Node{}, root.Bad("NietVanToepassing", "an answer to the question")
	case len(clients) == 1 && !there("NietsGevonden"):
		return clients[0].Begin(), nil
	case len(clients) == 0 && there("NietsGevonden"):
		return native.Node{}, nil
	case len(clients) == 0 && there("FWI"):
		return native.Node{}, adapters.Unavailable() // messages, and no answer
	}
	return native.Node{}, root.Bad("", "ClientSuwi once, or NietsGevonden")
}

// failed reports whether there is an error among messages of the infrastructure. Warnings
// and information stand beside a whole answer.
func failed(messages []native.Node) bool {
	for _, m := range messages {
		for _, one := range m.Members() {
			if name := one.Name(); name != "Waarschuwing" && name != "Informatie" {
				return true
			}
		}
	}
	return false
}

// faultOf maps a fault of SOAP 1.1 (section 4.4) or 1.2 (section 5.4): who has to repair
// what. Its text may quote the request and is not kept.
func faultOf(fault native.Node) error {
	code := local(fault.Text("faultcode"))
	detail := ""
	if code == "" {
		code, detail = local(fault.Text("Code/Value")), local(fault.Text("Code/Subcode/Value"))
	}
	if class, of, dotted := strings.Cut(code, "."); dotted {
		code, detail = class, of
	}
	switch {
	case refusals()[detail] || refusals()[code]:
		return adapters.NotAuthorised()
	case detail == "Timeout":
		return adapters.Timeout()
	case code == "Client", code == "Sender", code == "VersionMismatch", code == "MustUnderstand", code == "DataEncodingUnknown":
		return adapters.Bug() // the request is ours
	}
	return adapters.Unavailable()
}

// refusals are the codes with which a service says that it does not take us for who we
// are, or does not let us in (WS-Security 1.0, section 12).
func refusals() map[string]bool {
	return map[string]bool{
		"Authentication": true, "Authorization": true, "FailedAuthentication": true, "FailedCheck": true,
		"InvalidSecurity": true, "InvalidSecurityToken": true, "SecurityTokenUnavailable": true,
		"UnsupportedSecurityToken": true, "UnsupportedAlgorithm": true, "MessageExpired": true,
	}
}

// local is a name without its prefix.
func local(name string) string { return name[strings.LastIndexByte(name, ':')+1:] }
