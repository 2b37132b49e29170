package uwv

import (
	"crypto/tls"
	"time"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/wss"
)

// The service is the one at which benefits of UWV are to be expected: its name and its
// operation are published, the schema of its answer is not. What it holds is taken to be
// as in the published service of SVB, which has the same basic schema.
const (
	service   = "UWVDossierWerknemersverzekeringenGSD"
	operation = "UWVPersoonsWvInfo"
	space     = "http://bkwi.nl/SuwiML/Diensten/" + service + "/v0200"
	action    = "http://bkwi.nl/SuwiML/Diensten/" + service + "-v0200/" + operation
)

// anonymous is where WS-Addressing wants the answer: on the connection of the request.
const anonymous = "http://www.w3.org/2005/08/addressing/anonymous"

// request is a question about one person, by number alone: that is all that the published
// questions name. Of what the answer holds of a law that was not asked for nothing is told.
type request struct {
	to   string // address of the service
	id   string // of the message: the answer names it
	bsn  adapters.BSN
	now  time.Time
	with tls.Certificate
}

// write gives the envelope, with the headers of WS-Addressing and a signature over each of
// them and over the body. That the certificate is the one of the connection is assumed.
func (q request) write() ([]byte, error) {
	return wss.Sign(q.with, q.now, []wss.Part{
		wss.Header("Action", "action", action),
		wss.Header("MessageID", "message", q.id),
		wss.Header("To", "to", q.to),
		wss.Header("ReplyTo", "reply", "").Holding("<wsa:Address>" + anonymous + "</wsa:Address>"),
	}, `<smls:`+operation+` xmlns:smls="`+space+`"><Burgerservicenr>`+q.bsn.Reveal()+`</Burgerservicenr></smls:`+operation+`>`)
}
