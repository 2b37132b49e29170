package program

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"

	"github.com/ontschot/ontschot/adapters/exam"
)

// errExam means that the exam was not passed; what was wrong has been printed.
var errExam = errors.New("the exam is not passed")

// exam has this program examined as a gateway would start it, in processes of its own.
func (p program) exam(ctx context.Context, args []string) error {
	var file, persons, format, lang string
	var record bool
	if err := p.flags("exam", args, func(s *flag.FlagSet) {
		fileFlag(s, &file)
		s.StringVar(&persons, "persons", "persons.yaml", "file with persons who do not exist, and what must come about each")
		s.StringVar(&format, "format", exam.FormatText, "text, json or junit")
		s.StringVar(&lang, "lang", "nl", "nl or en")
		s.BoolVar(&record, "record", false, "print the file of persons with what comes about each, to be read and kept")
	}); err != nil {
		return err
	}
	if !exam.IsFormat(format) || lang != "nl" && lang != "en" {
		fmt.Fprintln(p.err, "exam: --format is text, json or junit, and --lang nl or en")
		return ErrUsage
	}
	c, err := examined(file, persons, before(args))
	if err != nil {
		return err
	}
	if record {
		raw, err := exam.Record(ctx, c)
		if err == nil {
			_, err = p.out.Write(raw)
		}
		return err
	}
	report, err := exam.Run(ctx, c)
	if err != nil {
		return err
	}
	if err := report.Write(p.out, format, lang); err != nil {
		return err
	}
	if !report.Passed() {
		return errExam
	}
	return nil
}

// before is how this program is started as an adapter: with what was typed before the mode.
func before(args []string) []string {
	return os.Args[1:max(1, len(os.Args)-len(args)-1)]
}

// examined is what this program is examined with.
func examined(file, persons string, args []string) (c exam.Config, err error) {
	conf, err := readFile(file)
	if err != nil {
		return c, err
	}
	if c.JSON, c.Secrets, err = conf.Read(conf.Path); err != nil {
		return c, err
	}
	if c.Persons, err = exam.ReadPersons(persons); err != nil {
		return c, err
	}
	self, err := os.Executable()
	c.Command = append([]string{self}, args...)
	return c, err
}
