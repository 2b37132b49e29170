package budgetv1

// Faults are the reasons of the errors of a source (google.rpc.ErrorInfo): an adapter gives
// them, and a gateway that answers for its own adapter passes them on. Which gap each comes to
// the gateway that asked decides.
const (
	FaultSubjectNotFound   = "SUBJECT_NOT_FOUND"
	FaultNotAuthorised     = GapNotAuthorised
	FaultScopeUnsupported  = "SCOPE_UNSUPPORTED"
	FaultSourceUnavailable = ReasonSourceUnavailable
	FaultSourceTimeout     = ReasonSourceTimeout
	FaultRateLimited       = GapRateLimited
	FaultBadData           = ReasonBadDataAtSource
	FaultNotConfigured     = "NOT_CONFIGURED"
	FaultAdapterBug        = "ADAPTER_BUG"
)

// Faults lists them all. A closed list.
func Faults() []string {
	return []string{
		FaultSubjectNotFound, FaultNotAuthorised, FaultScopeUnsupported, FaultSourceUnavailable, FaultSourceTimeout, FaultRateLimited, FaultBadData,
		FaultNotConfigured, FaultAdapterBug,
	}
}
