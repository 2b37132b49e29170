package core

# The cell of the matrix this request falls in. No cell: nothing was ever
# registered for it, and nothing may pass.
cell := purpose.sources[input.resource.properties.source_kind][input.action.properties.law]

purpose := data.matrix[input.action.properties.purpose]

pass contains "DOEL-01" if is_object(cell.fields)

default cell_checks := {"DOEL-01"}

cell_checks := {"GROND-01", "ROL-01", "VELD-00"} if is_object(cell)

# The basis must be one that is registered for the cell. Consent does not make
# up for a basis that is not there (AVG art. 6 and 9 beside each other; UAVG art. 46).
pass contains "GROND-01" if {
	some basis in cell.basis
	basis.avg6 == input.resource.properties.legal_basis
}

# A dated one counts on the days of its statute, when that is active and is for sharing.
pass contains "GROND-01" if {
	some basis in cell.dated
	statute := data.catalog.statutes[basis.statute]
	basis.avg6 == input.resource.properties.legal_basis
	statute.active == true
	"sharing" in statute.use
	covers_date(statute.from, object.get(statute, "to", "9999-12-31"))
}

pass contains "ROL-01" if {
	input.subject.properties.org_type in purpose.asked_by
	input.subject.properties.role in cell.roles
	not input.subject.properties.role in removed_roles

	# Levels of assurance as in eIDAS (910/2014, art. 8); a higher one will do.
	levels := data.catalog.assurance
	levels[input.subject.properties.assurance].rank >= levels[cell.assurance].rank
}
