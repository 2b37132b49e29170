package main

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// compact is the compact serialisation with the last signature.
func (d draft) compact(*testing.T) string {
	p := d.parts[len(d.parts)-1]
	return b64(p.header) + "." + b64(d.payload) + "." + b64(string(p.signature))
}

// general is the JSON serialisation with these signatures.
func (d draft) general(t *testing.T, parts []part) string {
	t.Helper()
	doc := general{Payload: b64(d.payload)}
	for _, p := range parts {
		doc.Signatures = append(doc.Signatures, protected{b64(p.header), b64(string(p.signature))})
	}
	raw, err := json.Marshal(doc)
	require.NoError(t, err)
	return string(raw)
}

// forms are the serialisations that a case can name; "" is the compact one.
func (s *siege) forms() map[string]func(*testing.T, draft) string {
	all := map[string]func(*testing.T, draft) string{
		"":        func(t *testing.T, d draft) string { return d.compact(t) },
		"compact": func(t *testing.T, d draft) string { return d.compact(t) },
		"general": func(t *testing.T, d draft) string { return d.general(t, d.parts) },
		"flattened": func(t *testing.T, d draft) string {
			p := d.parts[0]
			return `{"payload":"` + b64(d.payload) + `","protected":"` + b64(p.header) + `","signature":"` + b64(string(p.signature)) + `"}`
		},
		"unprotected": func(t *testing.T, d draft) string {
			return strings.Replace(d.general(t, d.parts), `{"protected"`, `{"header":{"kid":"sign-1"},"protected"`, 1)
		},
		"kid unprotected": func(t *testing.T, d draft) string {
			p := &d.parts[len(d.parts)-1]
			p.header = members(t, p.header, map[string]string{"kid": ""}, strings.TrimSpace)
			p.sign(t, "", d.payload)
			whole := d.general(t, d.parts)
			at := strings.LastIndex(whole, `{"protected"`)
			return whole[:at] + `{"header":{"kid":"` + p.by.id + `"},` + whole[at+1:]
		},
	}
	for name, form := range partForms() {
		all[name] = form
	}
	for name, form := range s.signatureForms() {
		all[name] = form
	}
	return all
}

// partForms spoil the parts of the compact serialisation.
func partForms() map[string]func(*testing.T, draft) string {
	parts := func(change func(h, p, s string) string) func(*testing.T, draft) string {
		return func(t *testing.T, d draft) string {
			p := strings.Split(d.compact(t), ".")
			return change(p[0], p[1], p[2])
		}
	}
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	stray := func(s string) string { // sets a bit that the last character has to spare
		return s[:len(s)-1] + string(alphabet[strings.IndexByte(alphabet, s[len(s)-1])^1])
	}
	return map[string]func(*testing.T, draft) string{
		"padded":         parts(func(h, p, s string) string { return h + "." + p + "." + s + "==" }),
		"stray bits":     parts(func(h, p, s string) string { return h + "." + p + "." + stray(s) }),
		"newline inside": parts(func(h, p, s string) string { return h + "." + p[:8] + "\n" + p[8:] + "." + s }),
		"return inside":  parts(func(h, p, s string) string { return h + "." + p + "." + s[:8] + "\r\n" + s[8:] }),
		"space before":   parts(func(h, p, s string) string { return " " + h + "." + p + "." + s }),
		"newline after":  parts(func(h, p, s string) string { return h + "." + p + "." + s + "\n" }),
		"two parts":      parts(func(h, p, s string) string { return h + "." + p }),
		"four parts":     parts(func(h, p, s string) string { return h + "." + p + "." + s + "." + s }),
		"five parts":     parts(func(h, p, s string) string { return h + "." + s + "." + s[:16] + "." + p + "." + s[:22] }),
		"a dot too many": parts(func(h, p, s string) string { return h + "." + p + "." + s + "." }),
		"detached":       parts(func(h, p, s string) string { return h + ".." + s }),
		"no header":      parts(func(h, p, s string) string { return "." + p + "." + s }),
		"no signature":   parts(func(h, p, s string) string { return h + "." + p + "." }),
		"NUL behind":     parts(func(h, p, s string) string { return h + "." + p + "." + s + "\x00" }),
		"altered": func(t *testing.T, d draft) string {
			d.payload = strings.Replace(d.payload, `"jti":"`, `"jti":"x`, 1)
			return d.compact(t)
		},
		"payload in clear": func(t *testing.T, d draft) string { return strings.Replace(d.compact(t), b64(d.payload), d.payload, 1) },
		"standard alphabet": func(t *testing.T, d draft) string {
			p := &d.parts[len(d.parts)-1]
			text := base64.RawStdEncoding.EncodeToString(p.signature)
			for !strings.ContainsAny(text, "+/") {
				p.sign(t, "", d.payload)
				text = base64.RawStdEncoding.EncodeToString(p.signature)
			}
			return b64(p.header) + "." + b64(d.payload) + "." + text
		},
	}
}

// signatureForms spoil which signatures a document of several has.
func (s *siege) signatureForms() map[string]func(*testing.T, draft) string {
	by := func(t *testing.T, d draft, name string) part {
		p := d.parts[0]
		p.by = s.key(t, name)
		p.sign(t, "", d.payload)
		return p
	}
	return map[string]func(*testing.T, draft) string{
		"no signatures": func(t *testing.T, d draft) string { return `{"payload":"` + b64(d.payload) + `","signatures":[]}` },
		"one bad": func(t *testing.T, d draft) string {
			d.parts[0].signature[9] ^= 1
			return d.general(t, d.parts)
		},
		"first only":  func(t *testing.T, d draft) string { return d.general(t, d.parts[:1]) },
		"first twice": func(t *testing.T, d draft) string { return d.general(t, []part{d.parts[0], d.parts[0]}) },
		"first anew": func(t *testing.T, d draft) string {
			return d.general(t, []part{d.parts[0], by(t, d, signersOf("agreement")[0])})
		},
		"third copied": func(t *testing.T, d draft) string { return d.general(t, append(d.parts, d.parts[0])) },
		"stranger too": func(t *testing.T, d draft) string { return d.general(t, append(d.parts, by(t, d, "SVB/sign-1"))) },
		"nobody too":   func(t *testing.T, d draft) string { return d.general(t, append(d.parts, by(t, d, "nobody/sign-1"))) },
		"others sign":  func(t *testing.T, d draft) string { return d.general(t, []part{by(t, d, "SVB/sign-1"), d.parts[1]}) },
		"seventeen":    func(t *testing.T, d draft) string { return d.general(t, slices.Repeat(d.parts[:1], 17)) },
		"other payload": func(t *testing.T, d draft) string {
			d.payload = strings.Replace(d.payload, `"max_age_days":30`, `"max_age_days":31`, 1)
			return d.general(t, d.parts)
		},
		"indented": func(t *testing.T, d draft) string {
			return strings.ReplaceAll(d.general(t, d.parts), `,"`, ",\n \"")
		},
		"members turned": func(t *testing.T, d draft) string {
			whole := d.general(t, d.parts)
			return `{` + whole[strings.Index(whole, `"signatures"`):len(whole)-1] + `,"payload":"` + b64(d.payload) + `"}`
		},
		"a member more": func(t *testing.T, d draft) string {
			return strings.TrimSuffix(d.general(t, d.parts), "}") + `,"zip":"DEF"}`
		},
		"payload twice": func(t *testing.T, d draft) string {
			return strings.Replace(d.general(t, d.parts), `{`, `{"payload":"e30",`, 1)
		},
		"payload in two cases": func(t *testing.T, d draft) string {
			return strings.Replace(d.general(t, d.parts), `{`, `{"Payload":"e30",`, 1)
		},
	}
}
