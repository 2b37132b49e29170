package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/protobuf/proto"

	"crypto/tls"

	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// Whatever stands in a file that a command reads: what is said of it names the file, and neither a
// type of Go nor what stood there.
func TestNoTypeOfGoReachesAUser(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file.yaml")
	require.NoError(t, writePolicies(filepath.Join(dir, "policies")))
	table := filepath.Join(dir, "policies/reasons/gaps.nl.yaml")
	types := regexp.MustCompile(`\b[a-z]+[0-9]?\.[A-Z][A-Za-z]+\b|\bmap\[|\[\]string|interface ?\{|struct\b|unmarshal|reflect|Secret`)
	for _, content := range []string{"", "[]", "{}", "7", "null", `"Secret"`, "- Secret", "kez: [1]", `{"kez": 1}`, "dev: [Secret]", "parties: Secret", "persons: {a: Secret}", `{"household": {"kez": 1}}`, "a: [", "{\"a\":"} {
		for _, path := range []string{file, table} {
			require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		}
		for _, line := range []string{
			"demo --case FILE", "dev init --case FILE --dir DIR/made", "sandbox --case FILE --dir DIR", "policy explain --law wams=on --case FILE", "config check --config FILE", "serve --config FILE",
			"status --config FILE", "trust show FILE", "budget verify FILE --config FILE", "budget get --config FILE --case FILE", "consent ask --config FILE --case FILE --person A --source UWV",
			"backup --config FILE --to DIR/copy", "policy explain --dir DIR/policies --source uwv --law wia",
			"adapter exam --exec /bin/false --persons FILE", "adapter exam --exec /bin/false -c FILE", "agreement propose FILE --config FILE",
		} {
			if strings.Contains(line, "policies") && content != "[]" && content != "dev: [Secret]" { // they compile the rules first
				continue
			}
			code, out, errs := ran(t, strings.Fields(strings.NewReplacer("FILE", file, "DIR", dir).Replace(line))...)
			said := strings.NewReplacer(dir, "").Replace(out + errs)
			require.NotEqual(t, exitDone, code, "%s: %q: %s", line, content, out)
			require.False(t, types.MatchString(said), "%s: %q: %s: %s", line, content, types.FindString(said), said)
		}
	}
}

// Bad input is refused with the field that is wrong, and never with its value.
func TestRequestsThatAreRefused(t *testing.T) {
	f := open(t, "meppel")
	h := play(t, f, options{without: true})
	for name, c := range map[string]struct {
		spoil func(*ontschotv1.AssembleBudgetRequest)
		field string
	}{
		"BSN fails the 11-check": {func(r *ontschotv1.AssembleBudgetRequest) { r.Persons[2].Identifiers.Bsn = "999940029" }, "persons[2].identifiers.bsn"},
		"BSN of zeros":           {func(r *ontschotv1.AssembleBudgetRequest) { r.Persons[0].Identifiers.Bsn = "000000000" }, "persons[0].identifiers.bsn"},
		"BSN of ten digits":      {func(r *ontschotv1.AssembleBudgetRequest) { r.Persons[0].Identifiers.Bsn = "9999400040" }, "persons[0].identifiers.bsn"},
		"no BSN":                 {func(r *ontschotv1.AssembleBudgetRequest) { r.Persons[1].Identifiers = nil }, "persons[1].identifiers"},
		"unknown party":          {func(r *ontschotv1.AssembleBudgetRequest) { r.Asks[3].Source = "GM9999" }, "asks[3].source"},
		"unknown person":         {func(r *ontschotv1.AssembleBudgetRequest) { r.Asks[1].Person = "Z9" }, "asks[1].person"},
		"asked twice":            {func(r *ontschotv1.AssembleBudgetRequest) { r.Asks[1] = r.Asks[0] }, "asks[1]"},
		"person twice":           {func(r *ontschotv1.AssembleBudgetRequest) { r.Persons[1].Ref = r.Persons[0].Ref }, "persons[1]"},
		"one BSN for two":        {func(r *ontschotv1.AssembleBudgetRequest) { r.Persons[1].Identifiers.Bsn = r.Persons[0].Identifiers.Bsn }, "persons[1]"},
		"no persons":             {func(r *ontschotv1.AssembleBudgetRequest) { r.Persons = nil }, "persons"},
		"no asks":                {func(r *ontschotv1.AssembleBudgetRequest) { r.Asks = nil }, "asks"},
		"10,000 persons": {func(r *ontschotv1.AssembleBudgetRequest) {
			for i := range 10_000 {
				p := proto.CloneOf(r.Persons[i%5])
				p.Ref, p.Residences = fmt.Sprint("P", i), nil
				r.Persons = append(r.Persons, p)
			}
		}, "persons"},
		"no such day":        {func(r *ontschotv1.AssembleBudgetRequest) { r.Window.To = "2025-02-29" }, "window.to"},
		"window backwards":   {func(r *ontschotv1.AssembleBudgetRequest) { r.Window.To = "2024-12-31" }, "window.to"},
		"window of ages":     {func(r *ontschotv1.AssembleBudgetRequest) { r.Window.To = "2099-12-31" }, "window"},
		"born on no day":     {func(r *ontschotv1.AssembleBudgetRequest) { r.Persons[0].Born = "1971-13-01" }, "persons[0].born"},
		"no purpose":         {func(r *ontschotv1.AssembleBudgetRequest) { r.Purpose = "" }, "purpose"},
		"ref with a newline": {func(r *ontschotv1.AssembleBudgetRequest) { r.Persons[0].Ref = "A\n1" }, "persons[0].ref"},
	} {
		r := requestOf(f.Case)
		c.spoil(r)
		_, err := h.put(r)
		code, why, meta := reason(t, err)
		if name == "no purpose" { // the token is looked at first, and none is issued for no purpose
			require.Equal(t, codes.PermissionDenied, code)
			continue
		}
		require.Equal(t, codes.InvalidArgument, code, name)
		require.Equal(t, "INVALID_FIELD", why, name)
		require.Equal(t, c.field, meta["field"], name)
		require.NotContains(t, err.Error(), "99994", name)
	}
}

func TestFiveMegabytesNeverReachTheHandler(t *testing.T) {
	f := open(t, "meppel")
	h := play(t, f, options{without: true})
	r := requestOf(f.Case)
	r.Persons[0].Ref = strings.Repeat("x", 5<<20)
	_, err := h.put(r)
	code, _, _ := reason(t, err)
	require.Equal(t, codes.ResourceExhausted, code)
	_, err = h.ask()
	require.NoError(t, err)
}

// Health and reflection answer over the same mutual TLS; without a certificate
// nothing answers.
func TestHealthReflectionAndMutualTLS(t *testing.T) {
	f := open(t, "meppel")
	h := play(t, f, options{without: true})
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	dialWith := func(certs ...tls.Certificate) *grpc.ClientConn {
		conn, err := grpc.NewClient(h.server.Addr.String(), grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{RootCAs: f.CA, Certificates: certs})))
		require.NoError(t, err)
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	conn := dialWith(f.Requester().Client.TLS)
	for _, service := range []string{"", "ontschot.v1.ExchangeService", "ontschot.v1.RegistryService"} {
		got, err := healthv1.NewHealthClient(conn).Check(ctx, &healthv1.HealthCheckRequest{Service: service})
		require.NoError(t, err)
		require.Equal(t, healthv1.HealthCheckResponse_SERVING, got.GetStatus())
	}
	stream, err := reflectionv1.NewServerReflectionClient(conn).ServerReflectionInfo(ctx)
	require.NoError(t, err)
	require.NoError(t, stream.Send(&reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{}}))
	answer, err := stream.Recv()
	require.NoError(t, err)
	require.Contains(t, answer.String(), "ontschot.v1.ExchangeService")

	_, err = healthv1.NewHealthClient(dialWith()).Check(ctx, &healthv1.HealthCheckRequest{})
	require.Error(t, err, "no client certificate")
	plain, err := grpc.NewClient(h.server.Addr.String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer plain.Close()
	_, err = healthv1.NewHealthClient(plain).Check(ctx, &healthv1.HealthCheckRequest{})
	require.Error(t, err, "no TLS")
}
