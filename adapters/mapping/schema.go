package mapping

import "encoding/json"

// Schema is the JSON Schema (draft 2020-12) of a mapping: the keys that Parse takes, but for those
// of source, which are those of its kind. What an expression is, Parse says.
func Schema() []byte {
	object := func(properties map[string]any) map[string]any {
		return map[string]any{"type": "object", "additionalProperties": false, "properties": properties}
	}
	list := func(of any) map[string]any { return map[string]any{"type": "array", "items": of} }
	plain := map[string]any{"type": []string{"string", "number", "boolean", "null"}} // an expression, or a text
	all := func(keys ...string) map[string]any {
		properties := map[string]any{}
		for _, key := range keys {
			properties[key] = plain
		}
		return properties
	}
	with := func(properties map[string]any, more map[string]any) map[string]any {
		for key, of := range more {
			properties[key] = of
		}
		return object(properties)
	}
	texts := map[string]any{"type": "object", "additionalProperties": plain}
	sum := object(all("cents", "basis", "derived", "gross"))
	period := object(all("from", "to"))
	line := with(all("law", "kind", "form", "fungibility", "provider", "id"), map[string]any{
		"product": with(all("system", "code", "local_code"), map[string]any{"labels": texts}),
		"period":  period, "quantity": object(all("volume", "unit", "frequency")), "amount": sum, "income": sum,
		"decision": object(all("number", "issued", "budget")),
	})
	test := with(all("name", "answer", "person", "from", "to", "history", "party", "refused"), map[string]any{
		"scheme_codes": list(plain), "lines": list(object(all(lineKeys()...))),
		"own_contributions": list(object(all(contributionKeys()...))), "notices": list(object(all(noticeKeys()...))),
	})
	root := with(all("mapping", "id", "version", "record", "rows", "each", "numbers", "dates", "amounts", "person"), map[string]any{
		"laws": list(plain), "categories": list(plain), "identifiers": list(plain), "ignored": list(plain),
		"party": map[string]any{"type": []string{"string", "array"}, "items": plain}, "source": map[string]any{"type": "object"},
		"skip": list(object(all("when", "reason"))), "checks": list(object(all("that", "rule"))), "fields": line,
		"own_contribution": with(all("law", "cents_per_month", "household"), map[string]any{"period": period}),
		"codes":            map[string]any{"type": "object", "additionalProperties": with(all("unknown", "fold"), map[string]any{"values": texts, "labels": texts})},
		"tests":            list(test),
	})
	root["$schema"], root["$id"] = "https://json-schema.org/draft/2020-12/schema", "https://ontschot.nl/schema/mapping.json"
	raw, _ := json.MarshalIndent(root, "", "  ") // plain values
	return raw
}
