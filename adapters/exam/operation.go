package exam

import (
	"context"
	"time"
)

// Bounds of what an adapter should need.
const (
	shouldStart = 2 * time.Second
	mostIdle    = 64 << 10 // KiB
	mostGrowth  = 32 << 10 // KiB, over the whole soak
)

func startsSoon(_ context.Context, x *examination) *finding {
	if x.started > shouldStart {
		return fails("%d ms", "%d ms", x.started.Milliseconds())
	}
	return passes("%d ms", "%d ms", x.started.Milliseconds())
}

// idles: an adapter that was configured and has nothing to do holds little memory.
func idles(ctx context.Context, x *examination) *finding {
	t, f := x.configured(ctx)
	if f != nil {
		return f
	}
	defer t.close()
	time.Sleep(5 * glance) // what it does after it was configured
	x.figures.IdleKiB = private(t.pid())
	if x.figures.IdleKiB > mostIdle {
		return fails("%d KiB", "%d KiB", x.figures.IdleKiB)
	}
	return passes("%d KiB", "%d KiB", x.figures.IdleKiB)
}

// soaks: many questions in a row do not make it grow.
func soaks(ctx context.Context, x *examination) *finding {
	t, f := x.adapter(ctx)
	if f != nil {
		return f
	}
	const atOnce = 8
	if f := x.crowd(ctx, t, x.Soak/4+1, atOnce); f != nil {
		return f
	}
	before := private(t.pid())
	if f := x.crowd(ctx, t, x.Soak, atOnce); f != nil {
		return f
	}
	x.figures.SoakCalls, x.figures.SoakGrowthKiB = x.Soak, private(t.pid())-before
	if x.figures.SoakGrowthKiB > mostGrowth {
		return fails("%d KiB erbij na %d vragen", "%d KiB more after %d questions", x.figures.SoakGrowthKiB, x.Soak)
	}
	return passes("%+d KiB na %d vragen", "%+d KiB after %d questions", x.figures.SoakGrowthKiB, x.Soak)
}
