package main

import (
	"context"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// What a gateway says to systemd of itself (sd_notify(3)), when that started it; to nobody else.
func sayReady(status string) {
	line, _, _ := strings.Cut(status, "\n")
	notify(daemon.SdNotifyReady, "STATUS="+line)
}
func sayReloading() { notify(daemon.SdNotifyReloading) }
func sayStopping()  { notify(daemon.SdNotifyStopping) }

func notify(states ...string) {
	for _, s := range states {
		_, _ = daemon.SdNotify(false, s) // nobody listens: then nobody needs to know
	}
}

// watchdog says twice in the time that systemd gives (WatchdogSec) that the gateway lives, if
// asking it comes back in that half. An answer that is an error is one: whoever asks is told so,
// and another start would not mend it. It ends with the context, and at once without a watchdog.
func watchdog(ctx context.Context, ask func(context.Context) error) {
	patience, err := daemon.SdWatchdogEnabled(false)
	if err != nil || patience == 0 {
		return
	}
	every := time.NewTicker(patience / 2)
	defer every.Stop()
	for {
		if answers(ctx, patience/2, ask) {
			notify(daemon.SdNotifyWatchdog)
		}
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
	}
}

// answers reports whether something comes back in time, whether or not it heeds its context.
func answers(ctx context.Context, most time.Duration, ask func(context.Context) error) bool {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	back := make(chan struct{})
	go func() { _ = ask(ctx); close(back) }()
	select {
	case <-back:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
