// Package systemd holds the unit of the packages: what ontschot init writes for a folder is made
// of it, so that a line that locks it stands in one place.
package systemd

import _ "embed" // the unit

//go:embed ontschot.service
var Unit string
