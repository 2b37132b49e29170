# Package core answers: may this organisation have these data of this person
# under this law, and if not, why not?
#
# Checks are positive. A check counts only when a rule says that it passed, so a
# rule that is forgotten, or an input that is missing or of another type, denies.
# The decision is a function of the input and of data.matrix, data.catalog and
# data.overlays: no clock, no network, no chance.
package core

decision := {
	"contract": "ontschot.decision/1",
	"decision": allow,
	"reasons": failed,
	"checks": required,
	"fields": released,
	"dropped": dropped,
	"obligations": obligations,
}

default allow := false

allow if {
	count(failed) == 0
	count(granted) > 0
}

failed := required - pass

required := union({always, cell_checks, agreement_checks, consent_checks})

# What is checked of every request. The other sets say what more is checked;
# the default of each of them holds a check that then fails.
always := {"SYS-01", "SYS-02", "DOEL-01"}

default released := {}

released := granted if allow

default obligations := {}

obligations := {"retention_days": retention_days, "notify": cell.notify} if allow

# An overlay can only shorten how long the asking party may retain what it gets.
retention_days := min(array.concat([cell.retention_days], [days | days := overlays[_].retention_days]))
