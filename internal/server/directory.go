package server

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/directory"
	"github.com/ontschot/ontschot/internal/identity"
)

// openDirectory takes up the directory that was kept, and reads it anew. One that cannot be
// read stops no gateway from starting.
func (s *Server) openDirectory(ctx context.Context) error {
	if s.Conf.Directory == nil {
		return nil
	}
	var err error
	if s.directory, err = directory.Open(s.Conf, s.now); err != nil {
		return err
	}
	d, err := s.directory.Fetch(ctx)
	if err != nil {
		s.directorySaid = err.Error()
		report(s.logger, "directory", err)
		return nil
	}
	s.directory.Adopt(d)
	return nil
}

// ReloadDirectory reads the directory and takes it over with the trust file: all of it or
// nothing. What is wrong is reported once.
func (s *Server) ReloadDirectory(ctx context.Context) error {
	s.directoryRead.Lock()
	defer s.directoryRead.Unlock()
	err := s.renewDirectory(ctx)
	said := ""
	if err != nil {
		said = err.Error()
	}
	if said != "" && said != s.directorySaid {
		report(s.logger, "directory", err)
	}
	s.directorySaid = said
	return err
}

func (s *Server) renewDirectory(ctx context.Context) error {
	d, err := s.directory.Fetch(ctx)
	if err != nil {
		return err
	}
	s.reloading.Lock()
	defer s.reloading.Unlock()
	before, _ := s.directory.Current()
	undo := s.directory.Adopt(d)
	if _, err := s.renew(ctx); err != nil {
		undo()
		return fmt.Errorf("version %d: %w", d.Version, err)
	}
	if before == nil || before.Sum != d.Sum {
		s.logger.Info("taken over", "what", "directory", "version", d.Version)
	}
	return s.directory.Keep()
}

// tendDirectory reads the directory again and again. Gateways that started together do not ask
// together.
func (s *Server) tendDirectory(ctx context.Context) {
	every, err := s.Conf.Directory.Every()
	if err != nil {
		return
	}
	for {
		pause := every*9/10 + rand.N(every/5+1)
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
			s.once(func() { _ = s.ReloadDirectory(ctx) }) // what is wrong is reported
		}
	}
}

// readTrust reads the trust file and lays the directory under it.
func (s *Server) readTrust(conf *config.Gateway) (*config.Trust, error) {
	trust, own, err := conf.ReadTrust()
	if err != nil || s.directory == nil {
		return trust, err
	}
	return underTrust(s.directory, conf, trust, own.OIN)
}

func underTrust(k *directory.Keeper, conf *config.Gateway, trust *config.Trust, own identity.OIN) (*config.Trust, error) {
	d, fresh := k.Current()
	if d == nil {
		return trust, nil
	}
	return d.Under(trust, directory.Terms{Own: own, TrustNew: conf.Directory != nil && conf.Directory.TrustNewParties, Fresh: fresh, Now: time.Now()})
}

// ReadTrust reads the trust file of a gateway with the directory that it has kept, for commands
// beside it.
func ReadTrust(conf *config.Gateway) (*config.Trust, config.Organisation, error) {
	trust, own, err := conf.ReadTrust()
	if err != nil || conf.Directory == nil {
		return trust, own, err
	}
	k, err := directory.Open(conf, time.Now)
	if err != nil {
		return nil, own, err
	}
	trust, err = underTrust(k, conf, trust, own.OIN)
	return trust, own, err
}
