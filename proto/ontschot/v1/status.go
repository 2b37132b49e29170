package ontschotv1

// Statuses of an agreement, a consent and a delegation. What each means for which stands
// beside the field in the messages.
const (
	StatusProposed     = "PROPOSED"
	StatusAccepted     = "ACCEPTED"
	StatusFuture       = "FUTURE"
	StatusInForce      = "IN_FORCE"
	StatusExpired      = "EXPIRED"
	StatusRejected     = "REJECTED"
	StatusRevoked      = "REVOKED"
	StatusSuperseded   = "SUPERSEDED"
	StatusEnded        = "ENDED"
	StatusUncertain    = "UNCERTAIN"
	StatusVoid         = "VOID"
	StatusUnverifiable = "UNVERIFIABLE"
)

// AgreementStatuses lists those of an agreement. A closed list.
func AgreementStatuses() []string {
	return []string{
		StatusProposed, StatusAccepted, StatusInForce, StatusExpired, StatusRejected, StatusRevoked, StatusSuperseded,
		StatusUncertain, StatusUnverifiable,
	}
}

// ConsentStatuses lists those of a consent. A closed list.
func ConsentStatuses() []string {
	return []string{StatusFuture, StatusInForce, StatusExpired, StatusEnded, StatusUncertain, StatusVoid}
}

// DelegationStatuses lists those of a delegation. A closed list.
func DelegationStatuses() []string {
	return []string{StatusFuture, StatusInForce, StatusExpired, StatusEnded, StatusUncertain, StatusUnverifiable}
}

// States of a signing key of another organisation.
const (
	KeyInUse   = "IN_USE"
	KeyRetired = "RETIRED"
	KeyLost    = "LOST"
)

// KeyStates lists them all. A closed list.
func KeyStates() []string { return []string{KeyInUse, KeyRetired, KeyLost} }
