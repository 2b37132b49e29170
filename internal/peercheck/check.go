package peercheck

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	"github.com/ontschot/ontschot/internal/certificate"
	"github.com/ontschot/ontschot/internal/config"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// Bounds of one hop.
const (
	patience = 3 * time.Second
	maxSkew  = 2 * time.Second // as permits allow
)

// version of PeerService that this program speaks.
const speaks = 1

// Check is one gateway asking after another.
type Check struct {
	Conf    *config.Gateway
	Trust   *config.Trust // with the directory under it
	Own     config.Organisation
	Holder  *certificate.Holder // that shows our certificate; nil: ours cannot be used
	Purpose string              // of the question about nobody
	Now     func() time.Time
	Texts   Texts
}

// Of tries every hop to a party, in order, as far as they rest on each other.
func (c Check) Of(ctx context.Context, code string) *Report {
	r := &Report{Party: code, texts: c.Texts}
	party, err := c.Trust.Party(code)
	switch {
	case err != nil || party.Unlisted:
		r.fault("trust", noParty)
		return r
	case party.Gateway == "":
		r.fault("trust", noAddress)
		return r
	case c.Holder == nil:
		r.fault("tls", ownUnused)
		return r
	}
	r.good("trust", inTrust, string(party.OIN), party.Gateway)
	if !c.connects(ctx, r, party) {
		return r
	}
	began := c.Now()
	theirs, err := c.describe(ctx, party.Gateway, party.Gateway, &ontschotv1.DescribeRequest{Purpose: c.Purpose})
	if !c.answered(r, theirs, err) {
		return r
	}
	c.clocks(r, theirs, began)
	ours, err := c.describe(ctx, c.local(), c.ownName(), &ontschotv1.DescribeRequest{About: string(party.OIN), Purpose: c.Purpose})
	if err != nil {
		r.fault("own gateway", ownSilent)
		return r
	}
	r.good("own gateway", ownAnswers)
	c.keys(r, ours, theirs)
	if agreed(r, ours, theirs) {
		c.policies(r, ours, theirs)
	}
	if theirs.GetAdapterReady() {
		r.good("adapter", adapterReady)
	} else {
		r.fault("adapter", noAdapter)
	}
	return r
}

// local is our own gateway, from this machine.
func (c Check) local() string {
	host, port, err := net.SplitHostPort(c.Conf.Listen)
	if ip := net.ParseIP(host); err == nil && (host == "" || ip != nil && ip.IsUnspecified()) {
		return net.JoinHostPort("localhost", port)
	}
	return c.Conf.Listen
}

// ownName is what our gateway's certificate is made out to: where others reach it, which is not
// where it listens on this machine.
func (c Check) ownName() string {
	if _, _, err := net.SplitHostPort(c.Own.Gateway); err == nil {
		return c.Own.Gateway
	}
	return c.local()
}

// connects tries name, TCP and TLS.
func (c Check) connects(ctx context.Context, r *Report, party config.Organisation) bool {
	host, port, err := net.SplitHostPort(party.Gateway)
	if err != nil {
		r.fault("trust", noAddress)
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, 3*patience)
	defer cancel()
	found, err := net.DefaultResolver.LookupHost(ctx, host)
	if err != nil || len(found) == 0 {
		r.fault("name", noName, host)
		return false
	}
	r.good("name", nameKnown, host)
	conn, err := (&net.Dialer{Timeout: patience}).DialContext(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		if errors.Is(err, syscall.ECONNREFUSED) {
			r.fault("tcp", tcpRefused, party.Gateway)
		} else { // nothing comes back, or the network itself says no
			r.fault("tcp", tcpSilent, party.Gateway)
		}
		return false
	}
	defer conn.Close()
	r.good("tcp", listening, party.Gateway)
	return c.shakes(ctx, r, party, host, conn)
}

// shakes tries TLS: which certificate, whether it is the party's, and whether ours is accepted.
func (c Check) shakes(ctx context.Context, r *Report, party config.Organisation, host string, conn net.Conn) bool {
	by := c.Holder.Client(host)
	verify := by.VerifyConnection
	by.NextProtos = []string{"h2"}
	var state tls.ConnectionState
	by.VerifyConnection = func(s tls.ConnectionState) error { state = s; return nil } // judged below, hop by hop
	line := tls.Client(conn, by)
	_ = conn.SetDeadline(time.Now().Add(patience))
	err := line.HandshakeContext(ctx)
	if len(state.PeerCertificates) == 0 {
		r.fault("tls", noTLS)
		return false
	}
	leaf := state.PeerCertificates[0]
	oin, errOIN := certificate.Peer(leaf)
	r.good("tls", certShown,
		printable(leaf.Subject.String()), orNone(string(oin)), leaf.NotAfter.UTC().Format(time.RFC3339))
	if errOIN != nil || oin != party.OIN {
		r.fault("oin", otherOIN, orNone(string(oin)), string(party.OIN))
		return false
	}
	r.good("oin", sameOIN)
	switch no := verify(state); {
	case errors.Is(no, certificate.ErrExpired):
		r.fault("authority", certEnded)
		return false
	case errors.Is(no, certificate.ErrRevoked):
		r.fault("authority", certRevoked)
		return false
	case errors.Is(no, certificate.ErrNoList):
		r.fault("authority", noList)
		return false
	case errors.Is(no, certificate.ErrUnknownAuthority):
		r.fault("authority", noRoot)
		return false
	case no != nil:
		r.fault("authority", certUnfit, host)
		return false
	}
	r.good("authority", rootKnown)
	// With TLS 1.3 a server says no to our certificate after the handshake: a gateway that
	// accepts it speaks first.
	if err == nil {
		_, err = line.Read(make([]byte, 1))
	}
	var late net.Error
	if err != nil && !(errors.As(err, &late) && late.Timeout()) {
		r.fault("our certificate", refused)
		return false
	}
	return true
}

// describe asks a gateway how it stands to us, or ours to another.
func (c Check) describe(ctx context.Context, address, madeOutTo string, q *ontschotv1.DescribeRequest) (*ontschotv1.DescribeResponse, error) {
	host, _, err := net.SplitHostPort(madeOutTo)
	if err != nil {
		return nil, err
	}
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(credentials.NewTLS(c.Holder.Client(host))), grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(1<<20)))
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return ontschotv1.NewPeerServiceClient(conn).Describe(ctx, q)
}

// answered judges whether the other gateway knows us and speaks as we do.
func (c Check) answered(r *Report, theirs *ontschotv1.DescribeResponse, err error) bool {
	switch reason := reasonOf(err); {
	case err == nil:
	case status.Code(err) == codes.Unimplemented:
		r.good("our certificate", accepted)
		r.fault("version", tooOld)
		return false
	case reason == ontschotv1.ReasonUnknownPeer:
		r.fault("our certificate", unknownUs)
		return false
	case reason == ontschotv1.ReasonCertificate:
		r.fault("our certificate", refused)
		return false
	default:
		r.fault("answer", silent, status.Code(err).String())
		return false
	}
	r.good("our certificate", accepted)
	if !slices.Contains(theirs.GetVersions(), speaks) {
		r.fault("version", version)
		return false
	}
	r.good("version", sameVersion, strconv.Itoa(speaks))
	return true
}

// clocks holds their clock against the middle of the call.
func (c Check) clocks(r *Report, theirs *ontschotv1.DescribeResponse, began time.Time) {
	ended := c.Now()
	apart := time.UnixMilli(theirs.GetNowMs()).Sub(began.Add(ended.Sub(began) / 2)).Round(100 * time.Millisecond)
	if apart.Abs()-ended.Sub(began)/2 > maxSkew {
		r.fault("clock", clock, apart.Abs().String())
		return
	}
	r.good("clock", sameTime)
}

// keys holds what each signs with against what the other has pinned.
func (c Check) keys(r *Report, ours, theirs *ontschotv1.DescribeResponse) {
	side{"our key", oursUnpin, oursGone}.pins(r, ours.GetSigning(), theirs.GetPinned())
	side{"their key", theirUnpin, theirGone}.pins(r, theirs.GetSigning(), ours.GetPinned())
}

// side is whose key it is, and what can be wrong with it.
type side struct {
	hop           string
	unknown, gone code
}

func (s side) pins(r *Report, key *ontschotv1.DescribedKey, all []*ontschotv1.DescribedKey) {
	id := printable(key.GetId())
	i := slices.IndexFunc(all, func(k *ontschotv1.DescribedKey) bool {
		return k.GetId() == key.GetId() && k.GetDigest() == key.GetDigest() && key.GetDigest() != ""
	})
	switch {
	case i < 0:
		r.fault(s.hop, s.unknown, id)
	case all[i].GetState() != ontschotv1.KeyInUse:
		r.fault(s.hop, s.gone, id)
	default:
		r.good(s.hop, pinned, id)
	}
}

// agreed reports whether an agreement is in force at both ends; else it says why none is.
func agreed(r *Report, ours, theirs *ontschotv1.DescribeResponse) bool {
	at := func(list []*ontschotv1.DescribedAgreement, id string) *ontschotv1.DescribedAgreement {
		i := slices.IndexFunc(list, func(a *ontschotv1.DescribedAgreement) bool { return a.GetId() == id })
		if i < 0 {
			return nil
		}
		return list[i]
	}
	differ := ""
	for _, a := range ours.GetAgreements() {
		b := at(theirs.GetAgreements(), a.GetId())
		if b == nil || a.GetStatus() != ontschotv1.StatusInForce || b.GetStatus() != ontschotv1.StatusInForce {
			continue
		}
		if a.GetTermsSha256() == b.GetTermsSha256() {
			r.good("agreement", inForce, printable(a.GetId()))
			return true
		}
		differ = a.GetId()
	}
	if differ != "" {
		r.fault("agreement", differs, printable(differ))
		return false
	}
	all := append(slices.Clone(ours.GetAgreements()), theirs.GetAgreements()...)
	if len(all) == 0 {
		r.fault("agreement", noAgreed)
		return false
	}
	newest := slices.MaxFunc(all, func(a, b *ontschotv1.DescribedAgreement) int { return strings.Compare(a.GetId(), b.GetId()) }).GetId()
	here, there := at(ours.GetAgreements(), newest), at(theirs.GetAgreements(), newest)
	if here == nil || there == nil {
		r.fault("agreement", oneSided, printable(newest))
		return false
	}
	r.fault("agreement", ended, printable(newest), printable(here.GetStatus()), printable(there.GetStatus()))
	return false
}

// policies says what would pass of a question about nobody, by each side's own policy.
func (c Check) policies(r *Report, ours, theirs *ontschotv1.DescribeResponse) {
	for _, side := range []struct {
		hop, repair string
		says        *ontschotv1.DescribeResponse
	}{{"our policy", You, ours}, {"their policy", They, theirs}} {
		withheld := []string{}
		for _, w := range side.says.GetWithheld() {
			one := printable(strings.Join(append([]string{w.GetReason(), w.GetCode()}, append(w.GetLaws(), w.GetCategories()...)...), " "))
			if !slices.Contains(withheld, one) {
				withheld = append(withheld, one)
			}
		}
		text := strings.Join(withheld, "; ")
		switch {
		case len(side.says.GetPasses()) == 0:
			r.say(Finding{Hop: side.hop, State: Fault, Repair: side.repair}, nothing, c.Purpose, orNone(text))
		case len(withheld) > 0:
			r.say(Finding{Hop: side.hop, State: Notice, Repair: side.repair}, withheldBy, c.Purpose, text)
		default:
			r.good(side.hop, everything, c.Purpose)
		}
	}
}

func reasonOf(err error) string {
	for _, d := range status.Convert(err).Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			return info.GetReason()
		}
	}
	return ""
}

func orNone(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// printable shortens what another gateway says, and lets nothing through that moves a cursor.
func printable(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' && r < 0xa1 {
			return -1
		}
		return r
	}, text)
	if len(text) > 200 {
		text = text[:200]
	}
	return strings.ToValidUTF8(text, "")
}
