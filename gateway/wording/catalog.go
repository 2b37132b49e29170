package wording

import "io/fs"

// label is one entry of a catalog. The file's key is how Rego writes it, Code how
// the messages do.
type label struct {
	Code string `yaml:"code"`
	NL   string `yaml:"nl"`
	EN   string `yaml:"en"`
	Rank int    `yaml:"rank"`
	// Mandate says that who signs in this role needs one. Only the rules judge by it.
	Mandate bool `yaml:"mandate"`
	// Who may do an operation. It permits nothing here: only gateway/policy does.
	Roles     []string `yaml:"roles"`
	Assurance string   `yaml:"assurance"`
	Persons   int      `yaml:"persons"`
	// Of a statute; nothing rests on it here either.
	Article        string   `yaml:"article"`
	From           string   `yaml:"from"`
	To             string   `yaml:"to"`
	Active         bool     `yaml:"active"`
	Use            []string `yaml:"use"`
	Laws           []string `yaml:"laws"`
	Municipalities []string `yaml:"municipalities"`
	// Needs of a purpose, by kind of source and law.
	Needs map[string]map[string][]string `yaml:"needs"`
}

func (l label) in(lang string) string {
	if lang == English {
		return l.EN
	}
	return l.NL
}

func readCatalog(fsys fs.FS, list string) (map[string]label, error) {
	var labels map[string]label
	err := readTable(fsys, "rules/catalog/"+list+"/data.yaml", &labels)
	return labels, err
}

// keyOf gives the key of an entry by its key or its code.
func keyOf(labels map[string]label, keyOrCode string) string {
	if _, ok := labels[keyOrCode]; ok {
		return keyOrCode
	}
	for key, entry := range labels {
		if entry.Code == keyOrCode {
			return key
		}
	}
	return ""
}
