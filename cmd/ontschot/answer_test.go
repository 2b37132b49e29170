package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// membersOf an object as JSON, those of a list of objects behind it.
func membersOf(t reflect.Type) (names []string) {
	for i := range t.NumField() {
		f := t.Field(i)
		name := f.Tag.Get("json")
		names = append(names, name)
		if f.Type.Kind() == reflect.Slice && f.Type.Elem().Kind() == reflect.Struct {
			for _, inner := range membersOf(f.Type.Elem()) {
				names = append(names, name+"[]."+inner)
			}
		}
	}
	return names
}

// The page says of each command which members its object has: no more and no fewer. A script
// rests on them, so a member that changes fails here.
func TestThePageOfAnswersSaysWhatIsPrinted(t *testing.T) {
	page, err := os.ReadFile("../../docs/answers.md")
	require.NoError(t, err)
	said := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z ]+)` \\| (.*) \\|$").FindAllStringSubmatch(string(page), -1) {
		said[row[1]] = row[2]
	}
	all := commandsThatRun(newRoot())
	for path, of := range objects() {
		require.Contains(t, all, path)
		require.NotNil(t, all[path].Flags().Lookup("format"), path)
		require.Equal(t, "`"+strings.Join(membersOf(reflect.TypeOf(of)), "`, `")+"`", said[path], path)
		delete(said, path)
	}
	require.Empty(t, said, "of commands that print no such object")
}

// printed is what a command prints with --format json: one object with the members of its kind,
// in the form of JSON that a script reads.
func printed[T any](t *testing.T, args ...string) (of T) {
	t.Helper()
	code, out, errs := ran(t, append(args, "--format", "json")...)
	require.Equal(t, exitDone, code, "%v: %s", args, errs)
	require.Equal(t, 1, strings.Count(out, "\n"), "one line")
	d := json.NewDecoder(strings.NewReader(out))
	d.DisallowUnknownFields()
	require.NoError(t, d.Decode(&of), out)
	return of
}

// What is made says so in an object, and in a sentence without one.
func TestWhatWasMadeIsToldToScripts(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	require.Equal(t, version, printed[versionAnswer](t, "version").Version)

	organisation := []string{"init", "--oin", "00000099000000119000", "--name", "Gemeente Meppel", "--code", "GM0119", "--host", "localhost", "--withdraw-url", "https://meppel.example/w", "--officer", "fg@meppel.example", "--dir", at("meppel")}
	made := printed[initAnswer](t, organisation...)
	require.Equal(t, at("meppel"), made.Folder)
	require.Contains(t, made.Made, "gateway.yaml")
	require.Contains(t, made.Made, "ontschot.service")
	require.Empty(t, made.There)
	again := printed[initAnswer](t, organisation...)
	require.Empty(t, again.Made)
	require.Subset(t, made.Made, again.There)

	for kind, public := range map[string]string{"signing": "-----BEGIN PUBLIC KEY", "token": "-----BEGIN PUBLIC KEY", "officer": "-----BEGIN PUBLIC KEY", "pseudonym": "", "log": "ontschot.nl/log/"} {
		key := printed[keyAnswer](t, "keys", "new", "--kind", kind, "--id", "one", "--out", at(kind), "--config", at("meppel/gateway.yaml"))
		require.Equal(t, keyAnswer{at(kind), kind, "one", key.Public}, key)
		require.True(t, strings.HasPrefix(key.Public, public) && (public != "" || key.Public == ""), key.Public)
		secret, err := os.ReadFile(at(kind))
		require.NoError(t, err)
		require.NotContains(t, key.Public, strings.TrimSpace(string(secret)))
	}

	organisation[2], organisation[4], organisation[6], organisation[len(organisation)-1] = "00000099000005503000", "Zorgkantoor", "ZK5503", at("drenthe")
	printed[initAnswer](t, organisation...)
	code, out, _ := ran(t, "trust", "add", at("drenthe/party.yaml"), "--config", at("meppel/gateway.yaml"), "--format", "json")
	require.Equal(t, exitNo, code)
	var party struct {
		Code        string `json:"code"`
		Fingerprint string `json:"fingerprint"`
	}
	require.NoError(t, json.Unmarshal([]byte(out), &party), "the entry that is to be compared, as trust show has it")
	require.Equal(t, trustAnswer{"ZK5503", at("meppel/trust.yaml")}, printed[trustAnswer](t, "trust", "add", at("drenthe/party.yaml"), "--config", at("meppel/gateway.yaml"), "--accept", party.Fingerprint))

	require.Equal(t, folderAnswer{at("policies")}, printed[folderAnswer](t, "policy", "init", "--dir", at("policies")))
	bundle := printed[bundleAnswer](t, "policy", "build", "--dir", at("policies"), "--out", at("p.tar.gz"))
	require.Equal(t, bundleAnswer{at("p.tar.gz"), bundle.Revision, "", bundle.SHA256}, bundle)
	require.Len(t, bundle.Revision+bundle.SHA256, 128)
	require.Equal(t, bundle.Revision, printed[bundleAnswer](t, "policy", "build", "--dir", at("policies"), "--out", at("q.tar.gz"), "--parent", at("p.tar.gz")).Parent)
}
