package source

import "encoding/json"

// schema is the JSON Schema of Settings, for systems with these needs. That texts are PEM or
// fit each other it leaves to New.
func (n Needs) schema() []byte {
	text := func(of map[string]any) map[string]any {
		of["type"] = "string"
		return of
	}
	address := text(map[string]any{"pattern": "^https://"})
	settings := map[string]any{
		"party":        text(map[string]any{"minLength": 1, "maxLength": 32}),
		"scheme_codes": map[string]any{"type": "array", "items": text(map[string]any{})},
		"url":          address,
		"ca_pem":       text(map[string]any{}),
		"cert_pem":     text(map[string]any{}),
		"signer_pem":   text(map[string]any{}),
		"numbers":      map[string]any{"enum": []string{"", "nl", "point"}},
		"token_url":    text(map[string]any{}),
		"client_id":    text(map[string]any{}),
	}
	required := []string{"party", "url", "ca_pem"}
	if n.Certificate {
		required = append(required, "cert_pem")
	}
	if n.Token {
		settings["token_url"], required = address, append(required, "token_url", "client_id")
	}
	if n.Signer {
		required = append(required, "signer_pem")
	}
	raw, err := json.Marshal(map[string]any{
		"$schema": "https://json-schema.org/draft/2020-12/schema",
		"type":    "object", "additionalProperties": false, "required": required, "properties": settings,
	})
	if err != nil {
		return nil // it is made of texts alone
	}
	return raw
}

func (n Needs) secrets() []string {
	all := []string{"tls_key"}
	if n.Token {
		all = append(all, "client_secret")
	}
	return all
}

func (n Needs) egress() []string {
	if n.Token {
		return []string{"url", "token_url"}
	}
	return []string{"url"}
}
