package cases_test

import data.core

# What a case can say. By path: which list its word is of, or which form it has.
single := {
	"name": "text",
	"date": "day",
	"statute": "statutes",
	"question.source": "source_kinds",
	"question.law": "laws",
	"question.purpose": "purposes",
	"question.basis": "legal_bases",
	"question.role": "roles",
	"question.assurance": "assurance",
	"question.org_type": "organisations",
	"question.contract": "contracts",
	"question.person": "text",
	"question.requester": "oin",
	"question.source_oin": "oin",
	"agreement.from": "day",
	"agreement.until": "day",
	"agreement.requester": "oin",
	"agreement.source": "oin",
	"consent.from": "day",
	"consent.until": "day",
	"consent.status": "consents",
	"consent.subject": "text",
	"consent.by": "signers",
	"consent.mandate.until": "day",
	"work.does": "operations",
	"work.role": "roles",
	"work.assurance": "assurance",
	"work.organisation": "oin",
	"work.second.role": "roles",
	"work.second.assurance": "assurance",
	"pool.municipality": "municipality",
	"pool.from": "day",
	"pool.to": "day",
	"expect.decision": "decisions",
	"expect.basis": "statutes",
}

# The same of each word in a list.
several := {
	"without": "papers",
	"unknown": "text",
	"question.fields": "categories",
	"agreement.purposes": "purposes",
	"agreement.fields": "categories",
	"consent.purposes": "purposes",
	"consent.sources": "oin",
	"consent.mandate.scope": "purposes",
	"pool.laws": "law_codes",
	"expect.codes": "codes",
	"expect.fields": "categories",
}

# And of each key and its word.
pairs := {
	"masks": ["categories", "masks"],
	"expect.masks": ["categories", "masks"],
	"expect.dropped": ["categories", "codes"],
}

objects := {"question", "agreement", "consent", "consent.mandate", "work", "work.second", "pool", "expect"}

other := {"question.own": "boolean", "expect.retention_days": "number"}

forms := {
	"text": `^.{0,128}$`,
	"day": `^[0-9]{4}-[0-9]{2}-[0-9]{2}$`,
	"oin": `^[0-9]{20}$`,
	"municipality": `^GM[0-9]{4}$`,
}

lists := object.union(
	{list: object.keys(entries) | some list, entries in data.catalog},
	{
		"codes": {check.code | some check in data.catalog.checks},
		"law_codes": {law.code | some law in data.catalog.laws},
		"organisations": {kind | some kind in data.matrix[_].asked_by},
		"consents": (core.statuses | {"expired", "replaced"}),
		"contracts": {"ontschot.request/1"},
		"decisions": {"allow", "deny"},
		"masks": {"none", "group", "exists"},
		"papers": {"agreement", "consent"},
	},
)

# A case is one question, one thing to do, or one pool of money. What each must say, and
# what may stand beside it.
kinds := {
	"question": {
		"must": ["date", "question.source", "question.law", "question.fields", "expect.decision"],
		"may": {"name", "unknown", "expect", "question", "date", "statute", "masks", "agreement", "consent", "without"},
	},
	"work": {"must": ["work.does", "expect.decision"], "may": {"name", "unknown", "expect", "work"}},
	"pool": {
		"must": ["pool.municipality", "pool.laws", "pool.from", "pool.to", "expect.decision"],
		"may": {"name", "unknown", "expect", "pool"},
	},
}

paths := (((object.keys(single) | object.keys(several)) | object.keys(pairs)) | object.keys(other)) | objects

# All words, for who looks for the one that was meant.
vocabulary := sort({word | some word in lists[_]} | {last | some path in paths; last := regex.replace(path, `^.*[.]`, "")})

# What is wrong with the words of a case: in which field, of which type, and what. A word
# that nobody knows is let through when the case says that it is meant (unknown).
problems_of(said) := [mistake("(root)", "kind", "a case says one of question, work and pool")] if {
	count(kinds_of(said)) != 1
} else := sort(found | needless(said, strange)) if {
	some kind in kinds_of(said)
	at := places(said)
	bad := {path: value | some path, value in at; path in paths; not good(path, value)}
	strange := strange_in(bad)
	found := (unknown_keys(at, kinds[kind].may) | missing(said, kinds[kind].must)) | (wrong_types(bad) | wrong_words(said, strange))
}

kinds_of(said) := {kind |
	some kind, _ in kinds
	object.get(said, kind, null) != null
}

mistake(field, type, desc) := {"field": field, "type": type, "desc": desc, "words": []}

# Everything that a case says, by its path.
places(said) := object.union_n([
	said,
	{concat(".", [name, key]): value | some name in objects; some key, value in said[name]},
	{concat(".", ["consent.mandate", key]): value | some key, value in said.consent.mandate},
	{concat(".", ["work.second", key]): value | some key, value in said.work.second},
])

good(path, word) if word in lists[single[path]]

good(path, word) if regex.match(forms[single[path]], word)

good(path, words) if {
	is_array(words)
	list := several[path]
	every word in words {
		fits(list, word)
	}
}

good(path, words) if {
	is_object(words)
	list := pairs[path]
	every key, word in words {
		fits(list[0], key)
		fits(list[1], word)
	}
}

good(path, value) if {
	path in objects
	is_object(value)
}

good(path, value) if type_name(value) == other[path]

fits(list, word) if word in lists[list]

fits(list, word) if regex.match(forms[list], word)

unknown_keys(at, may) := {mistake(field, "additional_property_not_allowed", sprintf("Additional property %s is not allowed", [key])) |
	some path in (object.keys(at) - paths)
	[_, before, key] := regex.find_all_string_submatch_n(`^(?:(question|agreement|consent[.]mandate|consent|work[.]second|work|pool|expect)[.])?(.*)$`, path, 1)[0]
	field := object.get({"": "(root)"}, before, before)
} | {mistake("(root)", "additional_property_not_allowed", sprintf("Additional property %s is not allowed beside what the case is about", [key])) |
	some key in ((object.keys(at) & paths) - may)
	not contains(key, ".")
}

missing(said, must) := {mistake("(root)", "required", sprintf("%s is required", [path])) |
	some path in must
	object.get(said, split(path, "."), null) == null
}

# What is of another type than it must be.
wrong_types(bad) := {mistake(path, "invalid_type", sprintf("Invalid type. Given: %s", [type_name(value)])) |
	some path, value in bad
	not is_of(path, value)
}

is_of(path, value) if {
	single[path]
	is_string(value)
}

is_of(path, value) if {
	several[path]
	is_array(value)
	every word in value {
		is_string(word)
	}
}

is_of(path, value) if {
	pairs[path]
	is_object(value)
	every word in value {
		is_string(word)
	}
}

# The words that are not of their list.
strange_in(bad) := {{"field": path, "word": word, "list": single[path]} |
	some path, word in bad
	single[path]
	is_string(word)
} | ({{"field": sprintf("%s.%d", [path, i]), "word": word, "list": several[path]} |
	some path, words in bad
	several[path]
	some i, word in words
	is_string(word)
	not fits(several[path], word)
} | {{"field": sprintf("%s.%s", [path, key]), "word": word, "list": pairs[path][i]} |
	some path, words in bad
	pairs[path]
	some key, second in words
	some i, word in [key, second]
	is_string(word)
	not fits(pairs[path][i], word)
})

wrong_words(said, strange) := {{
	"field": one.field,
	"type": kind_of(one.list),
	"desc": sprintf("%s is no word of %s", [one.word, one.list]),
	"words": sort(object.get(lists, one.list, [])),
} |
	some one in strange
	not has(said, "unknown", one.word)
}

kind_of(list) := "pattern" if {
	forms[list]
} else := "enum"

# A word that is said to be unknown is not known, and is there.
needless(said, strange) := {mistake("unknown", "needless", sprintf("%s is known, or is not in this case: take it out", [word])) |
	some word in said.unknown
	not word in {one.word | some one in strange}
}
