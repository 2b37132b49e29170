package ontschotv1

import "google.golang.org/protobuf/reflect/protoreflect"

// Files are those of this package, with every service of a gateway.
func Files() []protoreflect.FileDescriptor {
	return []protoreflect.FileDescriptor{
		File_ontschot_v1_agreement_proto, File_ontschot_v1_budget_service_proto, File_ontschot_v1_consent_proto,
		File_ontschot_v1_exchange_proto, File_ontschot_v1_registry_proto,
	}
}
