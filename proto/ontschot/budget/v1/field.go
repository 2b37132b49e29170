package budgetv1

import (
	"errors"

	"buf.build/go/protovalidate"
)

// FieldPath names the first field that broke a rule of protovalidate, never its value.
func FieldPath(err error) string {
	var invalid *protovalidate.ValidationError
	if errors.As(err, &invalid) && len(invalid.Violations) > 0 {
		return protovalidate.FieldPathString(invalid.Violations[0].Proto.GetField())
	}
	return "."
}
