package telemetry

import (
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// State is how a gateway stands at this moment. Nothing of persons is in it.
type State struct {
	Ready, Dev bool
	// Entries of the audit log, its epoch, and how many wait to be written.
	Entries, Epoch, Waiting int64
	// Revision of the policies in force, and whether the last attempt at others was refused.
	Revision      string
	PolicyRefused bool
	Adapters      []Adapter
	// Peers are the gateways that are asked as sources, and whether they were there the last time.
	Peers map[string]bool
	// Ends are when what we show and believe ends: the first of each of Endings.
	Ends map[Ending]time.Time
	// Directory is what there is of it; nil: there is none.
	Directory   *Directory
	Connections Connections
}

// Connections to our listeners. The words are of closed lists of who counts them.
type Connections struct {
	Open    map[string]int64 // by whose they are: callers, strangers
	Refused map[string]int64 // since the start, by why
}

// Adapter is how one stands.
type Adapter struct {
	Party  string
	Up     bool
	Starts int
}

// Directory is how that stands.
type Directory struct {
	Version int64
	Fresh   bool
}

// Ending is what ends one day.
type Ending string

// Endings. Signing keys and keys of the log have no end that a file says.
const (
	OwnCertificate Ending = "certificate"
	Authority      Ending = "authority"
	RevocationList Ending = "revocation_list"
)

// gathered looks at how the gateway stands.
type gathered struct{ state func() State }

// figure is a metric of which the value is looked up.
type figure struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	of   func(State, func(value float64, labels ...string))
}

func gauge(name, help string, of func(State, func(float64, ...string)), labels ...string) figure {
	return figure{prometheus.NewDesc("ontschot_"+name, help, labels, nil), prometheus.GaugeValue, of}
}

func one(of func(State) float64) func(State, func(float64, ...string)) {
	return func(s State, put func(float64, ...string)) { put(of(s)) }
}

// truth is 1 for yes.
func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func figures() []figure {
	return slices.Concat([]figure{
		gauge("ready", "1: it serves, and its log can be written.", one(func(s State) float64 { return truth(s.Ready) })),
		gauge("development", "1: dev: true, for which no gateway of an organisation is meant.", one(func(s State) float64 { return truth(s.Dev) })),
		gauge("log_entries", "Entries of the audit log.", one(func(s State) float64 { return float64(s.Entries) })),
		gauge("log_epoch", "Epoch of the audit log: one more after each recovery.", one(func(s State) float64 { return float64(s.Epoch) })),
		gauge("log_waiting", "Entries that wait to be written.", one(func(s State) float64 { return float64(s.Waiting) })),
		gauge("policy_info", "1, with the revision of the policies in force.", func(s State, put func(float64, ...string)) { put(1, s.Revision) }, "revision"),
		gauge("policy_refused", "1: the last attempt at other policies was refused.", one(func(s State) float64 { return truth(s.PolicyRefused) })),
	}, figuresOfOthers())
}

// figuresOfOthers are of sources, certificates, the directory and connections.
func figuresOfOthers() []figure {
	starts := gauge("adapter_starts_total", "How often an adapter was started.", func(s State, put func(float64, ...string)) {
		for _, a := range s.Adapters {
			put(float64(a.Starts), a.Party)
		}
	}, "party")
	turned := gauge("connections_refused_total", "Connections that were turned away, by why.", func(s State, put func(float64, ...string)) {
		for why, n := range s.Connections.Refused {
			put(float64(n), why)
		}
	}, "why")
	starts.kind, turned.kind = prometheus.CounterValue, prometheus.CounterValue
	return []figure{
		starts,
		gauge("adapter_up", "1: the adapter of a party can be asked.", func(s State, put func(float64, ...string)) {
			for _, a := range s.Adapters {
				put(truth(a.Up), a.Party)
			}
		}, "party"),
		gauge("peer_up", "1: the gateway of a party was there the last time that it was asked, or was never asked.", func(s State, put func(float64, ...string)) {
			for party, up := range s.Peers {
				put(truth(up), party)
			}
		}, "party"),
		gauge("not_after_timestamp_seconds", "When it ends, in seconds since 1970: the first of its kind.", func(s State, put func(float64, ...string)) {
			for what, at := range s.Ends {
				put(float64(at.Unix()), string(what))
			}
		}, "what"),
		gauge("directory_fresh", "1: the directory was read in the last day.", func(s State, put func(float64, ...string)) {
			if s.Directory != nil {
				put(truth(s.Directory.Fresh))
			}
		}),
		gauge("directory_version", "Version of the directory.", func(s State, put func(float64, ...string)) {
			if s.Directory != nil {
				put(float64(s.Directory.Version))
			}
		}),
		gauge("connections", "Connections that are open, by whose: strangers have shown no certificate yet.", func(s State, put func(float64, ...string)) {
			for who, n := range s.Connections.Open {
				put(float64(n), who)
			}
		}, "who"),
		turned,
	}
}

// Describe is prometheus.Collector's.
func (gathered) Describe(to chan<- *prometheus.Desc) {
	for _, f := range figures() {
		to <- f.desc
	}
}

// Collect is prometheus.Collector's.
func (g gathered) Collect(to chan<- prometheus.Metric) {
	s := g.state()
	for _, f := range figures() {
		f.of(s, func(value float64, labels ...string) {
			to <- prometheus.MustNewConstMetric(f.desc, f.kind, value, labels...)
		})
	}
}
