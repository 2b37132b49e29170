package host

import (
	"context"
	"errors"

	"google.golang.org/protobuf/proto"

	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
)

// errSeen ends a start at what was wanted of it.
var errSeen = errors.New("described")

// Describe starts a program, has it say what it is, and ends it. It is given no
// configuration and no secrets. Errors: ErrStart, ErrDescribed.
func Describe(ctx context.Context, c Config) (*adapterv1.DescribeResponse, error) {
	var what *adapterv1.DescribeResponse
	c.Party = "describe"
	c.Accept = func(is *adapterv1.DescribeResponse) error {
		what = proto.CloneOf(is)
		return errSeen
	}
	if _, err := Start(ctx, c); !errors.Is(err, errSeen) { // of a start that succeeded there is none
		return nil, err
	}
	return what, wellDescribed(what)
}
