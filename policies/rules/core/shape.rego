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
	regex.match(`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`, input.context.date)
}

# Both ends of a span of civil dates count.
covers_date(from, until) if {
	regex.match(`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`, from)
	regex.match(`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`, until)
	from <= input.context.date
	input.context.date <= until
}
