// Command openapi answers: how is the JSON door described to who has no gRPC? It writes
// proto/openapi.yaml, and the same in JSON beside the door that serves it, from the protos, their
// comments and rules, the paths of the door and the reasons of refusals. Run it in the root of the
// repository when one of them has changed; a test says that it is needed.
//
//	go run ./internal/dev/openapi
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/bufbuild/protocompile"
	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Where the two are, from the root of the repository.
const (
	yamlFile = "proto/openapi.yaml"
	jsonFile = "gateway/web/openapi.json"
)

func main() {
	if err := write("."); err != nil {
		fmt.Fprintln(os.Stderr, "openapi:", err)
		os.Exit(1)
	}
}

// write writes both files below a root.
func write(root string) error {
	files, err := files(root)
	if err != nil {
		return err
	}
	for name, raw := range files {
		if err := os.WriteFile(filepath.Join(root, name), raw, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// files are both, by their names.
func files(root string) (map[string][]byte, error) {
	words, err := comments(filepath.Join(root, "proto"))
	if err != nil {
		return nil, err
	}
	d := (&writer{words: words, schemas: map[string]object{}, answers: inAnswers()}).document()
	text, err := yaml.Marshal(d)
	if err != nil {
		return nil, err
	}
	raw, err := json.Marshal(d)
	if err != nil {
		return nil, err
	}
	head := "# Made from the protos; do not edit it: go run ./internal/dev/openapi\n"
	return map[string][]byte{yamlFile: append([]byte(head), text...), jsonFile: append(raw, '\n')}, nil
}

// comments are those of the protos, by the full name of what they are about, each paragraph on a
// line of its own.
func comments(dir string) (map[protoreflect.FullName]string, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "ontschot", "*", "*", "*.proto"))
	if err != nil {
		return nil, err
	}
	more, err := filepath.Glob(filepath.Join(dir, "ontschot", "*", "*.proto"))
	if err != nil {
		return nil, err
	}
	var names []string
	for _, path := range append(paths, more...) {
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return nil, err
		}
		names = append(names, filepath.ToSlash(name))
	}
	compiler := protocompile.Compiler{
		Resolver:       protocompile.WithStandardImports(&protocompile.SourceResolver{ImportPaths: []string{dir, filepath.Join(dir, "third_party")}}),
		SourceInfoMode: protocompile.SourceInfoStandard,
	}
	compiled, err := compiler.Compile(context.Background(), names...)
	if err != nil {
		return nil, err
	}
	all := map[protoreflect.FullName]string{}
	for _, file := range compiled {
		note := func(d protoreflect.Descriptor) {
			all[d.FullName()] = strings.Join(strings.Fields(file.SourceLocations().ByDescriptor(d).LeadingComments), " ")
		}
		for i := range file.Services().Len() {
			s := file.Services().Get(i)
			note(s)
			for j := range s.Methods().Len() {
				note(s.Methods().Get(j))
			}
		}
		for i := range file.Messages().Len() {
			m := file.Messages().Get(i)
			note(m)
			for j := range m.Fields().Len() {
				note(m.Fields().Get(j))
			}
		}
	}
	return all, nil
}
