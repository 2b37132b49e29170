package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/ontschot/ontschot/internal/config"
)

// unsigned is a program to be asked instead of one of ours.
type unsigned struct {
	dir, party, program, conf string
	read                      []string
}

func devSourceCommand() *cobra.Command {
	var s unsigned
	c := &cobra.Command{
		Use:   "source --dir DIR --party CODE --exec PROGRAM -c FILE [--read PATH]",
		Short: "Have a development gateway ask a program of your own, unsigned",
		Long: `Put a program into gateway.yaml of a development folder as the source of a party, with the configuration and secrets
of its own file. It must be a gateway with dev: true: any other starts only a program with a manifest that its agency
and the operator have signed (ontschot adapter sign, ontschot adapter trust).`,
		Example: "  ontschot dev source --dir family --party ZK5503 --exec adapter/ontschot-adapter -c adapter/adapter.yaml --read adapter/synthetic",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if s.dir == "" || s.party == "" || s.program == "" || s.conf == "" {
				return fmt.Errorf("%w: --dir, --party, --exec and -c are needed", errUsage)
			}
			path := filepath.Join(s.dir, "gateway.yaml")
			if err := s.put(path); err != nil {
				return err
			}
			_, err := fmt.Fprintf(c.OutOrStdout(), "%s: %s is asked through %s.\n", path, s.party, s.program)
			return err
		},
	}
	f := c.Flags()
	f.StringVar(&s.dir, "dir", "", "the development folder: ontschot dev init")
	f.StringVar(&s.party, "party", "", "whose source it is")
	f.StringVar(&s.program, "exec", "", "the program")
	f.StringVarP(&s.conf, "config", "c", "", "its own file: configuration and secrets")
	f.StringArrayVar(&s.read, "read", nil, "a file or folder that it may read; may be given more than once")
	return c
}

// put changes the source of the party in a gateway's file, or adds it.
func (s unsigned) put(path string) error {
	gateway, err := config.ReadGateway(path)
	if err != nil {
		return err
	}
	if !gateway.Dev {
		return fmt.Errorf("%w: %s is no gateway for development: sign the program instead (ontschot adapter sign)", errUsage, path)
	}
	source, err := s.source()
	if err != nil {
		return err
	}
	i := slices.IndexFunc(gateway.Sources, func(s config.Source) bool { return s.Party == source.Party })
	if i < 0 {
		gateway.Sources = append(gateway.Sources, source)
	} else {
		gateway.Sources[i] = source
	}
	raw, err := yaml.Marshal(gateway)
	if err != nil {
		return err
	}
	return os.WriteFile(path, append([]byte("# The gateway of "+gateway.Organisation+", for development.\n"), raw...), 0o600)
}

// source is the program as gateway.yaml has it. Its paths are absolute: they are of its own
// file, and not of the gateway's.
func (s unsigned) source() (source config.Source, err error) {
	own, err := config.ReadAdapter(s.conf)
	if err != nil {
		return source, err
	}
	absolute := func(path string) string {
		full, wrong := filepath.Abs(path)
		if err == nil {
			err = wrong
		}
		return full
	}
	source = config.Source{Party: s.party, Command: []string{absolute(s.program)}, Settings: own.Settings}
	for _, files := range []map[string]string{source.ConfigFiles, source.Secrets} {
		for key, name := range files {
			files[key] = absolute(own.Path(name))
		}
	}
	if len(s.read) > 0 {
		source.Allow = &config.Allow{}
		for _, path := range s.read {
			source.Allow.Read = append(source.Allow.Read, absolute(path))
		}
	}
	if _, there := os.Stat(source.Command[0]); err == nil && there != nil {
		return source, fmt.Errorf("%w: %s is not there", errUsage, s.program)
	}
	return source, err
}
