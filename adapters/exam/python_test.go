package exam_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/ontschot/ontschot/adapters/exam"
	"github.com/ontschot/ontschot/adapters/trial"
	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
)

const python = "../../docs/examples/adapter-python"

// An adapter in another language, with nothing of ours but the descriptors of the messages,
// passes the same exam.
func TestTheAdapterInPythonPasses(t *testing.T) {
	t.Parallel()
	interpreter := interpreter()
	if interpreter == "" {
		trial.Lacking(t, "Python with gRPC (apt-get install python3-grpcio python3-protobuf)")
	}
	program, err := filepath.Abs(filepath.Join(python, "adapter.py"))
	require.NoError(t, err)
	c := config(t)
	c.Command, c.Manifest = []string{interpreter, program}, nil
	r := examined(t, c)
	require.Empty(t, r.Failures(true), printed(t, r))
	clock := []string{"lifecycle.by-hand", "operation.start"} // how long Python takes to start is the machine's, and should only be short
	require.Subset(t, clock, r.Failures(false), printed(t, r))
	for _, one := range r.Results {
		if one.Group() != "remote" && one.ID != "describe.manifest" && !slices.Contains(clock, one.ID) {
			require.Equal(t, exam.Passed, one.Outcome, "%s: %s", one.ID, one.Seen.EN)
		}
	}
}

// interpreter is a Python that has gRPC: that of Debian's packages, or the one of the path.
func interpreter() string {
	for _, path := range []string{"/usr/bin/python3", "python3"} {
		if exec.Command(path, "-c", "import grpc, google.protobuf").Run() == nil {
			return path
		}
	}
	return ""
}

// What that adapter reads of the messages is what they are: their descriptors, without the
// options that are of no use to it, and those of an error.
func TestTheDescriptorsAreThoseOfTheMessages(t *testing.T) {
	var set descriptorpb.FileDescriptorSet
	seen := map[string]bool{}
	for _, file := range []protoreflect.FileDescriptor{
		adapterv1.File_ontschot_adapter_v1_adapter_proto, errdetails.File_google_rpc_error_details_proto, status.File_google_rpc_status_proto,
	} {
		collect(&set, seen, file)
	}
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(&set)
	require.NoError(t, err)
	path := filepath.Join(python, "descriptors.binpb")
	if *update {
		require.NoError(t, os.WriteFile(path, raw, 0o644))
	}
	there, err := os.ReadFile(path)
	require.NoError(t, err)
	require.True(t, string(there) == string(raw), "write it anew: go test ./adapters/exam -run Descriptors -update")
}

// collect adds a file after those that it needs, without options.
func collect(set *descriptorpb.FileDescriptorSet, seen map[string]bool, file protoreflect.FileDescriptor) {
	if seen[file.Path()] {
		return
	}
	seen[file.Path()] = true
	d := protodesc.ToFileDescriptorProto(file)
	d.Options, d.Dependency, d.PublicDependency = nil, nil, nil
	for i := range file.Imports().Len() {
		to := file.Imports().Get(i).FileDescriptor
		if to.Path() == "buf/validate/validate.proto" || to.Path() == "ontschot/budget/v1/category.proto" {
			continue // of options alone
		}
		collect(set, seen, to)
		d.Dependency = append(d.Dependency, to.Path())
	}
	for _, m := range d.GetMessageType() {
		plain(m)
	}
	for _, s := range d.GetService() {
		for _, m := range s.GetMethod() {
			m.Options = nil
		}
	}
	set.File = append(set.File, d)
}

// plain takes the options off a message; that it is an entry of a map stays.
func plain(m *descriptorpb.DescriptorProto) {
	if !m.GetOptions().GetMapEntry() {
		m.Options = nil
	}
	for _, f := range m.GetField() {
		f.Options = nil
	}
	for _, inside := range m.GetNestedType() {
		plain(inside)
	}
}
