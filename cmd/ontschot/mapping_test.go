package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters/host"
	"github.com/ontschot/ontschot/internal/config"
)

// An agency without a programmer: adapter rest, csv, ... and a mapping in gateway.yaml give
// the same budget as the adapter that has that mapping compiled in.
func TestAMappingInTheConfigurationIsAnAdapter(t *testing.T) {
	want, err := play(t, open(t, "woerden"), options{}).ask()
	require.NoError(t, err)
	var moved []string
	h := play(t, open(t, "woerden"), options{change: func(c *config.Gateway) {
		for i, s := range c.Sources {
			path, err := filepath.Abs("../../adapters/" + s.Adapter + "/mapping.yaml")
			require.NoError(t, err)
			if _, err := os.Stat(path); err == nil {
				c.Sources[i].Adapter, c.Sources[i].ConfigFiles["mapping"] = "rest", path
				moved = append(moved, s.Party)
			}
		}
	}})
	require.NotEmpty(t, moved)
	for _, party := range moved {
		require.Equal(t, host.Ready, h.server.Adapters[party].Status().State)
		require.Equal(t, "rest", h.server.Adapters[party].Status().Describe.GetId())
	}
	got, err := h.ask()
	require.NoError(t, err)
	require.Equal(t, want.GetCareTotalCents(), got.GetCareTotalCents())
	require.Len(t, got.GetLines(), len(want.GetLines()))
	require.Len(t, got.GetGaps(), len(want.GetGaps()))
	for i, l := range want.GetLines() {
		require.Equal(t, l.GetId()+l.GetAmount().String()+l.GetIncome().String(), got.GetLines()[i].GetId()+got.GetLines()[i].GetAmount().String()+got.GetLines()[i].GetIncome().String())
	}
}
