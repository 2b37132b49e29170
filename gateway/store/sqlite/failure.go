package sqlite

import (
	"context"
	"errors"
	"fmt"

	driver "modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"

	"github.com/ontschot/ontschot/gateway/audit"
)

// failed turns an error of the driver into one of the seam. The driver's own text
// is left out, as it may quote SQL and values; its result code is enough.
func failed(doing string, err error) error {
	if err == nil {
		return nil
	}
	var broken *driver.Error
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s: %w: %w", doing, audit.ErrUnavailable, err)
	case !errors.As(err, &broken):
		return fmt.Errorf("%s: %w", doing, audit.ErrUnavailable)
	}
	switch code := broken.Code(); code & 0xff {
	case codes.SQLITE_CORRUPT, codes.SQLITE_NOTADB:
		return fmt.Errorf("%s: %w", doing, ErrDamaged)
	default:
		return fmt.Errorf("%s: %w (sqlite %d)", doing, audit.ErrUnavailable, code)
	}
}
