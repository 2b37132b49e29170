package config

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
	"go.yaml.in/yaml/v3"
)

// unknown is how the YAML library words a key that no field has.
var unknown = regexp.MustCompile(`^line (\d+): field (\S+) not found in type`)

// explain words what is wrong, and which key was probably meant.
func explain(err error, into any) string {
	var wrong *yaml.TypeError
	if !errors.As(err, &wrong) {
		return err.Error()
	}
	known := keysOf(reflect.TypeOf(into), nil)
	var lines []string
	for _, e := range wrong.Errors {
		m := unknown.FindStringSubmatch(e)
		if m == nil {
			lines = append(lines, e)
			continue
		}
		line := fmt.Sprintf("line %s: unknown key %q", m[1], m[2])
		near := slices.MinFunc(known, func(a, b string) int {
			return levenshtein.ComputeDistance(a, m[2]) - levenshtein.ComputeDistance(b, m[2])
		})
		if levenshtein.ComputeDistance(near, m[2]) <= 3 {
			line += fmt.Sprintf(" (did you mean %q?)", near)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "; ")
}

func keysOf(t reflect.Type, keys []string) []string {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return keys
	}
	for i := range t.NumField() {
		f := t.Field(i)
		if name, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); name != "" && name != "-" {
			keys = keysOf(f.Type, append(keys, name))
		}
	}
	return keys
}
