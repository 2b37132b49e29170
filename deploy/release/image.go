package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// image is the program with nothing around it: no shell, no libraries, no authorities (every
// listener and source names its own). It is written as an OCI image layout in a tar file, which
// podman, docker, skopeo and crane read; no daemon has a part in it.
type image struct {
	program       []byte
	arch, version string
	at            time.Time
}

// user of the image, and its group: none that a base system has.
const user = 65532

// entry of the image's only layer.
type entry struct {
	name string
	mode int64
	own  bool   // of the user, and not of root
	file []byte // nil: a folder
}

func (i image) entries() []entry {
	return []entry{
		{name: "etc/", mode: 0o755},
		{name: "etc/group", mode: 0o644, file: fmt.Appendf(nil, "ontschot:x:%d:\n", user)},
		{name: "etc/ontschot/", mode: 0o755},
		{name: "etc/passwd", mode: 0o644, file: fmt.Appendf(nil, "ontschot:x:%d:%d::/var/lib/ontschot:/sbin/nologin\n", user, user)},
		{name: "tmp/", mode: 0o1777},
		{name: "usr/", mode: 0o755},
		{name: "usr/bin/", mode: 0o755},
		{name: "usr/bin/ontschot", mode: 0o755, file: i.program},
		{name: "var/", mode: 0o755},
		{name: "var/lib/", mode: 0o755},
		{name: "var/lib/ontschot/", mode: 0o700, own: true},
	}
}

// layer gives the layer, and the same packed.
func (i image) layer() (plain, packed []byte, err error) {
	var out, small bytes.Buffer
	w := tar.NewWriter(&out)
	for _, e := range i.entries() {
		h := &tar.Header{Name: e.name, Mode: e.mode, ModTime: i.at, Size: int64(len(e.file)), Typeflag: tar.TypeReg}
		if e.file == nil {
			h.Typeflag = tar.TypeDir
		}
		if e.own {
			h.Uid, h.Gid = user, user
		}
		err = errors.Join(err, w.WriteHeader(h))
		_, failed := w.Write(e.file)
		err = errors.Join(err, failed)
	}
	z, failed := gzip.NewWriterLevel(&small, gzip.BestCompression) // no name, no time
	err = errors.Join(err, w.Close(), failed)
	if err != nil {
		return nil, nil, err
	}
	_, err = z.Write(out.Bytes())
	err = errors.Join(err, z.Close())
	return out.Bytes(), small.Bytes(), err
}

// config is how the image runs.
func (i image) config(layer []byte) v1.Image {
	return v1.Image{
		Created: &i.at, Platform: v1.Platform{Architecture: i.arch, OS: "linux"},
		Config: v1.ImageConfig{
			User: fmt.Sprintf("%d:%d", user, user), WorkingDir: "/var/lib/ontschot",
			Entrypoint: []string{"/usr/bin/ontschot"}, Cmd: []string{"serve", "--config", "/etc/ontschot/gateway.yaml"},
			Volumes: map[string]struct{}{"/var/lib/ontschot": {}}, StopSignal: "SIGTERM",
			Labels: map[string]string{v1.AnnotationTitle: "ontschot", v1.AnnotationVersion: i.version, v1.AnnotationLicenses: "EUPL-1.2"},
		},
		RootFS:  v1.RootFS{Type: "layers", DiffIDs: []digest.Digest{digest.FromBytes(layer)}},
		History: []v1.History{{Created: &i.at, CreatedBy: "go run ./deploy/release"}},
	}
}

// write writes the layout.
func (i image) write(path string) error {
	plain, packed, err := i.layer()
	if err != nil {
		return err
	}
	l := layout{at: i.at}
	l.begin()
	manifest := v1.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageManifest,
		Layers: []v1.Descriptor{l.blob(v1.MediaTypeImageLayerGzip, packed)},
		Config: l.object(v1.MediaTypeImageConfig, i.config(plain)),
	}
	top := l.object(v1.MediaTypeImageManifest, manifest)
	top.Annotations = map[string]string{v1.AnnotationRefName: i.version}
	top.Platform = &v1.Platform{Architecture: i.arch, OS: "linux"}
	index, err := json.Marshal(v1.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageIndex, Manifests: []v1.Descriptor{top}})
	l.err = errors.Join(l.err, err)
	l.file(v1.ImageIndexFile, index)
	l.err = errors.Join(l.err, l.w.Close())
	if l.err != nil {
		return l.err
	}
	return os.WriteFile(path, l.out.Bytes(), 0o644)
}

// layout is the tar file while it is written; its first error stays.
type layout struct {
	out bytes.Buffer
	w   *tar.Writer
	at  time.Time
	err error
}

func (l *layout) begin() {
	l.w = tar.NewWriter(&l.out)
	version, err := json.Marshal(v1.ImageLayout{Version: v1.ImageLayoutVersion})
	l.err = err
	l.file(v1.ImageLayoutFile, version)
}

func (l *layout) file(name string, raw []byte) {
	err := l.w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, ModTime: l.at, Size: int64(len(raw)), Typeflag: tar.TypeReg})
	_, failed := l.w.Write(raw)
	l.err = errors.Join(l.err, err, failed)
}

func (l *layout) blob(kind string, raw []byte) v1.Descriptor {
	d := digest.FromBytes(raw)
	l.file(v1.ImageBlobsDir+"/"+strings.ReplaceAll(d.String(), ":", "/"), raw)
	return v1.Descriptor{MediaType: kind, Digest: d, Size: int64(len(raw))}
}

func (l *layout) object(kind string, of any) v1.Descriptor {
	raw, err := json.Marshal(of)
	l.err = errors.Join(l.err, err)
	return l.blob(kind, raw)
}
