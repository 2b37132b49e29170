package exam

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
)

// notConfiguredYet: before it has a configuration it answers nothing, and says why.
func notConfiguredYet(ctx context.Context, x *examination) *finding {
	t, f := x.open(ctx)
	if f != nil {
		return f
	}
	defer t.close()
	return unconfigured(ctx, x, t)
}

func unconfigured(ctx context.Context, x *examination, t *target) *finding {
	_, err := t.fetch(ctx, x.question(x.Persons.unknown()))
	if status.Code(err) != codes.FailedPrecondition || reason(err) != notConfigured {
		return fails("Fetch geeft %s", "Fetch gives %s", outcome(err))
	}
	return nil
}

// accepted: it takes the configuration that was given.
func accepted(ctx context.Context, x *examination) *finding {
	_, f := x.adapter(ctx)
	return f
}

// mutated: each mistake that its own schema refuses is a finding at the key, when it is only
// looked at and when it is to be taken.
func mutated(ctx context.Context, x *examination) *finding {
	list := mutations(x.what.GetConfigSchema(), x.JSON)
	if len(list) == 0 {
		list = []mutation{{path: strangeKey, config: with(x.JSON, strangeKey, "x")}}
	}
	t, f := x.open(ctx)
	if f != nil {
		return f
	}
	defer t.close()
	for _, m := range list {
		if slices.Contains(x.what.GetCapabilities(), canValidate) {
			a, err := t.asks.ValidateConfig(ctx, &adapterv1.ValidateConfigRequest{Config: m.config, Secrets: x.Secrets})
			if f := m.judge("ValidateConfig", a.GetFindings(), err); f != nil {
				return f
			}
		}
		found, err := t.configure(ctx, m.config, x.Secrets)
		if f := m.judge("Configure", found, err); f != nil {
			return f
		}
	}
	return passes("%d fouten gevonden", "%d mistakes found", len(list))
}

// judge holds findings against the mistake that was made.
func (m mutation) judge(call string, found []*adapterv1.ConfigFinding, err error) *finding {
	switch {
	case err != nil:
		return fails("%s, %s (%s): %s in plaats van een bevinding", "%s, %s (%s): %s instead of a finding", call, m.path, m.what, outcome(err))
	case len(found) == 0:
		return fails("%s, %s (%s): geen bevinding", "%s, %s (%s): no finding", call, m.path, m.what)
	case !slices.ContainsFunc(found, func(f *adapterv1.ConfigFinding) bool {
		return f.GetPath() == m.path || strings.HasPrefix(f.GetPath(), m.path+".")
	}):
		return fails("%s, %s (%s): de bevinding noemt een ander pad:%s", "%s, %s (%s): the finding names another path:%s", call, m.path, m.what, paths(found))
	}
	return nil
}

// worded: findings have a text in both languages.
func worded(ctx context.Context, x *examination) *finding {
	t, f := x.open(ctx)
	if f != nil {
		return f
	}
	defer t.close()
	found, err := t.configure(ctx, with(x.JSON, strangeKey, "x"), x.Secrets)
	if err != nil || len(found) == 0 {
		return fails("een onbekende sleutel geeft %s", "an unknown key gives %s", outcome(err))
	}
	for _, one := range found {
		if one.GetPath() == "" || one.GetTextNl() == "" || one.GetTextEn() == "" {
			return fails("pad, text_nl of text_en is leeg", "path, text_nl or text_en is empty")
		}
	}
	return nil
}

// twice: the same configuration again changes nothing.
func twice(ctx context.Context, x *examination) *finding {
	t, f := x.adapter(ctx)
	if f != nil {
		return f
	}
	found, err := t.configure(ctx, x.config(), x.Secrets)
	if err != nil || len(found) > 0 {
		return fails("de tweede keer: %s%s", "the second time: %s%s", outcome(err), paths(found))
	}
	return x.asBefore(ctx, t)
}

// asBefore asks about somebody, and wants the answer that there was.
func (x *examination) asBefore(ctx context.Context, t *target) *finding {
	p, before, f := x.someone(ctx)
	if f != nil {
		return f
	}
	r, err := t.fetch(ctx, x.question(p.Numbers))
	if err != nil {
		return fails("over %s komt nu %s", "about %s there now comes %s", p.ID, outcome(err))
	}
	if now := settled(r); !before.same(now) {
		return fails("over %s is nu anders: %s", "about %s is another now: %s", p.ID, before.differs(now))
	}
	return nil
}

// oldStays: a configuration that it refuses leaves the one it had.
func oldStays(ctx context.Context, x *examination) *finding {
	t, f := x.configured(ctx)
	if f != nil {
		return f
	}
	defer t.close()
	for _, raw := range [][]byte{with(x.JSON, strangeKey, "x"), []byte("{"), []byte(`[]`), {}} {
		found, err := t.configure(ctx, raw, x.Secrets)
		if err == nil && len(found) == 0 {
			return fails("het neemt een verkeerde configuratie aan", "it takes a wrong configuration")
		}
		if f := x.asBefore(ctx, t); f != nil {
			return f
		}
	}
	return nil
}

// takesNothing: to look at a configuration is not to take it.
func takesNothing(ctx context.Context, x *examination) *finding {
	if !slices.Contains(x.what.GetCapabilities(), canValidate) {
		return beside("het heeft ValidateConfig niet", "it does not have ValidateConfig")
	}
	t, f := x.open(ctx)
	if f != nil {
		return f
	}
	defer t.close()
	a, err := t.asks.ValidateConfig(ctx, &adapterv1.ValidateConfigRequest{Config: x.config(), Secrets: x.Secrets})
	if err != nil || len(a.GetFindings()) > 0 {
		return fails("ValidateConfig van de gegeven configuratie: %s%s", "ValidateConfig of the configuration that was given: %s%s", outcome(err), paths(a.GetFindings()))
	}
	return unconfigured(ctx, x, t)
}

// underLoad: it is configured again while it is asked, and no question fails.
func underLoad(ctx context.Context, x *examination) *finding {
	t, f := x.adapter(ctx)
	if f != nil {
		return f
	}
	p, before, f := x.someone(ctx)
	if f != nil {
		return f
	}
	done := make(chan struct{})
	var wait sync.WaitGroup
	var mu sync.Mutex
	var wrong *finding
	asked := 0
	for range 4 {
		wait.Go(func() {
			for {
				r, err := t.fetch(ctx, x.question(p.Numbers))
				mu.Lock()
				asked++
				switch {
				case err != nil:
					wrong = fails("een vraag geeft %s", "a question gives %s", outcome(err))
				case !before.same(settled(r)):
					wrong = fails("een antwoord is anders: %s", "an answer is another: %s", before.differs(settled(r)))
				}
				stop := wrong != nil
				mu.Unlock()
				select {
				case <-done:
					return
				default:
				}
				if stop {
					return
				}
			}
		})
	}
	for range 8 {
		if found, err := t.configure(ctx, x.config(), x.Secrets); err != nil || len(found) > 0 {
			wrong = fails("de configuratie wordt nu geweigerd: %s%s", "the configuration is refused now: %s%s", outcome(err), paths(found))
			break
		}
	}
	close(done)
	wait.Wait()
	if wrong == nil {
		return passes("%d vragen, 8 configuraties", "%d questions, 8 configurations", asked)
	}
	return wrong
}

// secretsLeak has it meet secrets of ours in configurations that are wrong, and right ones.
func secretsLeak(ctx context.Context, x *examination) *finding {
	t, f := x.open(ctx)
	if f != nil {
		return f
	}
	invented := map[string]string{}
	for name := range x.Secrets {
		invented[name] = "kanarie-geheim-" + name
		x.ears.secret(invented[name])
	}
	for _, raw := range [][]byte{x.JSON, with(x.JSON, strangeKey, "x"), []byte("{")} {
		for _, secrets := range []map[string]string{invented, nil} {
			if _, err := t.configure(ctx, raw, secrets); err == nil {
				_, _ = t.fetch(ctx, x.question(x.Persons.unknown()))
			}
		}
	}
	t.close()
	for _, sink := range []string{inStream, inError, inAnswer} {
		if n := x.ears.count(ofSecret, sink); n > 0 {
			return fails("%d keer in: %s", "%d times in: %s", n, sink)
		}
	}
	return nil
}

// with gives a configuration with another value under a key.
func with(raw []byte, key string, value any) []byte {
	var object map[string]any
	if json.Unmarshal(raw, &object) != nil || object == nil {
		object = map[string]any{}
	}
	object[key] = value
	again, _ := json.Marshal(object) // it is made of JSON
	return again
}
