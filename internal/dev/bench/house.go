package bench

import (
	"context"
	_ "embed" // the case
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/internal/dev/family"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

//go:embed case.json
var caseJSON []byte

// house is a folder with keys and documents of the one person and the one source.
type house struct {
	dir    string
	family *family.Family
	mu     sync.Mutex
	token  string
	until  time.Time
}

// newHouse makes a folder of its own, with a gateway whose only source is the care office.
func newHouse(dir string, fromMemory bool) (*house, error) {
	c, err := casefile.Parse(caseJSON)
	if err != nil {
		return nil, err
	}
	f, err := family.New(c, time.Now())
	if err != nil {
		return nil, err
	}
	layout, err := f.FreeLayout()
	if err != nil {
		return nil, err
	}
	if err := f.Write(dir, layout); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "case.json"), caseJSON, 0o600); err != nil {
		return nil, err
	}
	h := &house{dir: dir, family: f}
	return h, h.onlySource("ZK5503", fromMemory)
}

// onlySource leaves one source in the configuration of the gateway.
func (h *house) onlySource(party string, fromMemory bool) error {
	return h.rewrite("", func(conf *config.Gateway) {
		conf.Sources = slices.DeleteFunc(conf.Sources, func(s config.Source) bool { return s.Party != party })
		if fromMemory {
			conf.Sources[0] = fromMemoryOf(conf.Sources[0])
		}
	})
}

// fromMemoryOf is a source with the adapter that answers from memory.
func fromMemoryOf(s config.Source) config.Source {
	return config.Source{
		Party: s.Party, Adapter: Memory,
		Settings: config.Settings{Config: map[string]any{"party": s.Party}, Secrets: map[string]string{"record_key": s.Secrets["record_key"]}},
	}
}

// federate moves the one source behind the gateway of its own organisation.
func (h *house) federate() error {
	var source config.Source
	if err := h.rewrite("", func(conf *config.Gateway) {
		source = conf.Sources[0]
		conf.Sources = []config.Source{{Party: source.Party, Peer: true}}
	}); err != nil {
		return err
	}
	source.Secrets["record_key"] = filepath.Join("../..", source.Secrets["record_key"])
	return h.rewrite(filepath.Join("peers", source.Party), func(conf *config.Gateway) { conf.Sources = []config.Source{source} })
}

// rewrite changes the configuration of the gateway in a folder.
func (h *house) rewrite(at string, change func(*config.Gateway)) error {
	path := filepath.Join(h.dir, at, "gateway.yaml")
	conf, err := config.ReadGateway(path)
	if err != nil {
		return err
	}
	change(conf)
	raw, err := yaml.Marshal(conf)
	if err != nil {
		return err
	}
	return os.WriteFile(path, raw, 0o600)
}

// bearer gives a token that is good for minutes; a system keeps one as long.
func (h *house) bearer() (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if now := time.Now(); now.After(h.until) {
		token, err := h.family.Token(now, nil)
		if err != nil {
			return "", err
		}
		h.token, h.until = token, now.Add(2*time.Minute)
	}
	return h.token, nil
}

// request asks about the one person at the one source.
func (h *house) request() *ontschotv1.AssembleBudgetRequest {
	c := h.family.Case
	m := c.Household[0]
	return &ontschotv1.AssembleBudgetRequest{
		Purpose: c.Purpose, Window: &budgetv1.Window{From: c.Window.From.String(), To: c.Window.To.String()},
		Persons: []*ontschotv1.Person{{
			Ref: string(m.Ref), Born: m.Born.String(), Identifiers: &budgetv1.Identifiers{Bsn: m.BSN},
			Residences: []*ontschotv1.Residence{{Municipality: m.Municipality[0].Code}},
		}},
		Asks: []*ontschotv1.Ask{{Person: string(m.Ref), Source: "ZK5503"}},
	}
}

// sandbox starts the care office's own system as a process.
func (h *house) sandbox(ctx context.Context, log io.Writer) (stop func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	c := exec.CommandContext(ctx, self, "sandbox", "--case", filepath.Join(h.dir, "case.json"), "--dir", h.dir)
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	c.Stderr = log
	if err := c.Start(); err != nil {
		cancel()
		return nil, err
	}
	return func() { cancel(); _ = c.Wait() }, nil
}

// gateway starts a gateway of this build, or of another program, on a folder, after those of
// others that answer it, and the system that asks it.
func (h *house) gateway(ctx context.Context, s *system, log io.Writer, others ...string) (*system, error) {
	s.request, s.token = h.request(), h.bearer
	gateway := func(at string) (*process, error) {
		return launch(ctx, job{program: s.program, name: PartGateway, dir: filepath.Join(h.dir, at)}, log)
	}
	for _, at := range others {
		p, err := gateway(at)
		if err != nil {
			return nil, err
		}
		s.others = append(s.others, p)
	}
	var err error
	if s.process, err = gateway(""); err != nil {
		return nil, err
	}
	if err := s.connect(h.dir, s.process.first.Address); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for err = s.question(ctx); err != nil && ctx.Err() == nil; err = s.question(ctx) {
		time.Sleep(50 * time.Millisecond) // its source may still be starting
	}
	if err != nil {
		return nil, fmt.Errorf("%s does not answer: %w", s.name, err)
	}
	return s, nil
}
