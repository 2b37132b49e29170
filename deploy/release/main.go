// Command release makes everything of a version that is handed out: the program, packages, an
// image, a bill of materials, and one file of checksums with a signature. It is the same bytes
// again from the same commit with the same Go.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// The tools, which are programs and not libraries of ours: what they rest on stays out of go.mod.
const (
	nfpm      = "github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.2"
	cyclonedx = "github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "release: "+err.Error())
		os.Exit(1)
	}
}

// release is one version for one architecture.
type release struct {
	root, out, arch string
	version         string
	at              time.Time // of the commit, UTC: what is made says no other
	program         string    // its path
	tags            string    // of the build
}

func run(args []string) error {
	flags := flag.NewFlagSet("release", flag.ContinueOnError)
	out := flags.String("out", "", "a new folder for what is made")
	key := flags.String("key", "", "the private key of who makes the release: PKCS#8 PEM, P-256 (ontschot keys new); it is read and nothing else")
	dirty := flags.Bool("dirty", false, "release what is in no commit, too; the version says so")
	arch := flags.String("arch", "amd64", "architectures, for example amd64,arm64")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *out == "" || *key == "" {
		return errors.New("--out and --key are needed; see --help")
	}
	signer, err := readKey(*key) // before the minutes that the rest takes
	if err != nil {
		return err
	}
	r, err := begin(*out, *dirty)
	if err != nil {
		return err
	}
	for _, r.arch = range strings.Split(*arch, ",") {
		if err := r.make(); err != nil {
			return fmt.Errorf("%s: %w", r.arch, err)
		}
	}
	return seal(r.out, signer)
}

// begin looks what is to be released, and makes the folder.
func begin(out string, dirty bool) (*release, error) {
	root, err := output("", "go", "list", "-m", "-f", "{{.Dir}}")
	if err != nil {
		return nil, err
	}
	tags := "grpcnotrace"
	if dirty {
		tags += ",dirty"
	} else if err := committed(root); err != nil {
		return nil, err
	}
	for _, tool := range []string{nfpm, cyclonedx} {
		if err := pinned(tool); err != nil {
			return nil, err
		}
	}
	at, err := commitTime(root)
	if err != nil {
		return nil, err
	}
	version, err := output(root, "go", "run", "-buildvcs=false", "-tags", tags, "./cmd/ontschot", "version")
	fields := strings.Fields(version) // ontschot 0.1.0 go1.26.8 linux/amd64
	if err != nil || len(fields) < 2 {
		return nil, fmt.Errorf("the program does not say its version: %w", err)
	}
	if out, err = filepath.Abs(out); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return nil, err
	}
	if err := os.Mkdir(out, 0o755); err != nil {
		return nil, fmt.Errorf("%w; name a new folder", err)
	}
	return &release{root: root, out: out, version: fields[1], at: at, tags: tags}, nil
}

// commitTime is SOURCE_DATE_EPOCH, or when the last commit was made.
func commitTime(root string) (time.Time, error) {
	text := os.Getenv("SOURCE_DATE_EPOCH")
	if text == "" {
		var err error
		if text, err = output(root, "git", "log", "-1", "--format=%ct"); err != nil {
			return time.Time{}, fmt.Errorf("no commit to take the time of; set SOURCE_DATE_EPOCH: %w", err)
		}
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, errors.New("SOURCE_DATE_EPOCH is no number of seconds")
	}
	return time.Unix(seconds, 0).UTC(), nil
}

// make makes what there is for one architecture.
func (r *release) make() error {
	if err := r.build(); err != nil {
		return err
	}
	for _, kind := range []string{"deb", "rpm"} {
		if err := r.pack(kind); err != nil {
			return err
		}
	}
	if err := r.tool(cyclonedx, "bin", "-json", "-noserial", "-notimestamp", "-output-version", "1.6", "-version", "v"+r.version, "-output", r.program+".cdx.json", r.program); err != nil {
		return err
	}
	program, err := os.ReadFile(r.program)
	if err != nil {
		return err
	}
	return image{program: program, arch: r.arch, version: r.version, at: r.at}.write(r.program + ".oci.tar")
}

// build makes the program: without C, without anything of this machine in it, and without the pages
// of traces that gRPC brings and nobody here serves (grpcnotrace).
func (r *release) build() error {
	r.program = filepath.Join(r.out, fmt.Sprintf("ontschot_%s_linux_%s", r.version, r.arch))
	c := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-tags", r.tags, "-ldflags=-s -w -buildid=", "-o", r.program, "./cmd/ontschot")
	c.Dir, c.Env = r.root, append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+r.arch, "GOFLAGS=")
	return loud(c)
}

func (r *release) pack(kind string) error {
	return r.tool(nfpm, "package", "--config", "deploy/package/nfpm.yaml", "--packager", kind, "--target", r.out)
}

// tool runs one that is installed, or else fetches it at its version.
func (r *release) tool(module string, args ...string) error {
	path, _, _ := strings.Cut(module, "@")
	name := filepath.Base(path)
	c := exec.Command(name, args...)
	if _, err := exec.LookPath(name); err != nil {
		c = exec.Command("go", append([]string{"run", module}, args...)...)
	}
	c.Dir = r.root
	c.Env = append(os.Environ(), "ARCH="+r.arch, "VERSION="+r.version, "BINARY="+r.program,
		"SOURCE_DATE_EPOCH="+strconv.FormatInt(r.at.Unix(), 10), "GOFLAGS=-mod=mod")
	return loud(c)
}

func loud(c *exec.Cmd) error {
	said, err := c.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(c.Args, " "), err, bytes.TrimSpace(said))
	}
	return nil
}

func output(dir, name string, args ...string) (string, error) {
	c := exec.Command(name, args...)
	c.Dir = dir
	raw, err := c.Output()
	return strings.TrimSpace(string(raw)), err
}
