package sql

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"errors"
	"net"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/ontschot/ontschot/adapters"
)

// PostgreSQL is the database of that name.
type PostgreSQL struct{}

// Open implements Database.
func (PostgreSQL) Open(s Settings, password, key adapters.Secret) (*sql.DB, error) {
	host, port, err := net.SplitHostPort(s.Address)
	number, wrong := strconv.ParseUint(port, 10, 16)
	if err != nil || wrong != nil || host == "" {
		return nil, &adapters.ConfigError{Path: "address", NL: "host:poort nodig", EN: "host:port is needed"}
	}
	if s.Name == "" || s.User == "" {
		return nil, &adapters.ConfigError{Path: "database", NL: "database en user zijn nodig", EN: "database and user are needed"}
	}
	config, err := pgx.ParseConfig("sslmode=disable") // and nothing of the environment counts: all of it is set below
	if err != nil {
		return nil, adapters.Bug()
	}
	config.Host, config.Port, config.Database, config.User, config.Password = host, uint16(number), s.Name, s.User, password.Reveal()
	config.ConnectTimeout, config.Fallbacks, config.RuntimeParams = 5*time.Second, nil, map[string]string{"application_name": "ontschot", "timezone": "UTC"}
	if config.TLSConfig, err = s.tls(host, key); err != nil {
		return nil, err
	}
	return stdlib.OpenDB(*config), nil
}

// tls is nil for a server on this machine without a CA.
func (s Settings) tls(host string, key adapters.Secret) (*tls.Config, error) {
	if s.CA == "" {
		if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
			return nil, nil
		}
		return nil, &adapters.ConfigError{Path: "ca_pem", NL: "nodig voor een server op een andere machine", EN: "is needed for a server on another machine"}
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(s.CA)) {
		return nil, &adapters.ConfigError{Path: "ca_pem", NL: "geen certificaat in PEM", EN: "no certificate in PEM"}
	}
	config := &tls.Config{RootCAs: pool, ServerName: host, MinVersion: tls.VersionTLS12}
	if s.Certificate != "" {
		pair, err := tls.X509KeyPair([]byte(s.Certificate), []byte(key.Reveal()))
		if err != nil {
			return nil, &adapters.ConfigError{Path: "cert_pem", NL: "certificaat en sleutel passen niet", EN: "certificate and key do not fit"}
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

// Placeholder implements Database.
func (PostgreSQL) Placeholder(i int) string { return "$" + strconv.Itoa(i) }

// Begin implements Database. That the statement ends with ctx the server is told too: a
// cancellation may be lost on the way.
func (PostgreSQL) Begin(ctx context.Context, db *sql.DB) (*sql.Tx, error) {
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	left := 10 * time.Second
	if deadline, ok := ctx.Deadline(); ok {
		left = time.Until(deadline)
	}
	limit := strconv.FormatInt(max(left.Milliseconds(), 1), 10)
	if _, err = tx.ExecContext(ctx, "set local statement_timeout = "+limit); err != nil {
		_ = tx.Rollback()
		return nil, err
	}
	return tx, nil
}

// Fault implements Database, by the codes of PostgreSQL (appendix A of its manual).
func (PostgreSQL) Fault(err error) error {
	var said *pgconn.PgError
	if !errors.As(err, &said) || len(said.Code) != 5 {
		return nil
	}
	switch said.Code[:2] {
	case "28": // invalid authorization
		return adapters.LoginRefused()
	case "22": // data exception: a cast of what stands there
		return adapters.BadData("/rows", "values that the query can read")
	case "42", "25", "26", "0A", "21": // syntax, a name that is not there, a write, not supported
		if said.Code == "42501" {
			return adapters.NotAuthorised()
		}
		return adapters.Bug() // the query is ours
	case "3D": // no such database
		return adapters.Bug()
	}
	if said.Code == "57014" {
		return adapters.Timeout()
	}
	return adapters.Unavailable()
}
