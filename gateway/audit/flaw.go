package audit

// Flaw is what is wrong with a receipt: a word of a closed list, which whoever verifies
// receipts in another language says too. It is an error, and says it in words.
type Flaw string

// The closed list of flaws, in the order in which they are looked for.
const (
	NoReceipt      Flaw = "RECEIPT_MISSING"
	NoLogKey       Flaw = "LOG_KEY_MISSING"
	BadLeaf        Flaw = "LEAF_MALFORMED"
	NoRelease      Flaw = "LEAF_KIND"
	OtherDecision  Flaw = "LEAF_DECISION"
	BadSalt        Flaw = "SALT_MALFORMED"
	OtherPayload   Flaw = "LEAF_PAYLOAD"
	BadCheckpoint  Flaw = "CHECKPOINT_MALFORMED"
	NotSigned      Flaw = "CHECKPOINT_SIGNATURE"
	OtherLog       Flaw = "CHECKPOINT_ORIGIN"
	BadProof       Flaw = "PROOF_MALFORMED"
	OutsideTheTree Flaw = "PROOF_INDEX"
	NotInTheTree   Flaw = "PROOF_INCLUSION"
)

// Flaws lists them.
func Flaws() []Flaw {
	return []Flaw{NoReceipt, NoLogKey, BadLeaf, NoRelease, OtherDecision, BadSalt, OtherPayload, BadCheckpoint, NotSigned, OtherLog, BadProof, OutsideTheTree, NotInTheTree}
}

// Error implements error.
func (f Flaw) Error() string {
	switch f {
	case NoReceipt:
		return "there is none"
	case NoLogKey:
		return "no key is pinned for the log"
	case BadLeaf:
		return "leaf"
	case NoRelease:
		return "the leaf records no release"
	case OtherDecision:
		return "decision_index: is not the decision that the leaf carries out"
	case BadSalt:
		return "salt: is not 32 bytes"
	case OtherPayload:
		return "the leaf commits to another budget"
	case BadCheckpoint:
		return "the checkpoint is malformed"
	case NotSigned:
		return "the checkpoint is not signed by the log's key"
	case OtherLog:
		return "the checkpoint is of another log"
	case BadProof:
		return "proof: is not a list of at most 64 hashes of 32 bytes"
	case OutsideTheTree:
		return "index: is not in the signed tree"
	case NotInTheTree:
		return "proof: the leaf is not in the signed tree at this index"
	}
	return string(f)
}
