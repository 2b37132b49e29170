package core_test

import data.core

# Somebody who may do it.
work := {
	"subject": {
		"type": "organisation",
		"id": "00000099000000119000",
		"properties": {"role": "consulent", "assurance": "substantieel"},
	},
	"action": {"name": "consents.give"},
	"context": {"contract": "ontschot.operation/1"},
}

# Doors of these tests alone; see decision_test.rego.
doors := {
	"catalog": {
		"operations": {"consents.give": {"roles": ["consulent", "regisseur"], "assurance": "substantieel", "persons": 1}},
		"assurance": {"laag": {"rank": 1}, "substantieel": {"rank": 2}, "hoog": {"rank": 3}},
	},
	"overlays": {},
}

# The door of the work, as a path of a JSON patch.
door := "/catalog/operations/consents.give"

may(document) := may_by(document, doors)

may_by(document, by) := operation if {
	operation := core.operation with input as document with data.catalog as by.catalog with data.overlays as by.overlays
}

with_overlay(overlay) := json.patch(doors, [{"op": "add", "path": "/overlays/00000099000000119000", "value": overlay}])

test_who_may_may if {
	operation := may(work)
	operation.decision
	operation.reasons == set()
}

test_nobody_may_nothing if may({}).decision == false

work_paths contains path if {
	walk(work, [path, value])
	count(path) > 0
}

test_there_are_paths_of_work if count(work_paths) == 10

test_every_path_of_work_is_needed if {
	every path in work_paths {
		may(json.patch(work, [{"op": "remove", "path": path}])).decision == false
	}
}

test_every_path_of_work_is_of_its_type if {
	every path in work_paths {
		every other in [null, true, 7, "", "zzz", [], {}] {
			may(json.patch(work, [{"op": "replace", "path": path, "value": other}])).decision == false
		}
	}
}

test_an_operation_without_a_cell_is_no if {
	operation := may_by(work, json.patch(doors, [{"op": "replace", "path": "/catalog/operations", "value": {}}]))
	operation.decision == false
	operation.reasons == {"ROL-01", "ROL-02"}
}

test_a_level_that_is_no_level_is_no if {
	operation := may_by(work, json.patch(doors, [{"op": "replace", "path": concat("", [door, "/assurance"]), "value": "onzin"}]))
	operation.reasons == {"ROL-01"}
}

test_two_are_two if {
	two := json.patch(doors, [{"op": "replace", "path": concat("", [door, "/persons"]), "value": 2}])
	alone := may_by(work, two)
	alone.reasons == {"ROL-02"}
	weak := json.patch(work, [{"op": "add", "path": "/subject/second", "value": {"role": "consulent", "assurance": "laag"}}])
	together := may_by(weak, two)
	together.reasons == {"ROL-02"}
	both := json.patch(work, [{"op": "add", "path": "/subject/second", "value": {"role": "regisseur", "assurance": "hoog"}}])
	fine := may_by(both, two)
	fine.decision
}

test_an_overlay_makes_an_operation_stricter_only if {
	stricter := {"operations": {"consents.give": {"remove_roles": ["regisseur"], "assurance": "hoog", "persons": 2}}}
	operation := may_by(work, with_overlay(stricter))
	operation.reasons == {"ROL-01", "ROL-02"}
	generous := {"operations": {"consents.give": {"roles": ["schoonmaker"], "assurance": "laag", "persons": 1}}}
	cleaner := json.patch(work, [{"op": "replace", "path": "/subject/properties/role", "value": "schoonmaker"}])
	refused := may_by(cleaner, with_overlay(generous))
	"ROL-01" in refused.reasons
	low := json.patch(work, [{"op": "replace", "path": "/subject/properties/assurance", "value": "laag"}])
	still := may_by(low, with_overlay(generous))
	"ROL-01" in still.reasons
}
