// Package foreign answers: what does a client in another language say of a gateway, and does
// it cost the gateway anything that stays? It builds the examples of docs/examples with the
// stock tools of their languages, and runs gateways for them to ask.
package foreign

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters/trial"
)

// Program is how an example is run: a command that takes the name of one of its programs, "ask"
// or "vectors", and then that one's arguments.
type Program struct {
	Language string
	run      func(name string, args []string) *exec.Cmd
}

// Command is one of its programs with these arguments, not started.
func (p Program) Command(name string, args ...string) *exec.Cmd { return p.run(name, args) }

// root is the folder of the project.
func root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..", "..")
}

// Proto is the folder with the messages.
func Proto() string { return filepath.Join(root(), "proto") }

func example(of string) string { return filepath.Join(root(), "docs", "examples", of) }

// done runs a command that must end well.
func done(t testing.TB, c *exec.Cmd) string {
	t.Helper()
	out, err := c.CombinedOutput()
	require.NoError(t, err, "%s: %.2000s", c.Path, out)
	return string(out)
}

// needed looks for programs, and leaves the test out where one is not there.
func needed(t testing.TB, what string, programs ...string) {
	t.Helper()
	for _, program := range programs {
		if _, err := exec.LookPath(program); err != nil {
			trial.Lacking(t, what)
		}
	}
}

// NodeModules is where npm has put what the example in TypeScript needs.
func NodeModules(t testing.TB) string {
	t.Helper()
	const what = "Node and what the example needs (apt-get install nodejs npm; npm ci --ignore-scripts in docs/examples/typescript)"
	needed(t, what, "node")
	modules := filepath.Join(example("typescript"), "node_modules")
	if _, err := os.Stat(filepath.Join(modules, "@grpc", "grpc-js")); err != nil {
		trial.Lacking(t, what)
	}
	return modules
}

// TypeScript builds the example in a folder of its own.
func TypeScript(t testing.TB) Program {
	t.Helper()
	modules, dir := NodeModules(t), t.TempDir()
	require.NoError(t, os.Symlink(modules, filepath.Join(dir, "node_modules")))
	for _, file := range []string{"messages.json", "package.json"} {
		raw, err := os.ReadFile(filepath.Join(example("typescript"), file))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, file), raw, 0o600))
	}
	done(t, exec.CommandContext(t.Context(), "node", filepath.Join(modules, "typescript", "bin", "tsc"), "--project", example("typescript"), "--outDir", filepath.Join(dir, "dist")))
	return Program{"TypeScript", func(name string, args []string) *exec.Cmd {
		if name == "ask" {
			args = slices.Insert(slices.Clone(args), 3, Proto())
		}
		return exec.CommandContext(t.Context(), "node", append([]string{filepath.Join(dir, "dist", name+".js")}, args...)...)
	}}
}

// protos are the files with the messages that a client needs, as protoc wants to hear of them.
func protos(t testing.TB, all bool) []string {
	t.Helper()
	files := []string{"buf/validate/validate.proto"}
	for _, folder := range []string{"budget/v1", "v1", "adapter/v1"} {
		found, err := filepath.Glob(filepath.Join(Proto(), "ontschot", folder, "*.proto"))
		require.NoError(t, err)
		for _, f := range found {
			if all || folder == "budget/v1" || filepath.Base(f) == "exchange.proto" {
				files = append(files, strings.TrimPrefix(f, Proto()+"/"))
			}
		}
	}
	return files
}

// Protoc is the stock compiler of one language; Plugin is that of gRPC and may be empty.
type Protoc struct{ Language, Plugin string }

// Generate writes code into a folder: of all that a vendor may want, or of what a client needs.
func (p Protoc) Generate(t testing.TB, to string, all bool) {
	t.Helper()
	needed(t, "protoc and the plugins of gRPC (apt-get install protobuf-compiler protobuf-compiler-grpc protobuf-compiler-grpc-java-plugin)", append([]string{"protoc"}, strings.Fields(p.Plugin)...)...)
	args := []string{"-I", Proto(), "-I", filepath.Join(Proto(), "third_party"), "--" + p.Language + "_out=" + to}
	if p.Plugin != "" {
		path, err := exec.LookPath(p.Plugin)
		require.NoError(t, err)
		args = append(args, "--plugin=protoc-gen-grpc="+path, "--grpc_out="+to)
	}
	done(t, exec.CommandContext(t.Context(), "protoc", append(args, protos(t, all)...)...))
}

// Python generates the messages for the example. It is that of Debian's packages.
func Python(t testing.TB) Program {
	t.Helper()
	const interpreter = "/usr/bin/python3"
	if exec.Command(interpreter, "-c", "import grpc, google.protobuf, yaml, cryptography").Run() != nil {
		trial.Lacking(t, "Python with gRPC (apt-get install python3-grpcio python3-protobuf python3-yaml python3-cryptography)")
	}
	dir := t.TempDir()
	Protoc{"python", "grpc_python_plugin"}.Generate(t, dir, false)
	return Program{"Python", func(name string, args []string) *exec.Cmd {
		c := exec.CommandContext(t.Context(), interpreter, append([]string{filepath.Join(example("python"), name+".py")}, args...)...)
		c.Env = append(os.Environ(), "PYTHONPATH="+dir, "PYTHONDONTWRITEBYTECODE=1")
		return c
	}}
}

// Go builds the example in a module of its own, as a vendor's is: it sees what is public of this
// one, and the module cache suffices to build it.
func Go(t testing.TB) Program {
	t.Helper()
	dir := t.TempDir()
	for from, to := range map[string]string{"docs/examples/go/main.go": "main.go", "go.sum": "go.sum"} {
		raw, err := os.ReadFile(filepath.Join(root(), from))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, to), raw, 0o600))
	}
	ours, err := os.ReadFile(filepath.Join(root(), "go.mod"))
	require.NoError(t, err)
	_, rest, _ := strings.Cut(string(ours), "\ngo ")
	version, _, _ := strings.Cut(rest, "\n")
	mod := "module vendor.example/ask\n\ngo " + version + "\n\nrequire github.com/ontschot/ontschot v0.0.0\n\nreplace github.com/ontschot/ontschot => " + root() + "\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte(mod), 0o600))
	build := exec.CommandContext(t.Context(), "go", "build", "-o", "ask", ".")
	build.Dir, build.Env = dir, append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off")
	done(t, build)
	return Program{"Go", func(name string, args []string) *exec.Cmd {
		return exec.CommandContext(t.Context(), filepath.Join(dir, name), args...)
	}}
}

// Java compiles the example with Debian's libraries.
func Java(t testing.TB) Program {
	t.Helper()
	const what = "Java with gRPC (apt-get install default-jdk-headless libgrpc-java libnetty-java libnetty-tcnative-java libprotobuf-java libguava-java libgoogle-gson-java libperfmark-java libyaml-snake-java libgeronimo-annotation-1.3-spec-java)"
	needed(t, what, "javac", "java")
	path := []string{}
	for _, jar := range []string{
		"grpc-api", "grpc-context", "grpc-core", "grpc-netty", "grpc-protobuf", "grpc-protobuf-lite", "grpc-stub", "protobuf", "protobuf-util", "guava", "gson",
		"perfmark-api", "snakeyaml", "geronimo-annotation-1.3-spec", "netty-buffer", "netty-codec", "netty-codec-http", "netty-codec-http2", "netty-common", "netty-handler", "netty-resolver", "netty-transport", "netty-tcnative",
	} {
		path = append(path, "/usr/share/java/"+jar+".jar")
		if _, err := os.Stat(path[len(path)-1]); err != nil {
			trial.Lacking(t, what+": "+jar)
		}
	}
	dir := t.TempDir()
	// Netty looks for the library of its TLS under another name than Debian gives it.
	tls, err := filepath.Glob("/usr/lib/*/jni/libnetty-tcnative.so")
	require.NoError(t, err)
	require.NotEmpty(t, tls)
	raw, err := os.ReadFile(tls[0])
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "libnetty_tcnative.so"), raw, 0o600))
	Protoc{"java", "grpc_java_plugin"}.Generate(t, dir, false)
	files, err := filepath.Glob(filepath.Join(example("java"), "*.java"))
	require.NoError(t, err)
	require.NoError(t, filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if strings.HasSuffix(path, ".java") {
			files = append(files, path)
		}
		return err
	}))
	out := filepath.Join(dir, "out")
	done(t, exec.CommandContext(t.Context(), "javac", append([]string{"-nowarn", "-encoding", "UTF-8", "-cp", strings.Join(path, ":"), "-d", out}, files...)...))
	return Program{"Java", func(name string, args []string) *exec.Cmd {
		class := strings.ToUpper(name[:1]) + name[1:]
		args = append([]string{"-Xmx64m", "-Djava.library.path=" + dir, "-Dfile.encoding=UTF-8", "-Dstdout.encoding=UTF-8", "-cp", strings.Join(append(path, out), ":"), class, filepath.Join(example("java"), "messages.json")}, args...)
		c := exec.CommandContext(t.Context(), "java", args...)
		c.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
		return c
	}}
}

// JavaVerifier compiles only what verifies, which needs nothing but the JDK.
func JavaVerifier(t testing.TB) Program {
	t.Helper()
	needed(t, "Java (apt-get install default-jdk-headless)", "javac", "java")
	out, files := t.TempDir(), []string{}
	for _, name := range []string{"Json", "Message", "Trust", "Vectors"} {
		files = append(files, filepath.Join(example("java"), name+".java"))
	}
	done(t, exec.CommandContext(t.Context(), "javac", append([]string{"-encoding", "UTF-8", "-d", out}, files...)...))
	return Program{"Java", func(_ string, args []string) *exec.Cmd {
		return exec.CommandContext(t.Context(), "java", append([]string{"-cp", out, "Vectors", filepath.Join(example("java"), "messages.json")}, args...)...)
	}}
}
