package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"time"

	"github.com/spf13/cobra"

	"github.com/ontschot/ontschot/adapters/boundary"
	"github.com/ontschot/ontschot/adapters/exam"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/manifest"
	"github.com/ontschot/ontschot/internal/signed"
	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
)

// examined is what was typed.
type examined struct {
	program                string
	args                   []string
	address, oin           string
	files                  config.TLS
	conf, persons, exactly string
	format, lang           string
	record                 bool
}

func adapterExamCommand() *cobra.Command {
	var e examined
	c := &cobra.Command{
		Use:   "exam (--exec PROGRAM [--args ARG ...] | --addr HOST:PORT --cert FILE --key FILE --ca FILE)",
		Short: "Examine an adapter, of whatever language, over the wire",
		Long: `Examine an adapter, of whatever language, over the wire: a program, which is started as a gateway does, or one that
an agency serves at an address. It is asked about persons who do not exist; the report says what was looked at, what
was seen (never a value of a person) and how to repair it.

-c is the adapter's own file, with the configuration and secrets under which a program is examined. --persons is a YAML
file with the persons and, for each, the answer or the reason that must come; --record prints it with what comes now, to
be read and kept. --manifest is the file that was signed: the program must be the one of it, and say of itself what
stands there (whether its signatures count is seen by a gateway, and by adapter trust). Of an adapter at an address
nothing is said that only a process can show.

Exit code 0 when all that must be so is so, 1 when it is not, 2 for wrong usage, 3 when the exam could not be held.`,
		Example: "  ontschot adapter exam --exec ./adapter -c adapter.yaml --persons persons.yaml\n" +
			"  ontschot adapter exam --exec ./adapter -c adapter.yaml --persons persons.yaml --manifest manifest.json\n" +
			"  ontschot adapter exam --exec /usr/bin/python3 --args adapter.py -c adapter.yaml --persons persons.yaml --format junit\n" +
			"  ontschot adapter exam --addr adapter.example:8444 --cert cert.pem --key key.pem --ca ca.pem --oin 00000099000000119000 --persons persons.yaml",
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return e.run(c.Context(), c.OutOrStdout()) },
	}
	f := c.Flags()
	f.StringVar(&e.program, "exec", "", "the adapter's program")
	f.StringArrayVar(&e.args, "args", nil, "an argument for it; may be repeated")
	f.StringVar(&e.address, "addr", "", "host:port of an adapter at an agency")
	f.StringVar(&e.files.Certificate, "cert", "", "certificate to show there, PEM")
	f.StringVar(&e.files.Key, "key", "", "its key, PEM")
	f.StringVar(&e.files.CA, "ca", "", "authorities of the certificate there, PEM")
	f.StringVar(&e.oin, "oin", "", "OIN that must be in that certificate")
	f.StringVarP(&e.conf, "config", "c", "", "the adapter's own file: configuration and secrets")
	f.StringVar(&e.persons, "persons", "", "persons who do not exist, YAML")
	f.StringVar(&e.exactly, "manifest", "", "what it must say of itself: its manifest (ontschot adapter sign), or JSON as its own mode describe prints it")
	f.StringVar(&e.format, "format", exam.FormatText, "text, json or junit")
	f.StringVar(&e.lang, "lang", language(), "language of the texts: nl or en; default by LANG, and nl")
	f.BoolVar(&e.record, "record", false, "print the persons with what comes about each now")
	return c
}

// errExam means that the exam was not passed: the report has been printed.
var errExam = errors.New("the exam is not passed")

func (e *examined) run(ctx context.Context, out io.Writer) error {
	c, err := e.read()
	if err != nil {
		return err
	}
	if e.record {
		raw, err := exam.Record(ctx, c)
		if err == nil {
			_, err = out.Write(raw)
		}
		return err
	}
	report, err := exam.Run(ctx, c)
	if err != nil {
		return err
	}
	if err := report.Write(out, e.format, e.lang); err != nil {
		return err
	}
	if !report.Passed() {
		return errExam
	}
	return nil
}

// read gathers what the exam needs.
func (e *examined) read() (c exam.Config, err error) {
	if err := e.check(); err != nil {
		return c, err
	}
	if e.program != "" {
		c.Command = append([]string{e.program}, e.args...)
	} else if c.TLS, err = e.tls(); err != nil {
		return c, err
	}
	c.Address, c.OIN = e.address, e.oin
	if e.conf != "" {
		conf, err := config.ReadAdapter(e.conf)
		if err != nil {
			return c, err
		}
		if c.JSON, c.Secrets, err = conf.Read(conf.Path); err != nil {
			return c, err
		}
	}
	if e.persons != "" {
		if c.Persons, err = exam.ReadPersons(e.persons); err != nil {
			return c, fmt.Errorf("%w: %w", config.ErrConfig, err)
		}
	}
	if e.exactly != "" {
		c.Manifest, err = e.manifest(time.Now())
	}
	return c, err
}

// manifest reads what the adapter must say of itself: what its mode describe printed, or a
// manifest with signatures, which must then be of this program. Whether those signatures
// count is not for an exam: a gateway looks at that before it starts a program.
func (e *examined) manifest(now time.Time) (func(*adapterv1.DescribeResponse) string, error) {
	raw, err := config.ReadFile(e.exactly)
	if err != nil {
		return nil, err
	}
	if kind, err := signed.KindOf(raw); err != nil || kind != signed.Manifest {
		return exam.Described(raw)
	}
	m, err := manifest.Unverified(raw, now)
	if err != nil || e.program == "" {
		return m.Differs, err
	}
	program, err := boundary.Read(e.program)
	if err != nil {
		return nil, err
	}
	defer program.Close()
	return m.Differs, m.Fits(program.Size(), program.SHA256())
}

func (e *examined) check() error {
	wrong := func(text string) error { return fmt.Errorf("%w: %s", errUsage, text) }
	switch _, _, bad := net.SplitHostPort(e.address); {
	case (e.program == "") == (e.address == ""):
		return wrong("--exec or --addr is needed, one of the two")
	case e.program != "" && e.files.Certificate+e.files.Key+e.files.CA+e.oin != "":
		return wrong("--cert, --key, --ca and --oin go with --addr")
	case e.program != "" && e.conf == "":
		return wrong("-c, the adapter's own file, is needed with --exec")
	case e.address != "" && (e.conf != "" || len(e.args) > 0 || bad != nil):
		return wrong("--addr is host:port, and -c and --args do not go with it: it is configured where it runs")
	case e.address != "" && (e.files.Certificate == "" || e.files.Key == "" || e.files.CA == ""):
		return wrong("--cert, --key and --ca are needed with --addr")
	case e.oin != "" && !identity.IsOIN(identity.OIN(e.oin)):
		return wrong("--oin is a number of twenty digits")
	case e.record && e.persons == "":
		return wrong("--record needs --persons")
	case !exam.IsFormat(e.format) || e.lang != "nl" && e.lang != "en":
		return wrong("--format is text, json or junit, and --lang nl or en")
	}
	if _, err := exec.LookPath(e.program); e.program != "" && err != nil {
		return fmt.Errorf("%s is no program that can be started", e.program)
	}
	return nil
}

// tls is how the address is reached.
func (e *examined) tls() (*tls.Config, error) {
	pair, pool, err := e.files.Load(func(path string) string { return path })
	if err != nil {
		return nil, err
	}
	host, _, err := net.SplitHostPort(e.address)
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, RootCAs: pool, ServerName: host}, err
}
