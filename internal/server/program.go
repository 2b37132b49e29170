package server

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/ontschot/ontschot/adapters/boundary"
	"github.com/ontschot/ontschot/adapters/host"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/manifest"
)

// ManifestsFile, in the data folder, holds how new the manifests were that ran last.
const ManifestsFile = "manifests.json"

// Manifests is the memory of a gateway's manifests.
func Manifests(conf *config.Gateway) *manifest.Memory {
	return manifest.NewMemory(filepath.Join(conf.Path(conf.Data), ManifestsFile))
}

// programOf reads another's program and holds it against its manifest: signed by the agency
// whose source it is and by us, not older than what ran before, these bytes, these secrets.
// What it says of itself is held against it at every start.
func (s *Server) programOf(c *host.Config, conf *config.Gateway, source config.Source) error {
	if source.Manifest == "" {
		return nil // with dev: true alone; the configuration is refused otherwise
	}
	raw, err := config.ReadFile(conf.Path(source.Manifest))
	if err != nil {
		return err
	}
	m, err := manifest.Verify(s.Keys, raw, s.own, s.now())
	if err != nil {
		return err
	}
	agency, _ := s.organisations.ByCode(source.Party)
	if m.Issuer != agency.OIN || m.Issuer == identity.OIN("") {
		return fmt.Errorf("%w: it is not of %s", manifest.ErrManifest, source.Party)
	}
	if err := m.Takes(c.Secrets); err != nil {
		return err
	}
	if err := alone(source.Command[1:]); err != nil {
		return err
	}
	program, err := boundary.Read(source.Command[0]) // a copy nobody can change; then its hash
	if err != nil {
		return err
	}
	if err := m.Fits(program.Size(), program.SHA256()); err != nil {
		program.Close()
		return err
	}
	if err := s.manifests.Admit(source.Party, m); err != nil {
		program.Close()
		return err
	}
	c.Program, c.Kind, c.Accept = program, m.ID, m.Describes
	wants(&c.Boundary, m, source)
	return nil
}

// alone refuses a program that is more than the file that was signed: an interpreter whose
// script is an argument.
func alone(args []string) error {
	for i, a := range args {
		if _, err := os.Stat(a); err == nil && filepath.IsAbs(a) {
			return fmt.Errorf("%w: command[%d] is a file, which it does not cover; make the program one file, for Python with: python3 -m zipapp DIR -p /usr/bin/python3", manifest.ErrManifest, i+1)
		}
	}
	return nil
}

// wants adds to a profile what its manifest asks, which the operator has read and signed.
// What gateway.yaml says itself counts before that.
func wants(p *boundary.Profile, m manifest.Manifest, source config.Source) {
	p.Read = append(p.Read, m.Sandbox.Read...)
	if p.MemoryMiB == 0 {
		p.MemoryMiB = m.Sandbox.MemoryMiB
	}
	if p.Processes == 0 {
		p.Processes = m.Sandbox.Processes
	}
	if source.Allow == nil || source.Allow.Connect == nil {
		p.Ports = source.PortsAt(m.Egress)
	}
}
