package adapters

import (
	"cmp"
	"strconv"
)

// Cursor is where a value stands in what a source answered. The zero Cursor stands for
// the whole answer. An adapter moves it along while it reads, and takes the place in
// errors, notices and provenance from it.
type Cursor struct {
	// Path leads from the answer to the value, for example
	// /berichten/0/Functiebudgetten/1/Bedrag. It is for errors.
	Path string
	// Pointer leads to the value from the native record that holds it, for example
	// /Functiebudgetten/1/Bedrag. It is for provenance, and the same as Path until a
	// record begins.
	Pointer string
	// Native is that record, byte for byte; nil until one begins.
	Native []byte
}

// Field moves to a field of the value. A name may have slashes in it: several fields,
// each inside the one before. With an empty name it does not move.
func (c Cursor) Field(name string) Cursor {
	if name != "" {
		c.Path, c.Pointer = c.Path+"/"+name, c.Pointer+"/"+name
	}
	return c
}

// Item moves to an element of a list; the first is 0.
func (c Cursor) Item(i int) Cursor { return c.Field(strconv.Itoa(i)) }

// Begin says that a native record begins here: pointers lead from here on.
func (c Cursor) Begin(native []byte) Cursor {
	c.Pointer, c.Native = "", native
	return c
}

// Bad is BadData with the path of the cursor; the path of the whole answer is "/". The
// rule says what should have stood here, and never what did.
func (c Cursor) Bad(rule string) error { return BadData(cmp.Or(c.Path, "/"), rule) }

// Record names the native record and the place in it, for the provenance of a line. The
// type is one of Record.Type; the id is the source's own, empty when it has none.
func (c Cursor) Record(recordType, id string) Record {
	return Record{Native: c.Native, Type: recordType, ID: id, Pointer: c.Pointer}
}
