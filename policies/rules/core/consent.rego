package core

# Composing one budget out of several laws always asks for consent (Wmo 2015
# art. 5.2.5, Wlz art. 9.1.3 lid 3), whatever a cell of the matrix says.
always_consent := {"integral_budget.compose"}

consent_waived if {
	cell.consent == false
	not input.action.properties.purpose in always_consent
}

# What Go says of a consent. Any other status, such as expired, covers nothing.
statuses := {"active", "withdrawn", "wrong_signer", "authority_unclear"}

default consent_checks := {"TOEST-01"}

consent_checks := set() if consent_waived

consent_checks := {"TOEST-01", "TOEST-02", "TOEST-03", "TOEST-04", "TOEST-05"} if {
	not consent_waived
	input.context.consent.status in statuses
}

# There is a consent and it covers what is asked.
pass contains "TOEST-01" if {
	is_string(input.context.consent.id)
	input.context.consent.id != ""
	input.context.consent.status in statuses
	input.action.properties.purpose in input.context.consent.purposes
	input.resource.properties.source in input.context.consent.sources
	covers_date(input.context.consent.from, input.context.consent.until)
}

# Not withdrawn (AVG art. 7 lid 3).
pass contains "TOEST-02" if {
	input.context.consent.status != "withdrawn"
}

# Of this person.
pass contains "TOEST-03" if input.context.consent.subject == input.resource.id

# Given by somebody who may. A bewindvoerder, who looks after money, is not in
# the list: they cannot sign for data about health.
pass contains "TOEST-04" if {
	input.context.consent.status != "wrong_signer"
	data.catalog.signers[input.context.consent.by].mandate == false
}

# Or by somebody with a mandate, for this purpose and still today.
pass contains "TOEST-04" if {
	input.context.consent.status != "wrong_signer"
	data.catalog.signers[input.context.consent.by].mandate == true
	input.action.properties.purpose in input.context.consent.mandate.scope
	regex.match(`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`, input.context.consent.mandate.until)
	input.context.date <= input.context.consent.mandate.until
}

# Parental authority is clear on this day (BW 1:244, 1:245; suspended or shifted: 1:253q,
# 1:253r).
pass contains "TOEST-05" if {
	input.context.consent.status != "authority_unclear"
}
