package exam

import "slices"

// What most checks rest on.
const (
	start  = "lifecycle.handshake"
	taken  = "config.accepted"
	repeat = "fetch.repeatable"
	size   = "fetch.size"
)

// asking makes the list of what a check rests on: a question that is answered twice alike, and
// more.
func asking(more ...string) []string { return append([]string{start, taken, repeat}, more...) }

// checks are all of them, in the order in which they are made: what several rest on comes
// first, and what is heard all along comes last. What is said of them is in checks.yaml.
func checks() []check { return slices.Concat(firsts(), middles(), failings(), lasts()) }

// firsts are those of a program that is started, and of what it says of itself.
func firsts() []check {
	return []check{
		{"lifecycle.handshake", 0, nil, greeted},
		{"remote.mutual-tls", anAddress, []string{start}, mutual},
		{"remote.certificate", anAddress, []string{start}, itsOIN},
		{"remote.configured-there", anAddress, []string{start}, configuredThere},
		{"lifecycle.pair", aProcess, []string{start}, paired},
		{"lifecycle.unknown-major", aProcess, []string{start}, major},
		{"lifecycle.by-hand", aProcess, []string{start}, byHand},
		{"lifecycle.health", 0, []string{start}, healthy},
		{"lifecycle.signals", aProcess, []string{start}, signalled},
		{"lifecycle.lifeline", aProcess, []string{start}, cutLoose},
		{"lifecycle.nothing-left", aProcess | proc, []string{start, "lifecycle.lifeline"}, nothingLeft},
		{"describe.words", 0, []string{start}, inWords},
		{"describe.deterministic", 0, []string{start}, steady},
		{"describe.schema", 0, []string{start}, compiles},
		{"describe.schema-given", 0, []string{start}, hasSchema},
		{"describe.secrets", 0, []string{start, "describe.schema"}, secretsNamed},
		{"describe.egress", 0, []string{start, "describe.schema"}, egressKeys},
		{"describe.capabilities", aProcess, []string{start}, capable},
		{"describe.manifest", manifest, []string{start, "describe.deterministic", "describe.words", "describe.schema", "describe.secrets", "describe.egress"}, asManifest},
	}
}

// middles are those of its configuration and its answers.
func middles() []check {
	return []check{
		{"config.not-configured", aProcess, []string{start, "describe.words"}, notConfiguredYet},
		{"config.accepted", aProcess, []string{start, "describe.words", "describe.schema"}, accepted},
		{"config.mutations", aProcess, []string{start, "describe.schema", taken}, mutated},
		{"config.texts", aProcess, []string{start, taken, "config.mutations"}, worded},
		{"fetch.repeatable", persons, []string{start, taken}, again},
		{"config.idempotent", aProcess | persons, asking(), twice},
		{"config.old-stays", aProcess | persons, asking("config.mutations"), oldStays},
		{"config.validate-takes-nothing", aProcess, []string{start, taken, "config.not-configured", "describe.capabilities"}, takesNothing},
		{"fetch.size", persons, asking(), small},
		{"config.under-load", aProcess | persons, asking("config.idempotent", size), underLoad},
		{"fetch.message", persons, asking(), formed(wrongMessage)},
		{"fetch.cents", persons, asking(), formed(wrongCents)},
		{"fetch.dates", persons, asking(), formed(wrongDate)},
		{"fetch.codes", persons, asking(), formed(wrongCode)},
		{"fetch.printable", persons, asking(), printable},
		{"fetch.window", persons, asking("fetch.dates"), inWindow},
		{"fetch.own-lines", persons, asking(), own},
		{"fetch.provenance", persons, asking("describe.deterministic"), traced},
		{"fetch.digests", persons, asking("fetch.provenance"), digests},
		{"fetch.assembly", persons, asking(), notItsOwn},
		{"fetch.only-asked-laws", persons, asking(), onlyLaws},
		{"fetch.only-asked-fields", persons, asking("fetch.only-asked-laws", "fetch.assembly"), onlyFields},
		{"fetch.masks", persons, asking("fetch.only-asked-fields"), onlyMasked},
		{"fetch.unknown-person", persons, asking(), unknownPerson},
		{"fetch.no-number", persons, asking(), noNumber},
		{"fetch.unknown-law", persons, asking(), strangeLaw},
		{"fetch.bad-request", persons, asking(), senseless},
	}
}

// failings are those in which something goes wrong.
func failings() []check {
	return []check{
		{"failure.parallel", persons, asking(size), parallel},
		{"failure.panic", persons, asking(size, "failure.parallel"), oneCall},
		{"privacy.injection", persons, asking("fetch.unknown-person", "failure.panic"), injected},
		{"privacy.egress", aProcess | proc | persons | aSource, asking(size, "failure.parallel"), onlyEgress},
		{"failure.frees", aProcess | proc | persons, asking(size, "failure.parallel"), frees},
		{"failure.source-down", aProcess | persons | aSource, asking(size), becomes(down, sourceUnavailable)},
		{"failure.source-malformed", aProcess | persons | aSource, asking(size), becomes(garbled, sourceUnavailable, badData)},
		{"failure.deadline", aProcess | persons | aSource, asking(size), inTime},
		{"failure.source-slow", aProcess | persons | aSource, asking(size, "failure.deadline"), slowly},
		{"failure.recovers", aProcess | persons | aSource, asking(size), recovers},
		{"failure.cancel", aProcess | proc | persons | aSource, asking(size, "failure.frees", "failure.deadline", "failure.recovers", "failure.parallel"), cancelled},
		{"failure.probe", aProcess | persons | aSource, asking(size, "failure.source-down", "describe.capabilities"), probes},
		{"operation.start", aProcess, []string{start}, startsSoon},
		{"operation.memory", aProcess | proc, []string{start, taken}, idles},
		{"operation.soak", aProcess | proc | persons, asking(size, "failure.parallel", "failure.frees"), soaks},
	}
}

// lasts are those of what was heard all along.
func lasts() []check {
	return []check{
		{"config.secret-stays", aProcess, []string{start}, secretsLeak},
		{"privacy.streams", aProcess, []string{start}, quiet(inStream)},
		{"privacy.errors", 0, []string{start}, quiet(inError)},
		{"privacy.answers", 0, []string{start}, quiet(inAnswer)},
		{"fetch.golden", persons, asking(size, "fetch.message", "fetch.cents", "fetch.dates", "fetch.codes", "fetch.printable", "fetch.window",
			"fetch.own-lines", "fetch.provenance", "fetch.assembly", "fetch.only-asked-laws", "privacy.answers"), golden},
		{"lifecycle.one-line", aProcess, []string{start}, oneLine},
	}
}
