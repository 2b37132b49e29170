package uwv

import "github.com/ontschot/ontschot/adapters/native"

// Tables are the formats of record that are read here, with their members.
func Tables() []native.Table { return []native.Table{results(), clients(), benefits(), provisions()} }
