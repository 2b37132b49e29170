package core

asked := {category | some category in input.resource.properties.fields}

# With oneself there is nothing to agree on.
agreed := asked if own_source

agreed := {category | some category in input.context.agreement.fields} if not own_source

# What may pass, with its mask: of the fields of the cell, those that were asked
# and agreed on, less what an overlay takes away.
granted := object.filter(cell.fields, (asked & agreed) - removed)

pass contains "VELD-00" if count(granted) > 0

# Why a category that was asked for does not pass.
dropped[category] := reason(category) if some category in (asked - passing)

default passing := set()

passing := object.keys(granted)

reason(category) := "VELD-01" if {
	not cell.fields[category]
} else := "VELD-02" if {
	not category in agreed
} else := "VELD-03"
