package core

# May this case worker do this? Every door of the gateway asks it, save one: who
# withdraws a consent is not asked anything here (AVG art. 7 lid 3).
operation := {
	"contract": "ontschot.decision/1",
	"decision": operation_allowed,
	"reasons": operation_failed,
	"checks": operation_checks,
}

default operation_allowed := false

operation_allowed if count(operation_failed) == 0

operation_failed := operation_checks - operation_pass

operation_checks := {"SYS-01", "SYS-02", "ROL-01"} | second_checks

# Two people are needed unless a rule says that one will do.
default second_checks := {"ROL-02"}

second_checks := set() if {
	door.persons == 1
	every stricter in stricter_here {
		not stricter.persons
	}
}

# The cell of the operation. No cell: the door opens for nobody.
door := data.catalog.operations[input.action.name]

# What the organisation itself takes away. Its vocabulary has words for less only.
stricter_here contains data.overlays[input.subject.id].operations[input.action.name]

operation_pass contains "SYS-02" if input.context.contract == "ontschot.operation/1"

operation_pass contains "SYS-01" if {
	input.subject.type == "organisation"
	regex.match(`^[0-9]{20}$`, input.subject.id)
	is_string(input.action.name)
}

operation_pass contains "ROL-01" if may_do(input.subject.properties)

# Go proved that the second is somebody else, of the same organisation.
operation_pass contains "ROL-02" if may_do(input.subject.second)

may_do(worker) if {
	worker.role in door.roles
	reaches(worker, door.assurance)
	every stricter in stricter_here {
		not worker.role in object.get(stricter, "remove_roles", [])
		reaches(worker, object.get(stricter, "assurance", door.assurance))
	}
}

reaches(worker, level) if {
	levels := data.catalog.assurance
	levels[worker.assurance].rank >= levels[level].rank
}
