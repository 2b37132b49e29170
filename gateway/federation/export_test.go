package federation

// What a gateway that does as it likes can make as well.
var (
	HashOf        = hashOf
	DigestOf      = digestOf
	ConsentDigest = consentDigest
	Encode        = encode
	Sign          = Statement.sign
)
