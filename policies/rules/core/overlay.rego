package core

# Overlays are what one organisation takes away: of what it asks, when it is the
# asking party, and of what it gives, when it is the source. Both count. Their
# vocabulary has words for removing only.
overlays contains overlay if {
	some oin in [input.subject.id, input.resource.properties.source]
	overlay := data.overlays[oin].purposes[input.action.properties.purpose]
}

removed_roles contains role if {
	some overlay in overlays
	some role in overlay.remove_roles
}

removed contains category if {
	some overlay in overlays
	some category in overlay.remove_categories[input.resource.properties.source_kind]
}

removed contains category if {
	some overlay in overlays
	input.resource.properties.source_kind in overlay.remove_sources
	some category, _ in cell.fields
}
