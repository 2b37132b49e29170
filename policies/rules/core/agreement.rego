package core

# A party needs no agreement with itself. Everything else still applies.
own_source if input.subject.id == input.resource.properties.source

default agreement_checks := {"OVK-01"}

agreement_checks := set() if own_source

agreement_checks := {"OVK-01", "OVK-02", "OVK-03"} if {
	not own_source
	is_object(input.context.agreement)
}

# Go verified its signatures and found it in force in its own register; the
# digest is the proof of which document that was.
pass contains "OVK-01" if {
	is_string(input.context.agreement.id)
	input.context.agreement.id != ""
	is_string(input.context.agreement.digest)
	input.context.agreement.digest != ""
	is_array(input.context.agreement.fields)
}

pass contains "OVK-02" if {
	covers_date(input.context.agreement.from, input.context.agreement.until)
}

pass contains "OVK-03" if {
	input.context.agreement.requester == input.subject.id
	input.context.agreement.source == input.resource.properties.source
	input.action.properties.purpose in input.context.agreement.purposes
}
