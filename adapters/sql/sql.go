// Package sql answers: what does an agency's database have on one person, by a mapping?
// The query stands in the mapping and is never put together; what is asked is bound to it
// by name. It runs in a transaction that can only read, for no longer than the question
// has time.
package sql

import (
	"context"
	"database/sql"
	_ "embed" // the schema
	"strconv"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/mapping"
	"github.com/ontschot/ontschot/adapters/money"
	"github.com/ontschot/ontschot/adapters/native"
	"github.com/ontschot/ontschot/adapters/source"
)

//go:embed config.schema.json
var schema []byte

// New gives an adapter for PostgreSQL by a mapping that belongs to the program; without
// one (nil) the configuration has it, as the key mapping.
func New(raw []byte) adapters.Adapter { return mapping.New(Kind{PostgreSQL{}}, raw) }

// Kind is that of this package, for one make of database.
type Kind struct{ Database Database }

// Database is a make of database. Another than PostgreSQL is one more implementation, in
// the agency's own module: adapters of it are mapping.New(sql.Kind{Database: theirs}, raw).
type Database interface {
	// Open takes the settings, with the password; it reaches nothing yet. An error is an
	// *adapters.ConfigError.
	Open(s Settings, password, key adapters.Secret) (*sql.DB, error)
	// Placeholder is that of the i-th parameter, from 1.
	Placeholder(i int) string
	// Begin starts a transaction that can only read and ends by itself with ctx.
	Begin(ctx context.Context, db *sql.DB) (*sql.Tx, error)
	// Fault maps an error of the database to one of package adapters; nil when it does not
	// know it.
	Fault(err error) error
}

// Settings are the configuration keys of this kind.
type Settings struct {
	Party       string      `json:"party"`
	SchemeCodes []string    `json:"scheme_codes"`
	Numbers     money.Style `json:"numbers"`
	// Address of the server (host:port), with Name of the database and the User, who can
	// read what the query names and nothing else. The secret is password.
	Address string `json:"address"`
	Name    string `json:"database"`
	User    string `json:"user"`
	// CA that signed the server's certificate, and a Certificate of ours (its key is the
	// secret tls_key), PEM. Without a CA only a server on this machine is asked.
	CA          string `json:"ca_pem"`
	Certificate string `json:"cert_pem"`
}

// Facts implements mapping.Kind.
func (Kind) Facts() mapping.Facts {
	return mapping.Facts{Name: "sql", Schema: schema, Secrets: []string{"password", "tls_key"}, Egress: []string{"address"}}
}

// plan is the section source of a mapping.
type plan struct {
	database Database
	query    statement
}

// Plan implements mapping.Kind.
func (k Kind) Plan(s *mapping.Section, rows string) mapping.Plan {
	s.Known("kind", "query")
	s.Need("query")
	if rows != "" {
		s.Problem("", "rows hoort niet bij sql: elke rij is een record", "rows has no place with sql: each row is a record")
	}
	return &plan{k.Database, parse(s, "query")}
}

// Read implements mapping.Plan: a JSON list of rows, each an object of its columns.
func (p *plan) Read(raw []byte, _ mapping.Person) (list source.List, err error) {
	root, err := native.JSON(raw)
	if err != nil {
		return list, err
	}
	if !root.IsList() {
		return list, root.Bad("", "a list of rows")
	}
	for i, n := range root.All("") {
		list.Records = append(list.Records, n.In(place(i)).Begin())
	}
	return list, nil
}

func place(i int) adapters.Cursor { return adapters.Cursor{}.Field("rows").Item(i) }

// Connect implements mapping.Plan.
func (p *plan) Connect(c adapters.Config) (mapping.Asking, error) {
	var s Settings
	if err := c.Decode(&s); err != nil {
		return nil, err
	}
	switch {
	case s.Party == "" || len(s.Party) > 32:
		return nil, &adapters.ConfigError{Path: "party", NL: "een code van 1 tot 32 tekens", EN: "a code of 1 to 32 characters is needed"}
	case !s.Numbers.Known():
		return nil, &adapters.ConfigError{Path: "numbers", NL: "nl of point", EN: "nl or point"}
	}
	db, err := p.database.Open(s, c.Secret("password"), c.Secret("tls_key"))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(16)
	db.SetMaxIdleConns(mostIdle)
	return &asking{p, s, db}, nil
}

type asking struct {
	*plan
	settings Settings
	db       *sql.DB
}

// Close ends the connections.
func (a *asking) Close() error { return a.db.Close() }

// Us implements mapping.Asking.
func (a *asking) Us() mapping.Us {
	return mapping.Us{Party: a.settings.Party, Codes: a.settings.SchemeCodes, Numbers: a.settings.Numbers}
}

// Bounds of an answer.
const (
	mostRows  = 1000
	mostBytes = 4 << 20
)

// mostIdle is how many connections are kept for the next question.
const mostIdle = 4

// Ask implements mapping.Asking.
func (a *asking) Ask(ctx context.Context, q mapping.Question) (mapping.Answer, error) {
	list, err := a.ask(ctx, q)
	return mapping.Answer{List: list}, a.fault(ctx, err)
}

func (a *asking) ask(ctx context.Context, q mapping.Question) (list source.List, err error) {
	tx, err := a.begin(ctx)
	if err != nil {
		return list, err
	}
	defer func() { _ = tx.Rollback() }() // it has read, and nothing else
	query, args := a.query.with(a.database.Placeholder, q)
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return list, err
	}
	defer rows.Close()
	t, err := newTable(rows)
	if err != nil {
		return list, err
	}
	for size := 0; rows.Next(); {
		n, err := t.read(rows, place(len(list.Records)))
		if err != nil {
			return list, err
		}
		if size += len(n.Raw()); size > mostBytes || len(list.Records) == mostRows {
			return list, adapters.BadData("/rows", "at most "+strconv.Itoa(mostRows)+" rows, of "+strconv.Itoa(mostBytes)+" bytes")
		}
		list.Records = append(list.Records, n)
	}
	return list, rows.Err()
}

// begin starts a transaction. Connections that were kept may have been broken off since, as
// when the server starts again; that is found out one at a time.
func (a *asking) begin(ctx context.Context) (tx *sql.Tx, err error) {
	for range mostIdle + 1 {
		tx, err = a.database.Begin(ctx, a.db)
		if err == nil || adapters.Reason(a.fault(ctx, err)) != adapters.ReasonSourceUnavailable {
			return tx, err
		}
	}
	return nil, err
}

// fault maps an error. Its text holds SQL and values, and is not kept.
func (a *asking) fault(ctx context.Context, err error) error {
	switch {
	case err == nil || adapters.Reason(err) != "":
		return err
	case ctx.Err() != nil:
		return adapters.Timeout()
	}
	if known := a.database.Fault(err); known != nil {
		return known
	}
	return adapters.FromTransport(ctx, err)
}
