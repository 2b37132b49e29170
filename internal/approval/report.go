package approval

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// Contracts of the reports on policies, each a JSON object with that contract and revision.
const (
	ContractTest   = "ontschot.policy-test/1"   // passed: whether every case does
	ContractDiff   = "ontschot.policy-diff/1"   // parent: with what it compares
	ContractReplay = "ontschot.policy-replay/1" // likewise
)

// Reports are what people read before they approve: of the cases, of what changes, and, when
// there is one, of past decisions.
type Reports struct{ Test, Diff, Replay []byte }

type report struct {
	Contract string `json:"contract"`
	Revision string `json:"revision"`
	Parent   string `json:"parent"`
	Passed   bool   `json:"passed"`
}

func readReport(kind, contract string, raw []byte) (report, error) {
	var r report
	if err := json.Unmarshal(raw, &r); err != nil || r.Contract != contract {
		return report{}, fmt.Errorf("%w: the %s report is none of %s; make one with: ontschot policy %s", ErrApproval, kind, contract, kind)
	}
	return r, nil
}

// Parent is the revision with which the diff certificate compares. Errors: ErrApproval.
func (r Reports) Parent() (string, error) {
	diff, err := readReport("diff", ContractDiff, r.Diff)
	return diff.Parent, err
}

// About gives what is to be approved: a bundle, by its SHA-256 and the revision of its rules,
// in the place of another revision, when the reports are about these. Errors: ErrApproval,
// naming what does not fit.
func (r Reports) About(bundle, revision, parent string) (Subject, error) {
	s := Subject{Bundle: bundle, Revision: revision, Parent: parent, Test: sum(r.Test), Diff: sum(r.Diff), Replay: sum(r.Replay)}
	for _, one := range []struct {
		kind, contract string
		raw            []byte
	}{{"test", ContractTest, r.Test}, {"diff", ContractDiff, r.Diff}, {"replay", ContractReplay, r.Replay}} {
		if len(one.raw) == 0 && one.kind == "replay" {
			continue
		}
		says, err := readReport(one.kind, one.contract, one.raw)
		switch {
		case err != nil:
			return Subject{}, err
		case says.Revision != revision:
			return Subject{}, fmt.Errorf("%w: the %s report is of revision %.64s, and the bundle of %s; make it anew", ErrApproval, one.kind, says.Revision, revision)
		case one.kind == "test" && !says.Passed:
			return Subject{}, fmt.Errorf("%w: by the test report a case fails; see: ontschot policy test", ErrApproval)
		case one.kind != "test" && says.Parent != parent:
			return Subject{}, fmt.Errorf("%w: the %s report compares with revision %.64s, and this comes in the place of %s; make it anew", ErrApproval, one.kind, says.Parent, parent)
		}
	}
	return s, nil
}

// sum is the SHA-256 of what is there, in hexadecimal.
func sum(raw []byte) string {
	if len(raw) == 0 {
		return ""
	}
	of := sha256.Sum256(raw)
	return hex.EncodeToString(of[:])
}
