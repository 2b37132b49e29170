package client_test

import (
	"path/filepath"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/client"
)

// Whatever of a call is not there, it is an error that says what lacks, and nothing panics:
// every exported method, of a client and a trust that are nil, empty or good, with each argument
// nil or empty.
func TestNothingPanicsForWantOfSomething(t *testing.T) {
	w := newTown(t)
	good := w.open(filepath.Join(w.dir, "client.yaml"))
	trust, err := client.ReadTrust(filepath.Join(w.dir, "client.yaml"))
	require.NoError(t, err)
	type of struct {
		what string
		it   any
		says string // what each error says; empty: that of what lacks
	}
	for _, one := range []of{
		{"no client", (*client.Client)(nil), "client.Open makes one"},
		{"a zero client", &client.Client{}, "client.Open makes one"},
		{"a client", good, ""},
		{"its agreements", good.Agreements, ""},
		{"its consents", good.Consents, ""},
		{"no trust", (*client.Trust)(nil), "ReadTrust gives whose"},
		{"a zero trust", &client.Trust{}, "ReadTrust gives whose"},
		{"a trust", &trust, ""},
		{"what is known of nothing", &client.Verified{}, ""},
	} {
		value := reflect.ValueOf(one.it)
		for i := range value.NumMethod() {
			method, name := value.Method(i), one.what+": "+value.Type().Method(i).Name
			if name == "a client: Close" {
				continue
			}
			for _, empty := range []bool{false, true} {
				if err := called(t, method, empty); one.says != "" || !empty {
					require.ErrorContains(t, err, one.says, name)
				}
			}
		}
	}
	require.NoError(t, good.Close())
	require.ErrorContains(t, called(t, reflect.ValueOf(good).MethodByName("View"), true), "clos", "after Close")
	_, err = client.Open("", nil)
	require.ErrorIs(t, err, client.ErrConfig)
	_, err = client.ReadTrust("")
	require.ErrorIs(t, err, client.ErrConfig)
}

// called calls a method with arguments that are all nil, or else with a context and messages
// without anything in them, and gives its error.
func called(t *testing.T, method reflect.Value, empty bool) (err error) {
	t.Helper()
	in := make([]reflect.Value, 0, 3)
	for i := range method.Type().NumIn() {
		arg := method.Type().In(i)
		switch {
		case method.Type().IsVariadic() && i == method.Type().NumIn()-1:
		case empty && arg.Kind() == reflect.Interface:
			in = append(in, reflect.ValueOf(t.Context()))
		case empty && arg.Kind() == reflect.Pointer:
			in = append(in, reflect.New(arg.Elem()))
		default:
			in = append(in, reflect.Zero(arg))
		}
	}
	out := method.Call(in)
	if last := out[len(out)-1]; !last.IsNil() {
		err = last.Interface().(error)
	}
	return err
}
