package deploy

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters/trial"
)

// blobs reads a tar file into memory.
func blobs(t *testing.T, r io.Reader, each func(*tar.Header, []byte)) {
	t.Helper()
	for files := tar.NewReader(r); ; {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(t, err)
		raw, err := io.ReadAll(files)
		require.NoError(t, err)
		each(h, raw)
	}
}

// unpack reads an image as a runtime does, each part by its digest, and lays its layers down.
func unpack(t *testing.T, path, to string) v1.Image {
	t.Helper()
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	files := map[string][]byte{}
	blobs(t, bytes.NewReader(raw), func(h *tar.Header, raw []byte) { files[h.Name] = raw })
	get := func(d v1.Descriptor, into any) []byte {
		raw := files["blobs/sha256/"+d.Digest.Encoded()]
		require.Equal(t, d.Digest, digest.FromBytes(raw))
		require.EqualValues(t, d.Size, len(raw))
		if into != nil {
			require.NoError(t, json.Unmarshal(raw, into))
		}
		return raw
	}
	require.JSONEq(t, `{"imageLayoutVersion":"1.0.0"}`, string(files["oci-layout"]))
	var index v1.Index
	require.NoError(t, json.Unmarshal(files["index.json"], &index))
	require.Len(t, index.Manifests, 1)
	var manifest v1.Manifest
	get(index.Manifests[0], &manifest)
	var config v1.Image
	get(manifest.Config, &config)
	require.Len(t, manifest.Layers, 1)
	z, err := gzip.NewReader(bytes.NewReader(get(manifest.Layers[0], nil)))
	require.NoError(t, err)
	plain, err := io.ReadAll(z)
	require.NoError(t, err)
	require.Equal(t, config.RootFS.DiffIDs, []digest.Digest{digest.FromBytes(plain)})
	blobs(t, bytes.NewReader(plain), func(h *tar.Header, raw []byte) {
		at := filepath.Join(to, h.Name)
		if h.Typeflag == tar.TypeDir {
			require.NoError(t, os.Mkdir(at, 0o755))
		} else {
			require.NoError(t, os.WriteFile(at, raw, 0o600))
		}
		require.NoError(t, os.Chmod(at, h.FileInfo().Mode()))
		require.NoError(t, os.Lchown(at, h.Uid, h.Gid))
	})
	return config
}

// The image holds nothing but the program, and plays a whole case as an ordinary user, on a root
// that nobody writes to, without a right and without a way to get one: adapters are the same
// program started again.
func TestTheImageRunsWithNothingAroundIt(t *testing.T) {
	for _, tool := range []string{"unshare", "setpriv", "chroot"} {
		needs(t, tool)
	}
	path := the(t, ".oci.tar")
	if os.Geteuid() != 0 {
		trial.Lacking(t, "root, to be another user")
	}
	root := t.TempDir()
	config := unpack(t, path, root)
	require.Equal(t, "65532:65532", config.Config.User)
	require.Equal(t, []string{"/usr/bin/ontschot"}, config.Config.Entrypoint)
	require.NoError(t, os.MkdirAll(filepath.Join(root, "proc"), 0o755)) // a runtime mounts these
	require.NoError(t, os.MkdirAll(filepath.Join(root, "dev"), 0o755))

	script := `set -e
cd "$0"
mount --bind . . && cd "$0"
mount -t proc proc proc
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs tmpfs dev
for d in null zero full random urandom; do : >dev/$d; mount --bind /dev/$d dev/$d; done
mount -o remount,bind,ro .
! touch etc/x 2>/dev/null
exec env -i HOME=/tmp PATH=/usr/sbin:/usr/bin:/sbin:/bin setpriv --no-new-privs chroot --userspec=65532:65532 --groups= "$0" /usr/bin/ontschot demo --lang en`
	c := exec.Command("unshare", "-m", "-p", "-f", "--kill-child", "bash", "-c", script, root)
	said, err := c.CombinedOutput()
	require.NoError(t, err, string(said))
	require.Contains(t, string(said), "111,844.37")
}
