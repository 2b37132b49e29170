package server

import (
	"github.com/ontschot/ontschot/adapters/boundary"
	"github.com/ontschot/ontschot/internal/config"
)

// profile is what an adapter's process may do, by the files. In production it has a floor.
func profile(conf *config.Gateway, source config.Source) (boundary.Profile, error) {
	users, err := conf.Adapters.Range()
	if err != nil {
		return boundary.Profile{}, err
	}
	p := boundary.Profile{Ports: source.Ports(), Floor: conf.Adapters.Floor, Users: users}
	if p.Floor == nil && !conf.Dev {
		p.Floor = boundary.Floor()
	}
	if a := source.Allow; a != nil {
		p.Read, p.MemoryMiB, p.Processes = a.Read, a.MemoryMiB, a.Processes
	}
	return p, nil
}
