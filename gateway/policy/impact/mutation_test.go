package impact

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/policies"
)

// mutator makes small changes of the files of the rules, at random and the same each time.
type mutator struct {
	random *rand.Rand
	files  []string
}

func newMutator(t *testing.T, seed uint64) *mutator {
	m := &mutator{random: rand.New(rand.NewPCG(7, seed))}
	for _, pattern := range []string{"rules/matrix/*/data.yaml", "rules/overlays/*/data.yaml", "rules/core/*.rego"} {
		found, err := fs.Glob(policies.FS, pattern)
		require.NoError(t, err)
		m.files = append(m.files, found...)
	}
	for _, list := range []string{"statutes", "operations", "signers", "assurance"} {
		m.files = append(m.files, "rules/catalog/"+list+"/data.yaml")
	}
	m.files = slices.DeleteFunc(m.files, func(file string) bool { return strings.HasSuffix(file, "_test.rego") })
	require.Greater(t, len(m.files), 12)
	return m
}

// swaps are words of which one may stand where another does.
func swaps() [][]string {
	return [][]string{
		{"entitlement", "product", "period", "quantity", "amount", "income", "spending", "own_contribution", "reference", "provider"},
		{"consulent", "regisseur", "kwaliteitsmedewerker"}, {"laag", "substantieel", "hoog"}, {"group", "exists", "none"},
		{"avg-6-1-a", "avg-6-1-c", "avg-6-1-e"}, {"true", "false"}, {"betrokkene", "functionaris"}, {"persons: 1", "persons: 2"},
		{"retention_days: 90", "retention_days: 30", "retention_days: 7"}, {"rank: 1", "rank: 2", "rank: 3"}, {"pooling", "sharing"},
		{"transport", "municipality", "uwv", "careoffice"}, {"2026-01-01", "2025-06-01", "2017-01-01", "2022-09-30"},
		{"==", "!="}, {"<=", "<", ">=", ">"}, {" & ", " | ", " - "}, {"not ", ""}, {"some ", "every "}, {" 0", " 1"},
		{"OVK-01", "OVK-02", "OVK-03"}, {"TOEST-01", "TOEST-02", "TOEST-03", "TOEST-04", "TOEST-05"}, {"VELD-00", "VELD-01", "VELD-02", "VELD-03"},
		{"GROND-01", "ROL-01", "DOEL-01"}, {"SYS-01", "SYS-02", "ROL-02"}, {"withdrawn", "wrong_signer", "authority_unclear", "active"},
		{"purposes", "sources"}, {"from", "until"}, {"requester", "source"}, {"id", "digest", "subject"},
		{"remove_roles", "remove_sources", "remove_categories"}, {"cell_checks", "agreement_checks", "consent_checks", "always"},
		{"granted", "agreed", "asked", "removed", "passing"},
	}
}

// next is a mutated folder, and what was done.
func (m *mutator) next(t *testing.T) (fs.FS, string) {
	file := m.files[m.random.IntN(len(m.files))]
	raw, err := fs.ReadFile(policies.FS, file)
	require.NoError(t, err)
	lines := strings.Split(string(raw), "\n")
	for {
		at := m.random.IntN(len(lines))
		line := lines[at]
		if text := strings.TrimSpace(line); text == "" || strings.HasPrefix(text, "#") || strings.HasPrefix(text, "package") {
			continue
		}
		if m.random.IntN(4) == 0 {
			done := slices.Delete(slices.Clone(lines), at, at+1)
			return with(t, file, done), fmt.Sprintf("%s:%d: without %q", file, at+1, line)
		}
		if changed := m.swap(line); changed != line {
			done := slices.Clone(lines)
			done[at] = changed
			return with(t, file, done), fmt.Sprintf("%s:%d: %q for %q", file, at+1, strings.TrimSpace(changed), strings.TrimSpace(line))
		}
	}
}

// swap puts another word in the place of one, if there is any that has another.
func (m *mutator) swap(line string) string {
	all := swaps()
	for range 20 {
		class := all[m.random.IntN(len(all))]
		word := class[m.random.IntN(len(class))]
		if word == "" {
			continue
		}
		pattern := regexp.MustCompile(regexp.QuoteMeta(word))
		found := pattern.FindAllStringIndex(line, -1)
		if len(found) == 0 {
			continue
		}
		at := found[m.random.IntN(len(found))]
		return line[:at[0]] + class[m.random.IntN(len(class))] + line[at[1]:]
	}
	return line
}

func with(t *testing.T, file string, lines []string) fs.FS {
	all := edited(t)
	all[file] = &fstest.MapFile{Data: []byte(strings.Join(lines, "\n"))}
	return all
}

// bench compares many revisions with one parent, and keeps what the parent comes to.
type bench struct {
	session *session
	parent  *policy.Core
	worlds  map[string]*world
}

func (b *bench) compare(t *testing.T, revision *policy.Core, door bool) (*comparison, differences, error) {
	words := readVocabulary(b.parent, revision)
	p := &comparison{name: "requests", rule: "data.core.decision", cores: [2]*policy.Core{b.parent, revision}}
	d, err := requests(words)
	if door {
		p.name, p.rule = "doors", "data.core.operation"
		d, err = doors(words)
	}
	require.NoError(t, err)
	key := fmt.Sprint(p.name, d.dims)
	if b.worlds[key] == nil {
		b.worlds[key] = newWorld(b.session, d)
	}
	p.world = b.worlds[key]
	p.world.domain.cells = d.cells
	p.world.steps, p.world.evaluations, p.world.asked = 0, 0, map[*unit]map[string]bool{}
	if err := p.answer(t.Context()); err != nil {
		return nil, differences{}, err
	}
	found, err := p.world.compare(p.answers[0], p.answers[1])
	return p, found, err
}

// witnessed holds that each change that is named is one: both engines answer its witness, and
// otherwise.
func (b *bench) witnessed(t *testing.T, p *comparison, found differences, what string) int {
	groups := p.groups(found)
	for _, g := range groups {
		point := p.plainest(g)
		require.NotNil(t, point, what)
		first, second := p.whole(t.Context(), 0, point), p.whole(t.Context(), 1, point)
		change, changed := compared(p.answers[0].read(first, p.category(point)), p.answers[1].read(second, p.category(point)))
		require.True(t, changed, "%s: named, and nothing changes: %v", what, p.domain.document(point))
		require.Equal(t, g.change, change, what)
	}
	return len(groups)
}

// searched looks for a change without the comparison, by both engines alone: around what is in
// order in every cell, and at random.
func (b *bench) searched(t *testing.T, p *comparison, random *rand.Rand, tries int) []int {
	differs := func(point []int) bool {
		_, changed := compared(p.answers[0].read(p.whole(t.Context(), 0, point), p.category(point)), p.answers[1].read(p.whole(t.Context(), 1, point), p.category(point)))
		return changed
	}
	for _, cell := range p.domain.cells {
		point := p.domain.witness(cell)
		if differs(point) {
			return point
		}
		for range tries { // one or two dimensions beside it
			beside := slices.Clone(cell)
			for range 1 + random.IntN(2) {
				i := random.IntN(len(beside))
				beside[i] = 1 << random.IntN(len(p.domain.dims[i].values))
			}
			if point := p.domain.witness(beside); point != nil && differs(point) {
				return point
			}
		}
	}
	for range 20 * tries {
		if point := p.domain.draw(random); differs(point) {
			return point
		}
	}
	return nil
}

// Every mutation that changes an answer is named, and none is named that changes nothing.
// ONTSCHOT_LONG=1 tries 520 of them that load, and searches longer.
func TestEveryMutationThatChangesAnythingIsNamed(t *testing.T) {
	runs, count, tries := 1, 12, 2
	if os.Getenv("ONTSCHOT_LONG") != "" {
		runs, count, tries = 4, 130, 40
	}
	for seed := range uint64(runs) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			mutate(t, seed, count, tries)
		})
	}
}

// mutate tries so many mutations that load.
func mutate(t *testing.T, seed uint64, count, tries int) {
	m, b := newMutator(t, seed), &bench{newSession(), core(t, policies.FS), map[string]*world{}}
	random := rand.New(rand.NewPCG(9, seed))
	var refused, named, silent, unfit int
	for named+silent+unfit < count {
		fsys, what := m.next(t)
		revision, err := policy.ReadCore(t.Context(), fsys)
		if err != nil {
			require.ErrorIs(t, err, policy.ErrRules, what)
			refused++
			continue
		}
		groups := 0
		for _, door := range []bool{false, true} {
			p, found, err := b.compare(t, revision, door)
			if err != nil {
				require.ErrorIs(t, err, ErrFactor, what)
				groups, unfit = -1, unfit+1
				t.Log("not compared:", what, err)
				break
			}
			n := b.witnessed(t, p, found, what)
			if n == 0 {
				point := b.searched(t, p, random, tries)
				require.Nil(t, point, "%s: not named", what)
			}
			groups += n
		}
		switch {
		case groups > 0:
			named++
		case groups == 0:
			silent++
		}
		if done := named + silent + unfit; done%20 == 0 {
			t.Logf("%d mutations so far: %d named, %d change nothing, %d not compared", done, named, silent, unfit)
		}
		if len(b.worlds) > 8 || len(b.session.values) > 400_000 {
			b.worlds, b.session = map[string]*world{}, newSession()
		}
	}
	t.Logf("%d mutations: %d change an answer and are named, %d change none, %d cannot be compared and are refused; %d more do not load", count, named, silent, unfit, refused)
	require.Greater(t, named, count/4)
	require.LessOrEqual(t, unfit, count/4)
}
