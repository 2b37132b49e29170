package audit

import "github.com/ontschot/ontschot/gateway/register"

// Pretend makes a log believe other entries than it holds, as a dishonest operator's
// program could. The log must be idle.
func Pretend(l *Log, entries ...register.Entry) {
	lie := register.New()
	for _, e := range entries {
		lie.Apply(e)
	}
	lie.Apply(register.Entry{Index: l.size.Load() - 1})
	l.register.Store(lie)
}

// Begins is the entry that begins an epoch, saying what a dishonest operator's program
// could. Without heads it has no payload.
func Begins(epoch int64, payload []byte) Entry {
	return Entry{Kind: NewEpoch, Status: "recovered", Payload: payload, epoch: epoch}
}

// WithValue gives an opening whose case are a value, and another with the value as its salt.
func WithValue(raw, value []byte) []byte {
	o, err := parseOpening(raw)
	if err != nil {
		return nil
	}
	o.Case = []opened{{Value: value}, {Salt: value, Value: []byte("again")}}
	return o.encode()
}
