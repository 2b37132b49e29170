package uwv

import (
	"slices"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/native"
	"github.com/ontschot/ontschot/adapters/soap"
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
	root, err := soap.Body(raw)
	if err != nil {
		return native.Node{}, err
	}
	return chosen(root, out)
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
