# The officer's cases (policies/cases), as data. Stock OPA runs them, and so does the
# gateway's own program, with the very same rules:
#
#	opa test policies/rules cases:policies/cases
#
# What a case does not say is in order: its defaults are filled in here, and nowhere else. A
# word that nobody knows fails the case, unless the case says that it is meant (unknown).
package cases_test

import data.core

# A folder of cases holds several by their names, or one that is named as the folder is.
cases := {group: named(group, entries) | some group, entries in data.cases}

named(group, entries) := {object.get(entries, "name", group): entries} if {
	object.get(entries, "expect", null) != null
} else := entries

test_there_are_cases if {
	count(cases) > 0
	every _, named in cases {
		is_object(named)
		count(named) > 0
	}
}

test_case[group][name] if {
	some group, named in cases
	some name, said in named
	result(said).passed == true
}

# How each case comes out. What is compared is what the case says.
results := {group: {name: result(said) | some name, said in named} | some group, named in cases}

result(said) := {"passed": false, "problems": wrong} if {
	wrong := problems_of(said)
	count(wrong) > 0
} else := {
	"passed": expected == got,
	"about": about(said),
	"expected": expected,
	"got": got,
	"problems": [],
} if {
	expected := expectation(said)
	got := object.filter(answer(said), object.keys(expected))
}

# The requests of the questions: others than these tests judge them too.
requests := {group: {name: request(said) |
	some name, said in named
	not changes_the_matrix(said)
	said.question
	count(problems_of(said)) == 0
} |
	some group, named in cases
}

# And what somebody comes to do at the doors.
works := {group: {name: work(said.work) |
	some name, said in named
	said.work
	count(problems_of(said)) == 0
} |
	some group, named in cases
}

about(said) := {
	"purpose": purpose_of(said.question),
	"source": said.question.source,
	"law": said.question.law,
	"masks": object.get(said, "masks", {}),
	"statute": object.get(said, "statute", ""),
} if {
	said.question
}

about(said) := {"operation": said.work.does} if said.work

about(said) := {"municipality": said.pool.municipality} if said.pool

# What a case expects, in the form of an answer.
expectation(said) := object.union_n([
	{
		"decision": said.expect.decision,
		"codes": {code | some code in object.get(said.expect, "codes", [])},
	},
	expected_fields(said),
	expected_dropped(said),
	object.filter(said.expect, ["retention_days", "basis"]),
])

expected_fields(said) := {"fields": {field: object.get(masks, field, "none") | some field in object.get(said.expect, "fields", [])}} if {
	said.question
	masks := object.get(said.expect, "masks", {})
} else := {}

expected_dropped(said) := {"dropped": said.expect.dropped} if {
	said.expect.dropped
} else := {"dropped": {}} if {
	said.question
	said.expect.decision == "allow"
} else := {}

answer(said) := worded(decision, {
	"fields": decision.fields,
	"dropped": decision.dropped,
	"retention_days": object.get(decision.obligations, "retention_days", 0),
}) if {
	said.question
	not changes_the_matrix(said)
	decision := core.decision with input as request(said)
}

answer(said) := worded(decision, {
	"fields": decision.fields,
	"dropped": decision.dropped,
	"retention_days": object.get(decision.obligations, "retention_days", 0),
}) if {
	said.question
	changes_the_matrix(said)
	decision := core.decision with input as request(said) with data.matrix as changed_matrix(said)
}

answer(said) := worded(operation, {}) if {
	said.work
	operation := core.operation with input as work(said.work)
}

# Money of several laws is put together under the youngest statute that allows it.
answer(said) := object.union({"decision": "allow", "codes": set()}, {"basis": youngest[1]}) if {
	said.pool
	youngest := max(pooling(said.pool))
}

answer(said) := {"decision": "deny", "codes": set()} if {
	said.pool
	count(pooling(said.pool)) == 0
}

worded(answered, more) := object.union({"decision": verdict[answered.decision], "codes": {code | some code in answered.reasons}}, more)

verdict := {true: "allow", false: "deny"}

# The statutes that are active, are for pooling, and hold in this municipality, for all
# these laws and on all these days.
pooling(pool) := {[statute.from, name] |
	some name, statute in data.catalog.statutes
	statute.active == true
	"pooling" in statute.use
	pool.municipality in statute.municipalities
	every law in pool.laws {
		law in statute.laws
	}
	statute.from <= pool.from
	pool.to <= statute.to
}

changes_the_matrix(said) if said.statute

changes_the_matrix(said) if said.masks

# The table of the purpose as if the cell had these masks, or as if each of its bases
# rested on a statute.
changed_matrix(said) := object.union(data.matrix, {purpose: {"sources": {source: {law: cell}}}}) if {
	purpose := purpose_of(said.question)
	source := said.question.source
	law := said.question.law
	cell := changed_cell(said, data.matrix[purpose].sources[source][law])
}

changed_cell(said, cell) := object.union_n([cell, {"fields": object.get(said, "masks", {})}, resting(said, cell)])

resting(said, cell) := {"basis": [], "dated": dated} if {
	said.statute
	dated := [object.union(basis, {"statute": said.statute}) | some basis in cell.basis]
} else := {}

# A request that is in order, with what the case says otherwise.
request(said) := {
	"subject": {
		"type": "organisation",
		"id": requester_of(said.question),
		"properties": {
			"org_type": object.get(said.question, "org_type", "gemeente"),
			"role": object.get(said.question, "role", "consulent"),
			"assurance": object.get(said.question, "assurance", "substantieel"),
		},
	},
	"action": {"name": "read", "properties": {"purpose": purpose_of(said.question), "law": said.question.law}},
	"resource": {
		"type": "person",
		"id": person_of(said.question),
		"properties": {
			"source": source_of(said.question),
			"source_kind": said.question.source,
			"fields": said.question.fields,
			"legal_basis": object.get(said.question, "basis", "avg-6-1-e"),
		},
	},
	"context": object.union_n([
		{"contract": object.get(said.question, "contract", "ontschot.request/1"), "date": said.date},
		{"agreement": agreement(said) | not has(said, "without", "agreement")},
		{"consent": consent(said) | not has(said, "without", "consent")},
	]),
}

has(said, list, word) if word in object.get(said, list, [])

purpose_of(question) := object.get(question, "purpose", "integral_budget.compose")

person_of(question) := object.get(question, "person", "p-1")

requester_of(question) := object.get(question, "requester", "00000099000000119000")

source_of(question) := requester_of(question) if {
	question.own == true
} else := object.get(question, "source_oin", "00000099000005503000")

agreement(said) := object.union(
	{
		"id": "a-1",
		"digest": "d-1",
		"requester": requester_of(said.question),
		"source": source_of(said.question),
		"purposes": [purpose_of(said.question)],
		"fields": said.question.fields,
		"from": "2026-01-01",
		"until": "2026-12-31",
	},
	object.get(said, "agreement", {}),
)

consent(said) := object.union_n([
	{
		"id": "c-1",
		"status": "active",
		"subject": person_of(said.question),
		"by": "self",
		"purposes": [purpose_of(said.question)],
		"sources": [source_of(said.question)],
		"from": "2026-01-01",
		"until": "2026-12-31",
	},
	object.get(said, "consent", {}),
	mandate(said),
])

mandate(said) := {"mandate": object.union({"scope": [purpose_of(said.question)], "until": "2026-12-31"}, said.consent.mandate)} if {
	said.consent.mandate
} else := {}

work(said) := {
	"subject": object.union(
		{
			"type": "organisation",
			"id": object.get(said, "organisation", "00000099000000119000"),
			"properties": {"role": object.get(said, "role", "consulent"), "assurance": object.get(said, "assurance", "substantieel")},
		},
		object.filter(said, ["second"]),
	),
	"action": {"name": said.does},
	"context": {"contract": "ontschot.operation/1"},
}
