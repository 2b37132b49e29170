package server

import (
	"os"
	"path/filepath"
	"time"
)

// unfinished is how old a file is of which nobody will make anything any more: each is written
// and renamed at once.
const unfinished = time.Minute

// sweep removes what a gateway that was killed was about to write: files that were not renamed
// yet. Those of processes beside this one, which are young, stay. Folders of sockets, and
// cgroups, are swept by who makes them.
func (s *Server) sweep() {
	data := s.Conf.Path(s.Conf.Data)
	for _, pattern := range []string{
		filepath.Join(filepath.Dir(s.Conf.HeadPath()), ".head-*"), filepath.Join(data, ".manifests-*"),
		filepath.Join(data, "crl", ".crl-*"), filepath.Join(data, PolicyFolder, "*", ".new-*"),
	} {
		left, _ := filepath.Glob(pattern) // the patterns are good
		for _, path := range left {
			if info, err := os.Lstat(path); err == nil && info.Mode().IsRegular() && time.Since(info.ModTime()) > unfinished {
				_ = os.Remove(path)
			}
		}
	}
}
