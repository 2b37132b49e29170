package federation_test

import (
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/server"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// doorkeeper counts who comes, and lets nobody in.
type doorkeeper struct{ came atomic.Int64 }

func (d *doorkeeper) Check([]*x509.Certificate, time.Time) error {
	d.came.Add(1)
	return errors.New("nobody comes in")
}

// Every call that a gateway serves, of a case worker or of another gateway, begins with the one
// prologue: it looks at the certificate first, once, and before it looks at the message, which
// is empty here. Which calls there are the proto files say.
func TestEveryCallBeginsWithAdmission(t *testing.T) {
	door := &doorkeeper{}
	w := newTwo(t, options{change: func(asker, _ *server.BrokerConfig) { asker.Certificates = door }})
	conn, err := grpc.NewClient(w.asker.addr, grpc.WithTransportCredentials(credentials.NewTLS(w.source.holder.Client("localhost"))))
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })

	served := w.asker.Serve(w.asker.holder, config.Limits{}).GetServiceInfo()
	require.NotContains(t, served, ontschotv1.OperatorService_ServiceDesc.ServiceName, "it is served on a socket of its own, that one user can open")
	calls := 0
	for _, service := range services() {
		require.Contains(t, served, string(service.FullName()), "a service that is not served")
		for i := range service.Methods().Len() {
			m := service.Methods().Get(i)
			before := door.came.Load()
			path := "/" + string(service.FullName()) + "/" + string(m.Name())
			stream, err := conn.NewStream(t.Context(), &grpc.StreamDesc{ServerStreams: m.IsStreamingServer(), ClientStreams: m.IsStreamingClient()}, path)
			require.NoError(t, err)
			require.NoError(t, stream.SendMsg(dynamicpb.NewMessage(m.Input())), path)
			require.NoError(t, stream.CloseSend())
			err = stream.RecvMsg(dynamicpb.NewMessage(m.Output()))
			require.Equal(t, codes.Unauthenticated, status.Code(err), "%s: %v", path, err)
			details := status.Convert(err).Details()
			require.NotEmpty(t, details, path)
			require.Equal(t, ontschotv1.ReasonCertificate, details[0].(*errdetails.ErrorInfo).GetReason(), path)
			require.Equal(t, before+1, door.came.Load(), path)
			calls++
		}
	}
	require.Greater(t, calls, 28)
	for name := range served { // what else is served says nothing of anybody
		known := slices.ContainsFunc(services(), func(s protoreflect.ServiceDescriptor) bool { return string(s.FullName()) == name })
		require.True(t, known || name == "grpc.health.v1.Health" || strings.HasPrefix(name, "grpc.reflection."), name)
	}
}

// services are those of the proto files that a gateway has; an adapter's is none of them.
func services() (all []protoreflect.ServiceDescriptor) {
	protoregistry.GlobalFiles.RangeFilesByPackage("ontschot.v1", func(file protoreflect.FileDescriptor) bool {
		for i := range file.Services().Len() {
			if one := file.Services().Get(i); string(one.FullName()) != ontschotv1.OperatorService_ServiceDesc.ServiceName {
				all = append(all, one)
			}
		}
		return true
	})
	return all
}
