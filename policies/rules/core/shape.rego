package core

# The version of the contract between gateway and rules.
pass contains "SYS-02" if input.context.contract == "ontschot.request/1"

# What no other check holds against a table is there, and is of the right form.
# Comparing dates as text is sound only because their form is checked. An OIN is
# twenty digits, a string because leading zeros matter.
pass contains "SYS-01" if {
	input.subject.type == "organisation"
	regex.match(`^[0-9]{20}$`, input.subject.id)
	input.action.name == "read"
	input.resource.type == "person"
	is_string(input.resource.id)
	input.resource.id != ""
	regex.match(`^[0-9]{20}$`, input.resource.properties.source)
	is_array(input.resource.properties.fields)

	# A day that is on the calendar: a leap day comes every fourth year, but for three of
	# four centuries.
	regex.match(`^([0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))|([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29)$`, input.context.date)
}

# Both ends of a span of civil dates count.
covers_date(from, until) if {
	regex.match(`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`, from)
	regex.match(`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`, until)
	from <= input.context.date
	input.context.date <= until
}
