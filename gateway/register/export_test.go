package register

import (
	"fmt"
	"slices"
)

// Collide gives an empty register in which four different hashes are all there are.
func Collide() *Register {
	r := New()
	r.mask = 3 << 62
	return r
}

// Sound says what is wrong with a register that no entries could have made.
func (r *Register) Sound() error {
	for i := range r.all {
		d, c := r.at(i), r.contentOf(i)
		if c.kind == Consent && d.replaces != 0 && (c.void || d.replaces >= i || !slices.Contains(r.withAll(nil, i), d.replaces)) {
			return fmt.Errorf("%d comes in the place of %d", i, d.replaces)
		}
		if c.kind != Consent && r.subjectOf(i) != "" {
			return fmt.Errorf("%d is a person's", i)
		}
		if id := r.idOf(i); id != "" && r.document(id) != i {
			return fmt.Errorf("%d is not found", i)
		}
		if s := r.subjectOf(i); s != "" && !slices.Contains(r.of(s), i) {
			return fmt.Errorf("%d is not found by its person", i)
		}
		if slices.ContainsFunc(c.said, func(s said) bool { return s.source == 0 }) {
			return fmt.Errorf("%d says something of no source", i)
		}
	}
	return nil
}

// Encode writes the register that is looked at, with what is on its way.
func (v View) Encode() []byte { return v.r.Encode() }
