package conformance

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/audit"
)

// key gives a key, or a body, of its own for each number; zero bytes are in it.
func key(n int) (k [32]byte) {
	k[0], k[1], k[31] = byte(n), byte(n>>8), 0xff
	return k
}

// use gives the key of a number as it was used by an entry until a time.
func use(n int, entry, expires int64) audit.OnceRow {
	return audit.OnceRow{Key: key(n), Body: key(n + 1000), Ref: "ref", Entry: entry, Expires: expires}
}

func keys(t *testing.T, open Open) {
	s := open(t)
	first := use(1, 0, 100)
	b := batch(0, 1)
	b.Once, b.Now = []audit.OnceRow{first, use(2, 0, 100)}, 1
	write(t, s, one, b)
	again := open(t) // from disk
	row, found, err := again.Once(t.Context(), one, key(1))
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, first, row)
	_, found, err = again.Once(t.Context(), one, key(3))
	require.NoError(t, err)
	require.False(t, found)
	second := audit.OnceRow{Key: key(1), Body: key(7), Entry: 1, Expires: 200}
	require.NoError(t, s.Update(t.Context(), one, func(tx audit.Tx) error {
		row, found, err := tx.Once(key(1))
		require.NoError(t, err)
		require.True(t, found)
		require.Equal(t, first, row)
		_, found, err = tx.Once(key(3))
		require.NoError(t, err)
		require.False(t, found)
		next := batch(1, 1)
		next.Once, next.Now = []audit.OnceRow{second}, 100
		require.NoError(t, tx.Write(next))
		row, _, err = tx.Once(key(1))
		require.NoError(t, err)
		require.Equal(t, second, row, "a transaction sees what it wrote")
		return nil
	}))
	head := audit.Head{Size: 2, Checkpoint: "checkpoint of 2"}
	write(t, s, one, audit.Batch{Once: []audit.OnceRow{use(4, 0, 300)}, Head: head}) // without an entry
	_, found, err = s.Once(t.Context(), one, key(4))
	require.NoError(t, err)
	require.True(t, found)
	require.EqualValues(t, 2, size(t, s, one))
}

// keysExpire: new keys take expired ones away, a bounded number at a time, and
// never one that counts.
func keysExpire(t *testing.T, open Open) {
	s := open(t)
	const expired, lasting = 300, 50
	b := batch(0, 1)
	for i := range expired {
		b.Once = append(b.Once, use(i, 0, 100))
	}
	for i := range lasting {
		b.Once = append(b.Once, use(1000+i, 0, 101))
	}
	write(t, s, one, b)
	write(t, s, two, b)
	left := func(from, to int) (n int) {
		for i := from; i < to; i++ {
			_, found, err := s.Once(t.Context(), one, key(i))
			require.NoError(t, err)
			if found {
				n++
			}
		}
		return n
	}
	write(t, s, one, batch(1, 1))
	require.Equal(t, expired, left(0, expired), "nothing is written for the sake of it")
	before := expired
	for i := range expired {
		next := batch(int64(i)+2, 1)
		next.Once, next.Now = []audit.OnceRow{use(2000+i, 0, 200)}, 100
		write(t, s, one, next)
		after := left(0, expired)
		require.LessOrEqual(t, before-after, 16, "bounded")
		if before = after; before == 0 {
			break
		}
	}
	require.Zero(t, before)
	require.Equal(t, lasting, left(1000, 1000+lasting))
	_, found, err := s.Once(t.Context(), two, key(0))
	require.NoError(t, err)
	require.True(t, found, "those of another tenant stay")
}

func keysAllOrNothing(t *testing.T, open Open) {
	s := open(t)
	err := s.Update(t.Context(), one, func(tx audit.Tx) error {
		b := batch(0, 1)
		b.Once = []audit.OnceRow{use(1, 0, 100)}
		require.NoError(t, tx.Write(b))
		return errOwn
	})
	require.Equal(t, errOwn, err)
	_, found, err := s.Once(t.Context(), one, key(1))
	require.NoError(t, err)
	require.False(t, found)
}
