package source_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters/source"
)

func TestTogether(t *testing.T) {
	waits := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	broken := errors.New("broken")
	require.NoError(t, source.Together(t.Context()))

	// All are under way at once: each waits for the other.
	a, b := make(chan bool), make(chan bool)
	require.NoError(t, source.Together(t.Context(),
		func(context.Context) error { close(a); <-b; return nil },
		func(context.Context) error { close(b); <-a; return nil },
	))
	// The first that fails ends the others, whichever it is.
	fails := func(context.Context) error { return broken }
	require.ErrorIs(t, source.Together(t.Context(), waits, fails, waits), broken)
	require.ErrorIs(t, source.Together(t.Context(), fails, waits), broken)
	// A panic is the caller's.
	require.PanicsWithValue(t, "panic", func() {
		_ = source.Together(t.Context(), waits, func(context.Context) error { panic("panic") })
	})
	// It ends with the caller.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, source.Together(ctx, waits, waits), context.Canceled)
}
