package soap

import (
	"crypto/x509"
	"slices"
	"strings"
	"time"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/native"
	"github.com/ontschot/ontschot/adapters/source"
	"github.com/ontschot/ontschot/adapters/wss"
)

// Genuine gives what of an answer one of the certificates signed, in answer to the question
// with that id (WS-Addressing). A fault tells nothing of anybody, and passes as it is: a
// service that could not read a question may not be able to sign its answer either.
// Without certificates every answer does.
func Genuine(raw []byte, id string, signers []*x509.Certificate) ([]byte, error) {
	if len(signers) == 0 {
		return raw, nil
	}
	if envelope, err := native.XML(raw); err != nil || envelope.Get("Body/Fault").Has() {
		return raw, err
	}
	signed, err := wss.Open(raw, signers, time.Now())
	if err != nil {
		return nil, err
	}
	envelope, err := native.XML(signed)
	if err != nil || envelope.Text("Header/RelatesTo") != id {
		return nil, adapters.BadData("/Envelope/Header/RelatesTo", "an answer to this question")
	}
	return signed, nil
}

// Body gives the one element in the body of an envelope. A fault is the error that it means.
func Body(raw []byte) (native.Node, error) {
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
	return roots[0], nil
}

// list takes the records out of an answer. One without records says itself that there are
// none: by the element of the mapping (nothing), or by the one in which they would stand,
// with nothing else in it. What stands around them and nobody knows is told, and refused
// where it may be an error.
func (p *plan) list(raw []byte) (list source.List, err error) {
	root, err := p.root(raw)
	if err != nil {
		return list, err
	}
	name, path, _ := strings.Cut(p.rows, "/")
	if root.Name() != name {
		return list, root.Bad("", "the element that rows begins with")
	}
	t := native.Table{Format: "XML answer", Ignored: []string{path + "[]/*"}}
	for _, other := range append([]string{p.nothing}, p.around...) {
		if inside, ok := strings.CutPrefix(other, name+"/"); ok {
			t.Ignored = append(t.Ignored, inside+"/*")
		}
	}
	if list.Unknown, err = t.Check(root); err != nil {
		return source.List{}, err
	}
	for _, u := range list.Unknown {
		if slices.Contains(faults(), strings.ToLower(u.Name())) && !u.Empty() {
			return source.List{}, root.Bad("", "no error beside the records")
		}
	}
	list.Records = root.Begun(path)
	if len(list.Records) > 0 {
		return list, nil
	}
	if inside, ok := strings.CutPrefix(p.nothing, name+"/"); ok && there(root, inside) {
		return list, nil
	}
	if parent := path[:max(strings.LastIndexByte(path, '/'), 0)]; p.nothing == "" && len(list.Unknown) == 0 && there(root, parent) {
		return list, nil
	}
	return source.List{}, root.Bad(path, "a record, or that there is none")
}

func (p *plan) root(raw []byte) (native.Node, error) {
	if p.version == bare {
		return native.XML(raw)
	}
	return Body(raw)
}

// there reports whether an element stands at a path, be it empty.
func there(n native.Node, path string) bool {
	return path == "" || len(n.All(path)) > 0 || n.Get(path).Has()
}

func faults() []string {
	return []string{"fault", "fout", "fouten", "foutmelding", "error", "errors", "exception", "problem", "nietgerechtigd"}
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
