package core_test

import data.core

# A request that is in order in every respect.
request := {
	"subject": {
		"type": "organisation",
		"id": "00000099000000119000",
		"properties": {"org_type": "gemeente", "role": "consulent", "assurance": "substantieel"},
	},
	"action": {"name": "read", "properties": {"purpose": "integral_budget.compose", "law": "wlz"}},
	"resource": {
		"type": "person",
		"id": "p-1",
		"properties": {
			"source": "00000099000005503000",
			"source_kind": "careoffice",
			"fields": ["entitlement", "amount"],
			"legal_basis": "avg-6-1-e",
		},
	},
	"context": {
		"contract": "ontschot.request/1",
		"date": "2026-01-05",
		"agreement": {
			"id": "a-1",
			"requester": "00000099000000119000",
			"source": "00000099000005503000",
			"purposes": ["integral_budget.compose"],
			"from": "2026-01-01",
			"until": "2026-12-31",
			"fields": ["entitlement", "amount"],
			"digest": "d-1",
		},
		"consent": {
			"id": "c-1",
			"status": "active",
			"subject": "p-1",
			"by": "self",
			"purposes": ["integral_budget.compose"],
			"sources": ["00000099000005503000"],
			"from": "2026-01-01",
			"until": "2026-12-31",
		},
	},
}

# Tables of these tests alone: what an officer changes in hers changes nothing here. Her own
# cases say what her tables do.
tables := {
	"matrix": {"integral_budget.compose": {"asked_by": ["gemeente"], "sources": {"careoffice": {"wlz": {
		"fields": {"entitlement": "none", "product": "group", "amount": "none"},
		"basis": [{"avg6": "avg-6-1-e"}],
		"roles": ["consulent"],
		"assurance": "substantieel",
		"consent": true,
		"retention_days": 90,
		"notify": ["betrokkene"],
	}}}}},
	"catalog": {
		"signers": {"self": {"mandate": false}},
		"assurance": {"laag": {"rank": 1}, "substantieel": {"rank": 2}, "hoog": {"rank": 3}},
		"statutes": {},
	},
	"overlays": {},
}

# The cell of the request, as a path of a JSON patch.
cell := "/matrix/integral_budget.compose/sources/careoffice/wlz"

decide(document) := decide_by(document, tables)

decide_by(document, by) := decision if {
	decision := core.decision with input as document
		with data.matrix as by.matrix
		with data.catalog as by.catalog
		with data.overlays as by.overlays
}

# A code that tells a diagnosis leaves as its group, unless the cell says otherwise.
test_fields_have_the_masks_of_their_cell if {
	whole := object.union(request, {
		"resource": {"properties": {"fields": ["entitlement", "product"]}},
		"context": {"agreement": {"fields": ["entitlement", "product"]}},
	})
	decide(whole).fields == {"entitlement": "none", "product": "group"}
	opened := json.patch(tables, [{"op": "replace", "path": concat("", [cell, "/fields/product"]), "value": "none"}])
	decide_by(whole, opened).fields == {"entitlement": "none", "product": "none"}
}

test_in_order_is_allowed if {
	decision := decide(request)
	decision.decision
	decision.reasons == set()
	decision.fields == {"entitlement": "none", "amount": "none"}
	decision.obligations == {"retention_days": 90, "notify": ["betrokkene"]}
}

test_nothing_at_all_is_denied if {
	decision := decide({})
	decision.decision == false
	decision.fields == {}
	decision.obligations == {}
}

# Every path of a request that is in order must be there. The paths of lists are
# the lists; what is in them is held against them.
paths contains path if {
	walk(request, [path, value])
	count(path) > 0
	every step in path {
		is_string(step)
	}
}

test_there_are_paths if count(paths) == 41

# The permanent test: take any of them away, and the answer is no.
test_every_path_is_needed if {
	every path in paths {
		without := json.patch(request, [{"op": "remove", "path": path}])
		decision := decide(without)
		decision.decision == false
		decision.fields == {}
	}
}

# And so it is when a path is of another type.
test_every_path_is_of_its_type if {
	every path in paths {
		every other in [null, true, 7, "", "zzz", [], {}] {
			changed := json.patch(request, [{"op": "replace", "path": path, "value": other}])
			no_or_same_type(decide(changed), path, other)
		}
	}
}

no_or_same_type(decision, _, _) if decision.decision == false

# The names of documents are texts without a form.
no_or_same_type(_, path, "zzz") if path[count(path) - 1] in {"id", "digest"}

test_consent_is_always_needed_to_compose if {
	without := json.patch(request, [{"op": "remove", "path": "/context/consent"}])
	decision := decide_by(without, json.patch(tables, [{"op": "replace", "path": concat("", [cell, "/consent"]), "value": false}]))
	decision.decision == false
	decision.reasons == {"TOEST-01"}
}

test_a_statutory_purpose_may_waive_consent if {
	waived := json.patch(tables.matrix["integral_budget.compose"], [{"op": "replace", "path": "/sources/careoffice/wlz/consent", "value": false}])
	other := json.patch(request, [
		{"op": "replace", "path": "/action/properties/purpose", "value": "integral_budget.account"},
		{"op": "replace", "path": "/context/agreement/purposes", "value": ["integral_budget.account"]},
		{"op": "remove", "path": "/context/consent"},
	])
	decision := decide_by(other, json.patch(tables, [{"op": "add", "path": "/matrix/integral_budget.account", "value": waived}]))
	decision.decision
	not "TOEST-01" in decision.checks
}

test_an_overlay_cannot_add if {
	generous := {"purposes": {"integral_budget.compose": {
		"fields": {"income": "none"},
		"add_roles": ["directeur"],
		"retention_days": 3650,
		"remove_categories": {"careoffice": ["amount"]},
	}}}
	asked := json.patch(request, [{"op": "add", "path": "/resource/properties/fields/-", "value": "income"}])
	decision := decide_by(asked, json.patch(tables, [{"op": "add", "path": "/overlays/00000099000000119000", "value": generous}]))
	decision.fields == {"entitlement": "none"}
	decision.dropped == {"amount": "VELD-03", "income": "VELD-01"}
	decision.obligations.retention_days == 90
}
