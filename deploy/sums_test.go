package deploy

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What an operator does with what they fetched: two commands that every Linux has.
func TestChecksumsAreSigned(t *testing.T) {
	dir := made(t)
	verify := func(sums string) error {
		c := exec.Command("openssl", "dgst", "-sha256", "-verify", "release.pub.pem", "-signature", "SHA256SUMS.sig", sums)
		c.Dir = dir
		return c.Run()
	}
	require.NoError(t, verify("SHA256SUMS"))
	raw, err := os.ReadFile(filepath.Join(dir, "SHA256SUMS"))
	require.NoError(t, err)
	other := filepath.Join(t.TempDir(), "sums")
	require.NoError(t, os.WriteFile(other, append(raw, ' '), 0o600))
	require.Error(t, verify(other))

	c := exec.Command("sha256sum", "--check", "--strict", "SHA256SUMS")
	c.Dir = dir
	said, err := c.CombinedOutput()
	require.NoError(t, err, string(said))
	require.Equal(t, 5, strings.Count(string(said), ": OK"), "program, deb, rpm, bill of materials, image")
}

// Every module that is in the program is in its bill of materials, at its version.
func TestTheBillOfMaterialsIsWhole(t *testing.T) {
	raw, err := os.ReadFile(the(t, ".cdx.json"))
	require.NoError(t, err)
	type component struct{ Name, Version, PURL string }
	var bill struct {
		BOMFormat  string
		Metadata   struct{ Component component }
		Components []component
	}
	require.NoError(t, json.Unmarshal(raw, &bill))
	require.Equal(t, "CycloneDX", bill.BOMFormat)
	require.Equal(t, "github.com/ontschot/ontschot", bill.Metadata.Component.Name)
	listed := map[string]string{}
	for _, c := range bill.Components {
		listed[c.Name] = c.Version
	}
	modules := 0
	for line := range strings.Lines(runs(t, "go", "version", "-m", the(t, "_amd64"))) {
		if f := strings.Fields(line); len(f) > 2 && f[0] == "dep" {
			modules++
			require.Equal(t, f[2], listed[f[1]], f[1])
		}
	}
	require.Greater(t, modules, 40)
}

// From the same commit come the same bytes, in another folder too. The signature alone is another.
func TestTheSameBytesAgain(t *testing.T) {
	if os.Getenv("ONTSCHOT_LONG") == "" {
		t.Log("with ONTSCHOT_LONG=1: made again in another folder, all of it; without, the image alone (deploy/release)")
		return
	}
	first := made(t)
	copied := filepath.Join(t.TempDir(), "elsewhere")
	c := exec.Command("bash", "-c", `git ls-files -co --exclude-standard -z | xargs -0 cp --parents -t "$0"`, copied)
	c.Dir = root
	require.NoError(t, os.Mkdir(copied, 0o755))
	said, err := c.CombinedOutput()
	require.NoError(t, err, string(said))
	again := filepath.Join(t.TempDir(), "out")
	require.NoError(t, makeRelease(copied, again, filepath.Join(folder, "key.pem")))
	one, err := os.ReadFile(filepath.Join(first, "SHA256SUMS"))
	require.NoError(t, err)
	two, err := os.ReadFile(filepath.Join(again, "SHA256SUMS"))
	require.NoError(t, err)
	require.Equal(t, string(one), string(two))
}
