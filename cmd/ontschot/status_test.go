package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/internal/server"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// Whatever needs attention is said in both languages, in one line, with which one it is.
func TestAttentionSaysWhatToDo(t *testing.T) {
	for code, one := range map[string]bool{
		server.AttentionAdapter: true, server.AttentionPeer: true, server.AttentionCertificate: false, server.AttentionAuthority: true, server.AttentionList: true,
		server.AttentionPolicy: false, server.AttentionDirectory: false, server.AttentionLog: false, server.AttentionDocuments: true, server.AttentionExport: false,
	} {
		a := &ontschotv1.Attention{Code: code, Subject: "WHICH", Why: "x"}
		nl, en := (&page{lang: "nl"}).attention(a), (&page{lang: "en"}).attention(a)
		require.NotEqual(t, nl, en)
		for _, text := range []string{nl, en} {
			require.GreaterOrEqual(t, strings.Count(text, ".")+strings.Count(text, ":"), 2, "what is wrong, and what to do: %s", text)
			require.Equal(t, one, strings.Contains(text, "WHICH"), text)
		}
	}
	require.Equal(t, "NEWER a b", (&page{lang: "nl"}).attention(&ontschotv1.Attention{Code: "NEWER", Subject: "a", Why: "b"}), "of a newer gateway")
}
