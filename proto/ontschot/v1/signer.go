package ontschotv1

// Roles in which somebody can sign a consent.
const (
	SignerSelf     = "self"
	SignerParent   = "ouder_met_gezag"
	SignerGuardian = "voogd"
	SignerCurator  = "curator"
	SignerMentor   = "mentor"
	SignerProxy    = "gemachtigde" // on a mandate
)

// Signers lists those whose signature can count. A closed list.
func Signers() []string {
	return []string{SignerSelf, SignerParent, SignerGuardian, SignerCurator, SignerMentor, SignerProxy}
}

// Roles in which somebody can sign beside them, and counts for nothing.
const (
	SignerAdministrator = "bewindvoerder" // manages the money (art. 1:431 BW), and decides on no consent
	SignerRelative      = "naaste"
)

// SigningRoles lists all roles of who signs: Signers, and those beside them. A closed list.
func SigningRoles() []string { return append(Signers(), SignerAdministrator, SignerRelative) }

// Kinds of proof of who signed.
const (
	ProofDigiD = "digid"
	ProofEIDAS = "eidas"
	ProofPaper = "paper"
)

// Proofs lists them all. A closed list.
func Proofs() []string { return []string{ProofDigiD, ProofEIDAS, ProofPaper} }
