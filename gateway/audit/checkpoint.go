package audit

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// maxCheckpoint bounds a checkpoint in bytes.
const maxCheckpoint = 4 << 10

// position is a signed head: a tree, and the epoch of the log in which it was signed.
type position struct {
	tlog.Tree
	epoch int64
}

// firstEpoch is the epoch in which a log begins.
const firstEpoch = 1

// originOf is the origin of a log in one of its epochs: its name, and from the second on
// the number behind it. A log that was taken on from a store which lacked entries signs no
// index again under the origin that signed those.
func originOf(log string, epoch int64) string {
	if epoch == firstEpoch {
		return log
	}
	return log + epochMark + strconv.FormatInt(epoch, 10)
}

const epochMark = "/epoch-"

// epochOf is the reverse of originOf; false when the origin is none of this log's.
func epochOf(log, origin string) (int64, bool) {
	if origin == log {
		return firstEpoch, true
	}
	n, err := strconv.ParseInt(strings.TrimPrefix(origin, log+epochMark), 10, 64)
	return n, err == nil && n > firstEpoch && n <= maxIndex && originOf(log, n) == origin
}

// signCheckpoint gives the signed note over a tree head in the form of C2SP
// tlog-checkpoint: origin, size and root on a line each.
func signCheckpoint(origin string, t tlog.Tree, signer note.Signer) (string, error) {
	return signNote(checkpointText(origin, t), signer)
}

func checkpointText(origin string, t tlog.Tree) string {
	return fmt.Sprintf("%s\n%d\n%s\n", origin, t.N, t.Hash)
}

// openCheckpoint verifies a checkpoint. It takes exactly what signCheckpoint
// writes: no extension lines and one signature, until the log has witnesses. The key's
// name is that of the log, in every epoch.
func openCheckpoint(signed, log string, keys Keys) (position, error) {
	text, err := openNote(signed, keys)
	if err != nil {
		return position{}, err
	}
	lines := strings.Split(text, "\n")
	if len(lines) != 4 {
		return position{}, BadCheckpoint
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || size > maxIndex {
		return position{}, BadCheckpoint
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		return position{}, BadCheckpoint
	}
	t := tlog.Tree{N: size, Hash: root}
	if checkpointText(lines[0], t) != text {
		return position{}, BadCheckpoint
	}
	epoch, ours := epochOf(log, lines[0])
	if !ours {
		return position{}, OtherLog
	}
	return position{t, epoch}, nil
}

func signNote(text string, signer note.Signer) (string, error) {
	signed, err := note.Sign(&note.Note{Text: text}, signer)
	if err != nil {
		return "", fmt.Errorf("%w: the log key does not sign", ErrUnavailable)
	}
	return string(signed), nil
}

// openNote gives the text of a note with exactly one signature, that of one of the keys.
// The note is written again and compared, because note.Open passes over unused
// bits of the base64 and over signatures of strangers.
func openNote(signed string, keys Keys) (string, error) {
	if len(signed) > maxCheckpoint {
		return "", BadCheckpoint
	}
	n, err := note.Open([]byte(signed), note.VerifierList(keys...))
	if err != nil {
		return "", NotSigned
	}
	raw, err := canonicalBase64(n.Sigs[0].Base64)
	if err != nil || len(n.Sigs) != 1 {
		return "", NotSigned
	}
	if signed != n.Text+"\n— "+n.Sigs[0].Name+" "+raw+"\n" {
		return "", NotSigned
	}
	return n.Text, nil
}

// canonicalBase64 gives back a text whose unused last bits are zero.
func canonicalBase64(s string) (string, error) {
	if _, err := base64.StdEncoding.Strict().DecodeString(s); err != nil {
		return "", NotSigned
	}
	return s, nil
}
