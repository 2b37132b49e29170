package federation

// What a gateway that does as it likes can make as well.
var (
	HashOf        = hashOf
	ConsentDigest = consentDigest
	Encode        = encode
)
