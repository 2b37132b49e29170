// Package docs holds the example files, in which every key is explained: what is printed on paper
// is what ontschot init writes.
package docs

import _ "embed" // the files

//go:embed gateway.example.yaml
var GatewayExample []byte

//go:embed trust.example.yaml
var TrustExample []byte

//go:embed client.example.yaml
var ClientExample []byte
