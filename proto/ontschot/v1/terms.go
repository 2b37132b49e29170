package ontschotv1

import (
	"encoding/json"

	"google.golang.org/protobuf/encoding/protojson"
)

// NewAgreementTerms makes the message of a struct whose JSON has the same field names:
// agreement.Terms. What the message has no field for (id, replaces, proposed_at) is
// left out.
func NewAgreementTerms(terms any) (*AgreementTerms, error) {
	raw, err := json.Marshal(terms)
	if err != nil {
		return nil, err
	}
	m := &AgreementTerms{}
	return m, protojson.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(raw, m)
}

// Into reads the message into such a struct.
func (x *AgreementTerms) Into(terms any) error {
	raw, err := protojson.MarshalOptions{UseProtoNames: true, EmitDefaultValues: true}.Marshal(x)
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, terms)
}
