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

may(document) := operation if {
	operation := core.operation with input as document
}

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
	operation := may(work) with data.catalog.operations as {}
	operation.decision == false
	operation.reasons == {"ROL-01", "ROL-02"}
}

test_a_level_that_is_no_level_is_no if {
	operation := may(work) with data.catalog.operations["consents.give"].assurance as "onzin"
	operation.reasons == {"ROL-01"}
}

test_two_are_two if {
	alone := may(work) with data.catalog.operations["consents.give"].persons as 2
	alone.reasons == {"ROL-02"}
	weak := json.patch(work, [{"op": "add", "path": "/subject/second", "value": {"role": "consulent", "assurance": "laag"}}])
	together := may(weak) with data.catalog.operations["consents.give"].persons as 2
	together.reasons == {"ROL-02"}
	both := json.patch(work, [{"op": "add", "path": "/subject/second", "value": {"role": "regisseur", "assurance": "hoog"}}])
	fine := may(both) with data.catalog.operations["consents.give"].persons as 2
	fine.decision
}

test_an_overlay_makes_an_operation_stricter_only if {
	stricter := {"operations": {"consents.give": {"remove_roles": ["regisseur"], "assurance": "hoog", "persons": 2}}}
	operation := may(work) with data.overlays["00000099000000119000"] as stricter
	operation.reasons == {"ROL-01", "ROL-02"}
	generous := {"operations": {"consents.give": {"roles": ["schoonmaker"], "assurance": "laag", "persons": 1}}}
	cleaner := json.patch(work, [{"op": "replace", "path": "/subject/properties/role", "value": "schoonmaker"}])
	refused := may(cleaner) with data.overlays["00000099000000119000"] as generous
	"ROL-01" in refused.reasons
	low := json.patch(work, [{"op": "replace", "path": "/subject/properties/assurance", "value": "laag"}])
	still := may(low) with data.overlays["00000099000000119000"] as generous
	"ROL-01" in still.reasons
}
