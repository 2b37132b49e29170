package setup

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/manifest"
	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
)

// source looks at one source: whose it is, and whether what it names is there.
func (l *look) source(ctx context.Context, i int) {
	s, at := l.conf.Sources[i], fmt.Sprintf("sources[%d]", i)
	if len(s.Party) > 64 {
		l.wrong(at+".party", at+": party is a code of at most 64 characters", "")
		return
	}
	var party config.Organisation
	if l.trust != nil && s.Party != "" {
		known := slices.IndexFunc(l.trust.Parties, func(p config.Organisation) bool { return p.Code == s.Party })
		switch {
		case known >= 0:
			party = l.trust.Parties[known]
		case l.conf.Directory == nil:
			l.wrong(at+".party", at+": "+s.Party+" is no party of the trust file", "add its entry: ontschot trust add party.yaml")
		}
	}
	if s.Peer && party.Code != "" && party.Gateway == "" {
		l.warn(at+".peer", at+": "+s.Party+" has no gateway in the trust file: what it has will be a gap", "add its address: gateway, host:port")
	}
	whole := true
	for name, file := range s.ConfigFiles {
		whole = l.file(at+".config_files."+name, file, "") && whole
	}
	for name, file := range s.Secrets {
		whole = l.file(at+".secrets."+name, file, "") && whole
	}
	if s.Allow != nil {
		for n, path := range s.Allow.Read {
			if _, err := os.Stat(path); err != nil && filepath.IsAbs(path) {
				l.warn(fmt.Sprintf("%s.allow.read[%d]", at, n), fmt.Sprintf("%s: allow.read[%d] is not there", at, n), "")
			}
		}
	}
	switch {
	case len(s.Command) > 0:
		l.program(at, s)
	case s.Adapter != "" && whole:
		l.adapter(ctx, at, s)
	}
}

// program looks at a program of somebody else, without starting it.
func (l *look) program(at string, s config.Source) {
	is, err := os.Stat(s.Command[0])
	switch {
	case err != nil:
		l.wrong(at+".command", at+": command: "+s.Command[0]+" is not there", "")
	case is.IsDir() || is.Mode().Perm()&0o111 == 0:
		l.wrong(at+".command", at+": command: "+s.Command[0]+" is no program that can be started", "chmod 0755 "+s.Command[0])
	}
	if s.Manifest == "" || !l.file(at+".manifest", s.Manifest, "the agency makes it: ontschot adapter sign") || l.trust == nil {
		return
	}
	pins, err := l.trust.Verifier()
	if err != nil {
		return // said already
	}
	raw, err := config.ReadFile(l.conf.Path(s.Manifest))
	if err == nil {
		_, err = manifest.Verify(pins, raw, l.own.OIN, l.Now)
	}
	if err != nil {
		l.wrong(at+".manifest", at+": manifest: "+reasonOf(err), "sign it after reading: ontschot adapter trust")
	}
}

// adapter asks an adapter of this program what is wrong with its configuration. It reaches
// nothing: that is for whoever asks it.
func (l *look) adapter(ctx context.Context, at string, s config.Source) {
	adapter := l.Adapters[s.Adapter]
	if adapter == nil {
		var known []string
		for name := range l.Adapters {
			known = append(known, name)
		}
		slices.Sort(known)
		l.wrong(at+".adapter", fmt.Sprintf("%s: there is no adapter %q", at, s.Adapter[:min(len(s.Adapter), 64)]), "there are: "+strings.Join(known, ", "))
		return
	}
	raw, secrets, err := s.Read(l.conf.Path)
	if err != nil {
		l.wrong(at+".config", at+": "+reasonOf(err), "")
		return
	}
	answer, err := adapters.NewService(adapter()).Configure(ctx, &adapterv1.ConfigureRequest{Config: raw, Secrets: secrets})
	if err != nil {
		l.wrong(at+".config", at+": config: the adapter cannot say what is wrong with it", "")
		return
	}
	for _, f := range answer.GetFindings() {
		key := at + ".config." + f.GetPath()
		if strings.HasPrefix(f.GetPath(), "secrets.") {
			key = at + "." + f.GetPath()
		} else if _, inFile := s.ConfigFiles[f.GetPath()]; inFile {
			key = at + ".config_files." + f.GetPath()
		}
		l.wrong(key, fmt.Sprintf("%s: %s: %s", at, f.GetPath(), f.GetTextEn()), "")
	}
}
