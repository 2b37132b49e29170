package careoffice

import "github.com/ontschot/ontschot/adapters/native"

// Tables are the formats of record that are read here, with their members.
func Tables() []native.Table { return []native.Table{mediations(), indications()} }
