package boundary

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// MostProgram bounds a program, in bytes.
const MostProgram = 512 << 20

// Program is a program as it was when it was read. Where the system can, it is a copy in
// memory that nobody can change, so that what was looked at is what runs, at every start.
type Program struct {
	path   string
	file   *os.File
	size   int64
	sha256 string
	self   bool
	script string // its interpreter, when it is read by one
}

// Read takes a copy of a program, closes it to changes, and only then takes its hash.
// Errors: ErrProgram.
func Read(path string) (*Program, error) {
	from, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrProgram, err)
	}
	defer from.Close()
	if info, err := from.Stat(); err != nil || !info.Mode().IsRegular() || info.Mode()&0o111 == 0 {
		return nil, fmt.Errorf("%w: %s is no file that can be executed", ErrProgram, path)
	}
	p := &Program{path: path}
	if p.file, err = sealed(from); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrProgram, path, err)
	}
	sum := sha256.New()
	if p.size, err = io.Copy(sum, io.NewSectionReader(p.file, 0, MostProgram+1)); err == nil {
		p.sha256 = hex.EncodeToString(sum.Sum(nil))
		p.script, err = interpreter(p.file)
	}
	if err != nil {
		p.Close()
		return nil, fmt.Errorf("%w: %s: %w", ErrProgram, path, err)
	}
	return p, nil
}

// Self is the program that runs now. It is of one build with the gateway, and trusted as
// that is; it is not copied.
func Self() *Program { return &Program{path: "/proc/self/exe", self: true} }

// Size in bytes; zero for Self.
func (p *Program) Size() int64 { return p.size }

// SHA256 in lower-case hexadecimal; empty for Self.
func (p *Program) SHA256() string { return p.sha256 }

// Close frees the copy. The box of a program closes it when it ends.
func (p *Program) Close() {
	if p.file != nil {
		_ = p.file.Close()
	}
}

// longestInterpreter is what the kernel reads of a first line.
const longestInterpreter = 256

// interpreter is the program that a script names in its first line; "" when it is none.
func interpreter(r io.ReaderAt) (string, error) {
	head := make([]byte, longestInterpreter)
	n, err := r.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return "", err
	}
	if !bytes.HasPrefix(head[:n], []byte("#!")) {
		return "", nil
	}
	line, err := bufio.NewReader(bytes.NewReader(head[2:n])).ReadString('\n')
	fields := strings.Fields(line)
	if err != nil || len(fields) == 0 || !filepath.IsAbs(fields[0]) {
		return "", fmt.Errorf("its first line names no interpreter by an absolute path")
	}
	if filepath.Base(fields[0]) == "env" {
		return "", fmt.Errorf("its first line leaves the interpreter to env; name it, for example #!/usr/bin/python3")
	}
	return fields[0], nil
}

// loader is the dynamic loader that an ELF program names; "" when it has none.
func loader(r io.ReaderAt) string {
	f, err := elf.NewFile(r)
	if err != nil {
		return ""
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP && p.Filesz < longestInterpreter {
			raw, err := io.ReadAll(p.Open())
			if err == nil {
				return string(bytes.TrimRight(raw, "\x00"))
			}
		}
	}
	return ""
}

// runs are the files that the kernel itself executes beside the program: the interpreter of
// a script, and the loaders of both.
func (p *Program) runs() []string {
	var all []string
	add := func(path string) {
		if path != "" {
			all = append(all, path)
		}
	}
	if p.file != nil {
		add(loader(p.file))
	}
	for _, path := range []string{p.script, own(p.self)} {
		if path == "" {
			continue
		}
		add(path)
		if f, err := os.Open(path); err == nil {
			add(loader(f))
			_ = f.Close()
		}
	}
	return all
}

func own(self bool) string {
	if self {
		return "/proc/self/exe"
	}
	return ""
}
