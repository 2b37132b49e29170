package wording

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ErrTemplate means that a template of an agreement is not there, or cannot be
// filled with these values.
var ErrTemplate = errors.New("template of an agreement")

// AgreementTemplates lists the templates, sorted: agreements/<name>.yaml, where the
// name is that of two kinds of parties.
func AgreementTemplates(fsys fs.FS) ([]string, error) {
	files, err := fs.Glob(fsys, "agreements/*-*.yaml")
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("%w: agreements/ holds none", ErrTemplate)
	}
	names := make([]string, 0, len(files))
	for _, file := range files {
		names = append(names, strings.TrimSuffix(path.Base(file), ".yaml"))
	}
	return names, nil
}

// AgreementTemplate gives one of them: a draft in YAML with places to fill in, such
// as {from}. Errors: ErrTemplate.
func AgreementTemplate(fsys fs.FS, name string) ([]byte, error) {
	names, err := AgreementTemplates(fsys)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(names, name) {
		return nil, fmt.Errorf("%w: there is none of that name; there are %s", ErrTemplate, strings.Join(names, ", "))
	}
	raw, err := fs.ReadFile(fsys, "agreements/"+name+".yaml")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTemplate, err)
	}
	return raw, nil
}

// AgreementPlaces lists what a template leaves to be filled in: the OINs and the
// names of the two parties, the first and the last day (YYYY-MM-DD), whom to warn of
// a data breach, and the SHA-256 of the DPIA. Of two municipalities the consumer is
// the one that proposes.
func AgreementPlaces() []string {
	return []string{"breach_contact", "consumer_name", "consumer_oin", "dpia_sha256", "from", "source_name", "source_oin", "until"}
}

// maxValue bounds what is filled in for one place, in bytes.
const maxValue = 200

// Fill puts a value in every place of a template. Each place of AgreementPlaces
// needs one, and no value can be more than a word or a name: line breaks, double
// quotes, backslashes and braces are refused. Errors: ErrTemplate, naming the place.
func Fill(template []byte, values map[string]string) ([]byte, error) {
	for name := range values {
		if !slices.Contains(AgreementPlaces(), name) {
			return nil, fmt.Errorf("%w: it has no such place; there are %s", ErrTemplate, strings.Join(AgreementPlaces(), ", "))
		}
	}
	var pairs []string
	for _, name := range AgreementPlaces() {
		value := values[name]
		strange := !utf8.ValidString(value) || strings.ContainsFunc(value, func(r rune) bool { return !unicode.IsPrint(r) || strings.ContainsRune("\"\\{}", r) })
		if value == "" || len(value) > maxValue || strange {
			return nil, fmt.Errorf("%w: {%s} needs a value of 1 to %d characters, without double quotes, backslashes, braces and line breaks", ErrTemplate, name, maxValue)
		}
		pairs = append(pairs, "{"+name+"}", value)
	}
	return []byte(strings.NewReplacer(pairs...).Replace(string(template))), nil
}
