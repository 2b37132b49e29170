package sql

import (
	"context"
	"database/sql"
	"encoding/json"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/mapping"
	"github.com/ontschot/ontschot/adapters/trial"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

const mapped = `
mapping: 1
id: gm0193-rights
version: 1.0.0
laws: [WMO, JW]
identifiers: [bsn]
source:
  kind: sql
  query: |
    -- what stands in a comment is no parameter: :nobody
    select r.bsn, r.wet, r.product, r.bedrag, r.vanaf, r.tot, r.besluit, r.besloten_op, 'it''s :text' as soort
    from rechten r
    where r.bsn = :person and (r.tot is null or r.tot::date >= :history) and r.vanaf <= :to
    order by r.besluit
person: r.bsn
fields:
  law: code(r.wet, "wet")
  kind: ENTITLEMENT
  form: PGB
  fungibility: POOLABLE
  product: {system: "code(r.wet, 'list')", code: r.product}
  period: {from: r.vanaf, to: r.tot}
  amount:
    cents: cents(r.bedrag)
    basis: PER_YEAR
  decision: {number: r.besluit, issued: r.besloten_op}
codes:
  wet:
    unknown: refuse
    values: {wmo: WMO, jw: JW}
  list:
    unknown: refuse
    values: {wmo: WMO020, jw: JZ020}
ignored: [soort]
tests:
  - name: a right
    answer: |
      [{"bsn": "999940004", "wet": "wmo", "product": "02", "bedrag": 1234.5, "vanaf": "2025-01-01", "tot": null, "besluit": "B1", "besloten_op": "2024-12-20", "soort": ""}]
    person: "999940004"
    lines:
      - {law: WMO, product: "02", cents: 123450, basis: PER_YEAR, from: 2025-01-01, to: "", number: B1, issued: 2024-12-20}
`

const schemaOfTheAgency = `
create table rechten (bsn text, wet text, product char(2), bedrag numeric(12,2), vanaf date, tot date, besluit text, besloten_op timestamptz);
insert into rechten values
  ('999940004', 'wmo', '02', 1234.50, '2025-01-01', 'infinity', 'B1', '2024-12-20 23:30+00'),
  ('999940004', 'jw', '45', 99999999.99, '2025-01-01', '2025-06-30', 'B2', null),
  ('999940004', 'wmo', '07', null, '2025-01-01', null, 'B3', null),
  ('999940004', 'wmo', '01', 1, '2020-01-01', '2020-12-31', 'B0', null),
  ('999940016', 'wmo', '02', 77, '2025-01-01', null, 'B9', null);
create user reader password 'reads';
grant select on rechten to reader;
create table secret (x int);`

// database is a server with what an agency has in it.
type database struct {
	trial.Postgres
	db *sql.DB // as its superuser
}

func start(t *testing.T) database {
	p := trial.NewPostgres(t)
	db, err := PostgreSQL{}.Open(Settings{Address: p.Address, Name: "postgres", User: p.User, CA: p.CA}, secret(p.Password), secret(""))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	d := database{p, db}
	d.exec(t, schemaOfTheAgency)
	return d
}

func (d database) exec(t *testing.T, statements string) {
	_, err := d.db.ExecContext(t.Context(), statements)
	require.NoError(t, err)
}

func secret(text string) adapters.Secret {
	return adapters.NewConfig(nil, map[string]string{"x": text}).Secret("x")
}

func (d database) run(t *testing.T, mapping string, change map[string]any, password string) *adapters.Service {
	config := map[string]any{"party": "GM0193", "address": d.Address, "database": "postgres", "user": "reader", "ca_pem": d.CA}
	for k, v := range change {
		config[k] = v
	}
	raw, err := json.Marshal(config)
	require.NoError(t, err)
	s := adapters.NewService(New([]byte(mapping)))
	require.Empty(t, trial.Configure(t, s, raw, map[string]string{"password": password}))
	return s
}

func TestItsOwnTestsPass(t *testing.T) {
	_, err := mapping.Validate(Kind{PostgreSQL{}}, []byte(mapped))
	require.NoError(t, err)
}

func TestPostgreSQL(t *testing.T) {
	d := start(t)
	ask := func(t *testing.T, s *adapters.Service, bsn string) (*budgetv1.FetchResponse, error) {
		return s.Fetch(t.Context(), trial.Request(bsn, "WMO", "JW"))
	}
	query := func(text string) string { // another query, in the same mapping
		before, rest, _ := strings.Cut(mapped, "  query: |")
		_, behind, _ := strings.Cut(rest, "person: r.bsn")
		return before + "  query: " + text + "\nperson: r.bsn" + behind
	}
	const columns = "select bsn, wet, product, bedrag, vanaf, tot, besluit, besloten_op, '' as soort from rechten "

	t.Run("rights of one person", func(t *testing.T) {
		a, err := ask(t, d.run(t, mapped, nil, "reads"), trial.Number)
		require.NoError(t, err)
		var got []string
		for _, l := range a.GetLines() {
			one := l.GetLaw() + " " + l.GetProduct().GetCode() + " " + l.GetPeriod().GetEnd() + " " + l.GetDecision().GetIssued()
			if l.GetAmount() != nil {
				one += " " + time.Duration(l.GetAmount().GetCents()).String()
			}
			got = append(got, one)
		}
		require.Equal(t, []string{"JW 45 2025-06-30  9.999999999s", "WMO 02  2024-12-21 123.45µs", "WMO 07  "}, got)
		require.Empty(t, a.GetNotices())
	})
	t.Run("what is asked is never SQL", func(t *testing.T) {
		s := d.run(t, strings.Replace(mapped, "identifiers: [bsn]", "identifiers: [pass_number]", 1), nil, "reads")
		r := trial.Request("", "WMO")
		r.Identifiers.PassNumber = "' or '1'='1"
		a, err := s.Fetch(t.Context(), r)
		require.NoError(t, err)
		require.Empty(t, a.GetLines())
		require.Empty(t, a.GetNotices())
	})
	t.Run("64 at once", func(t *testing.T) {
		s := d.run(t, mapped, nil, "reads")
		var all sync.WaitGroup
		for range 64 {
			all.Go(func() {
				if a, err := ask(t, s, trial.Number); err != nil || len(a.GetLines()) != 3 {
					t.Error(err)
				}
			})
		}
		all.Wait()
	})
	for name, c := range map[string]struct {
		mapping, user, password string
		config                  map[string]any
		reason, path            string
	}{
		"a query that writes":      {query("with w as (delete from rechten returning *) select bsn, wet, product, bedrag, vanaf, tot, besluit, besloten_op, '' as soort from w where bsn = :person"), "ontschot", d.Password, nil, adapters.ReasonAdapterBug, ""},
		"a column that is gone":    {query("select missing from rechten where bsn = :person"), "reader", "reads", nil, adapters.ReasonAdapterBug, ""},
		"a table that is not ours": {query("select x from secret where :person = ''"), "reader", "reads", nil, adapters.ReasonNotAuthorised, ""},
		"a float":                  {query("select bsn, wet, product, bedrag::float8 as bedrag, vanaf, tot, besluit, besloten_op from rechten where bsn = :person"), "reader", "reads", nil, adapters.ReasonBadData, "/columns/3"},
		"two columns of one name":  {query("select bsn, wet, Wet from rechten where bsn = :person"), "reader", "reads", nil, adapters.ReasonBadData, "/columns/2"},
		"not a number":             {query("select bsn, wet, product, 'NaN'::numeric as bedrag, vanaf, tot, besluit, besloten_op from rechten where bsn = :person"), "reader", "reads", nil, adapters.ReasonBadData, "/columns/3"},
		"a cast of what is there":  {query("select besluit::int from rechten where bsn = :person"), "reader", "reads", nil, adapters.ReasonBadData, "/rows"},
		"too many rows":            {query("select r.* , '' as soort from rechten r, generate_series(1,1000) where bsn = :person"), "reader", "reads", nil, adapters.ReasonBadData, "/rows"},
		"another password":         {mapped, "reader", "guessed", nil, adapters.ReasonNotAuthorised, ""},
		"no such database":         {mapped, "reader", "reads", map[string]any{"database": "other"}, adapters.ReasonAdapterBug, ""},
		"no server":                {mapped, "reader", "reads", map[string]any{"address": "127.0.0.1:1"}, adapters.ReasonSourceUnavailable, ""},
		"another authority":        {mapped, "reader", "reads", map[string]any{"ca_pem": trial.NewCA(t).PEM()}, adapters.ReasonSourceUnavailable, ""},
	} {
		t.Run(name, func(t *testing.T) {
			config := map[string]any{"user": c.user}
			for k, v := range c.config {
				config[k] = v
			}
			_, err := ask(t, d.run(t, c.mapping, config, c.password), trial.Number)
			require.Equal(t, c.reason, adapters.Reason(err), "%v", err)
			require.Equal(t, c.path, adapters.Path(err))
			require.NotContains(t, err.Error(), "select")
			require.NotContains(t, err.Error(), trial.Number)
		})
	}
	t.Run("nothing was written", func(t *testing.T) {
		var n int
		require.NoError(t, d.db.QueryRowContext(t.Context(), "select count(*) from rechten").Scan(&n))
		require.Equal(t, 5, n)
	})
	t.Run("the server ends it with the question", func(t *testing.T) {
		s := d.run(t, query("select bsn, pg_sleep(60)::text as soort from rechten where bsn = :person"), nil, "reads")
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		_, err := s.Fetch(ctx, trial.Request(trial.Number, "WMO"))
		require.Equal(t, adapters.ReasonSourceTimeout, adapters.Reason(err), "%v", err)
		require.Eventually(t, func() bool {
			var n int
			err := d.db.QueryRowContext(t.Context(), "select count(*) from pg_stat_activity where usename = 'reader' and state = 'active'").Scan(&n)
			return err == nil && n == 0
		}, 10*time.Second, 20*time.Millisecond)
	})
	t.Run("connections that are broken off cost no question", func(t *testing.T) {
		between := wire(t, d.Address)
		s := d.run(t, mapped, map[string]any{"address": between.Addr().String()}, "reads")
		for i := range 12 {
			var all sync.WaitGroup
			for range 16 {
				all.Go(func() {
					a, err := ask(t, s, trial.Number)
					if err != nil || len(a.GetLines()) != 3 {
						t.Error(err)
					}
				})
			}
			all.Wait()
			if i%3 == 2 { // those of which each was used again just now, which the driver looks at no more
				require.Positive(t, between.cut(), "connections that were kept")
			}
		}
	})
	t.Run("one odd row costs one row", func(t *testing.T) {
		d.exec(t, "insert into rechten values ('999940004', 'wmo', '03', -1, '2025-01-01', null, 'B4', null), ('999940004', 'wia', '03', 1, '2025-01-01', null, 'B5', null)")
		a, err := ask(t, d.run(t, query(columns+"where bsn = :person"), nil, "reads"), trial.Number)
		require.NoError(t, err)
		require.Len(t, a.GetLines(), 3)
		var paths []string
		for _, n := range a.GetNotices() {
			if n.GetGap() == budgetv1.GapRecordSkipped {
				paths = append(paths, n.GetRule())
			}
		}
		require.ElementsMatch(t, []string{"an amount in euros with at most two decimals", "a code of the table wet"}, paths)
	})
}

// line is between an adapter and its server.
type line struct {
	net.Listener
	mu   sync.Mutex
	open []net.Conn
}

func wire(t *testing.T, to string) *line {
	l, err := net.Listen("tcp", "localhost:0")
	require.NoError(t, err)
	w := &line{Listener: l}
	t.Cleanup(func() { l.Close(); w.cut() })
	go func() {
		for {
			here, err := l.Accept()
			if err != nil {
				return
			}
			there, err := net.Dial("tcp", to)
			if err != nil {
				here.Close()
				continue
			}
			w.mu.Lock()
			w.open = append(w.open, here)
			w.mu.Unlock()
			go func() { _, _ = io.Copy(there, here); there.Close() }()
			go func() { _, _ = io.Copy(here, there); here.Close() }()
		}
	}()
	return w
}

// cut breaks off what is open, and says how many connections it had.
func (w *line) cut() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.open {
		c.Close()
	}
	n := len(w.open)
	w.open = nil
	return n
}

func TestQueriesThatAreNotTaken(t *testing.T) {
	for query, want := range map[string]string{
		"delete from rechten where bsn = :person":                 "a select or a with",
		"select 1 where :person = ''; drop table rechten":         "one statement",
		"select 1 where bsn = $1":                                 "by name",
		"select 1 where bsn = '{person}'":                         "ask about one person",
		"select 1 where bsn = {person}":                           "by name",
		"select 1 where bsn = :persoon":                           "unknown parameter",
		"select 1":                                                "ask about one person",
		"select ':person' -- :person\n/* :person */, \":person\"": "ask about one person",
	} {
		raw, err := json.Marshal(query)
		require.NoError(t, err)
		before, rest, _ := strings.Cut(mapped, "  query: |")
		_, behind, _ := strings.Cut(rest, "person: r.bsn")
		_, err = mapping.Parse(Kind{PostgreSQL{}}, []byte(before+"  query: "+string(raw)+"\nperson: r.bsn"+behind))
		require.ErrorContains(t, err, want, query)
		require.ErrorContains(t, err, "9:10: source.query: ")
	}
}

func FuzzStatement(f *testing.F) {
	for _, q := range []string{"select :person", "select '", "select /*", "with \":person\" as (select 1) select :person::text;", "select ':a' -- x"} {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, query string) {
		raw, _ := json.Marshal(query)
		_, err := mapping.Parse(Kind{PostgreSQL{}}, []byte("source:\n  kind: sql\n  query: "+string(raw)+"\n"))
		require.Error(t, err) // there is nothing else in it
	})
}

// Where there is no server, the test says so, and fails in CI.
func TestMachineWithoutAServer(t *testing.T) {
	if os.Getenv("ONTSCHOT_LACKING") != "" {
		trial.Lacking(t, "a server of this name")
		return
	}
	for ci, want := range map[string]string{"true": "FAIL: TestMachineWithoutAServer", "": "SKIP: TestMachineWithoutAServer"} {
		c := exec.Command(os.Args[0], "-test.run", "TestMachineWithoutAServer", "-test.v")
		c.Env = []string{"ONTSCHOT_LACKING=1", "CI=" + ci}
		out, _ := c.CombinedOutput()
		require.Contains(t, string(out), want)
		require.Contains(t, string(out), "this machine lacks a server of this name")
	}
}
