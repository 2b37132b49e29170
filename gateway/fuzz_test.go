package gateway_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/server"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// some are those of a list whose bits are set.
func some[T any](list []T, bits uint16) []T {
	out := []T{}
	for i, one := range list {
		if bits&(1<<i) != 0 {
			out = append(out, one)
		}
	}
	return out
}

// answering is a source that answers what it was last set to, or cannot be read.
type answering struct {
	mu  sync.Mutex
	raw []byte
}

func (a *answering) says(raw []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.raw = raw
}

func (a *answering) Fetch(context.Context, *budgetv1.FetchRequest) (*budgetv1.FetchResponse, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := &budgetv1.FetchResponse{}
	return r, proto.Unmarshal(a.raw, r)
}

// FuzzRequest drives what a token names, what a person said yes to, what the parties
// agreed and what a source answers through the whole line, at a source of each kind.
// Whatever they are, the answer is a signed budget or a no with a reason.
func FuzzRequest(f *testing.F) {
	codesOf := []string{"GM0119", "ZK5503", "UWV", "SVB", "CAK"}
	categories := []string{}
	for _, c := range budgetv1.Categories() {
		categories = append(categories, string(c))
	}
	sources := map[string]*answering{}
	h := newHouse(f, func(g *server.BrokerConfig) {
		for _, code := range codesOf {
			sources[code] = &answering{}
			g.Sources[code] = sources[code]
		}
	})
	for i, code := range codesOf {
		r := &budgetv1.FetchResponse{Adapter: "played", Version: "1.0.0", AsOfMs: 1751241600000, AnswerId: "answer"}
		(&source{code, h.seams}).fill(r)
		raw, err := proto.Marshal(r)
		require.NoError(f, err)
		f.Add(uint8(i), uint16(0xffff), uint16(0xffff), uint16(0xffff), uint16(0xffff), raw)
		f.Add(uint8(i), uint16(0xffff), uint16(0xffff), uint16(1|16), uint16(0xffff), raw)
		f.Add(uint8(i), uint16(0xffff), uint16(1), uint16(0xffff), uint16(0xffff), raw)
		f.Add(uint8(i), uint16(0), uint16(0), uint16(0), uint16(0), []byte{})
		f.Add(uint8(i), uint16(0xffff), uint16(0xffff), uint16(0xffff), uint16(0), raw)
	}
	f.Fuzz(func(t *testing.T, which uint8, tokenSources, tokenCategories, granted, agreed uint16, answer []byte) {
		h.t = t
		code := codesOf[int(which)%len(codesOf)]
		for _, s := range sources {
			s.says(answer)
		}
		if code != "GM0119" {
			// Two agreements that overlap: the first of all that is agreed, the second of this.
			raw, err := h.family.Agreement(code, func(a *agreement.Terms) {
				a.Replaces, a.Grants[0].Categories = h.agreements[code], some(categories, agreed)
			})
			require.NoError(t, err)
			if registered, err := h.TakeIn(context.Background(), &ontschotv1.RegisterRequest{Document: raw}); err == nil {
				h.agreements[code] = registered.GetId()
			}
		}
		p, q := h.person("P"), h.person("Q")
		for who, grants := range map[person][]*ontschotv1.ConsentGrant{
			p: {{Source: code, Categories: some(categories, granted)}}, q: {{Source: code, Categories: []string{"*"}}},
		} {
			yes := &ontschotv1.ConsentQuestion{Person: who.message(), Purpose: h.family.Case.Purpose, Grants: grants, From: h.family.Case.Today.String()}
			notice, err := h.AskConsent(h.municipality().call(), &ontschotv1.AskConsentRequest{Question: proto.CloneOf(yes)})
			if err == nil {
				_, err = h.GiveConsent(h.municipality().call(), &ontschotv1.GiveConsentRequest{
					Question: yes, NoticeSha256: notice.GetNotice().GetSha256Nl(),
					Signatures: []*ontschotv1.ConsentSignature{{Role: "self", Kind: "digid", Loa: "substantieel", Sha256: sha(who.bsn)}},
				})
			}
			require.NotEqual(t, codes.Internal, codeOf(err))
		}
		asks := h.municipality()
		raw, err := h.family.Token(h.now(), func(c *token.Claims) {
			c.Details[0].Categories = some(categories, tokenCategories)
			c.Details[0].Sources = nil
			for _, s := range some(codesOf, tokenSources) {
				c.Details[0].Sources = append(c.Details[0].Sources, string(h.oin(s)))
			}
		})
		require.NoError(t, err)
		asks.token = raw
		b, err := h.guarded(asks.call(), h.request([]person{p, q}, [2]string{"P", code}, [2]string{"Q", code}, [2]string{"P", "GM0119"}))
		if code == "GM0119" { // asked twice is refused: ask once
			b, err = h.guarded(asks.call(), h.request([]person{p, q}, [2]string{"P", code}, [2]string{"Q", code}))
		}
		require.NotEqual(t, codes.Internal, codeOf(err))
		require.NotEqual(t, codes.Unknown, codeOf(err))
		require.Empty(t, h.record.failed, "a panic")
		if err != nil {
			require.NotEmpty(t, reasonOf(err))
			return
		}
		require.NotEmpty(t, b.GetSignature())
		for _, gap := range b.GetGaps() {
			require.Contains(t, budgetv1.GapReasons(), gap.GetReason())
			require.NotEmpty(t, gap.GetTextNl())
			require.NotEmpty(t, gap.GetTextEn())
		}
		b.Receipt = nil
		require.Empty(t, budgetv1.Unprintable(b))
	})
}
