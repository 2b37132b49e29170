package server

import "context"

// Alive asks of the record what every question asks of it first, and returns when it answers.
func (s *Server) Alive(ctx context.Context) error {
	_, _, err := s.Log.Once(ctx, [32]byte{})
	return err
}
