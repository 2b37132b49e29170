package csv

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"strings"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
	"google.golang.org/grpc/codes"

	"github.com/ontschot/ontschot/adapters"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// mostSessions is how many connections to a server there are at once.
const mostSessions = 4

// remote is a folder of a server that speaks SFTP, known by its key and by nothing else.
type remote struct {
	address, folder string
	config          ssh.ClientConfig
	host            ssh.PublicKey
	sessions        chan struct{}
}

func (s Settings) remote(c adapters.Config) (*remote, error) {
	host, _, _, _, err := ssh.ParseAuthorizedKey([]byte(s.SFTPHostKey))
	if err != nil {
		return nil, &adapters.ConfigError{Path: "sftp_host_key", NL: "de sleutel van de server is nodig, zoals in known_hosts, zonder naam", EN: "the key of the server is needed, as in known_hosts, without a name"}
	}
	if _, _, err := net.SplitHostPort(s.SFTPAddress); err != nil || s.SFTPUser == "" {
		return nil, &adapters.ConfigError{Path: "sftp_address", NL: "host:poort en sftp_user zijn nodig", EN: "host:port and sftp_user are needed"}
	}
	var auth ssh.AuthMethod
	switch key, password := c.Secret("sftp_key"), c.Secret("sftp_password"); {
	case !key.IsZero():
		signer, err := ssh.ParsePrivateKey([]byte(key.Reveal()))
		if err != nil {
			return nil, &adapters.ConfigError{Path: "secrets.sftp_key", NL: "geen sleutel in PEM zonder wachtwoord", EN: "no key in PEM without a password"}
		}
		auth = ssh.PublicKeys(signer)
	case !password.IsZero():
		auth = ssh.Password(password.Reveal())
	default:
		return nil, &adapters.ConfigError{Path: "secrets.sftp_key", NL: "sftp_key of sftp_password is nodig", EN: "sftp_key or sftp_password is needed"}
	}
	return &remote{
		address: s.SFTPAddress, folder: strings.TrimSuffix(s.Folder, "/"), host: host, sessions: make(chan struct{}, mostSessions),
		config: ssh.ClientConfig{User: s.SFTPUser, Auth: []ssh.AuthMethod{auth}, Timeout: 5 * time.Second, HostKeyAlgorithms: algorithms(host)},
	}, nil
}

// algorithms are those that a host key can be proved by: RSA keys not with SHA-1.
func algorithms(host ssh.PublicKey) []string {
	if host.Type() == ssh.KeyAlgoRSA {
		return []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
	}
	return []string{host.Type()}
}

var (
	errHost = adapters.Fault(codes.Unavailable, adapters.ReasonSourceUnavailable, map[string]string{"cause": budgetv1.GapSourceCertificate})
	errDial = errors.New("no SFTP")
)

func (r *remote) open(ctx context.Context) (folder, error) {
	select {
	case r.sessions <- struct{}{}:
	case <-ctx.Done():
		return nil, adapters.Timeout()
	}
	f, err := r.connect(ctx)
	if err != nil {
		<-r.sessions
		return nil, err
	}
	return f, nil
}

func (r *remote) connect(ctx context.Context) (folder, error) {
	conn, err := (&net.Dialer{Timeout: r.config.Timeout}).DialContext(ctx, "tcp", r.address)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() }) // package ssh waits without a context
	config, stranger := r.config, false
	config.HostKeyCallback = func(name string, at net.Addr, key ssh.PublicKey) error {
		stranger = ssh.FixedHostKey(r.host)(name, at, key) != nil
		if stranger {
			return errDial
		}
		return nil
	}
	session, channels, requests, err := ssh.NewClientConn(conn, r.address, &config)
	if err != nil {
		stop()
		conn.Close()
		switch {
		case stranger || strings.Contains(err.Error(), "no common algorithm for host key"):
			return nil, errHost
		case strings.Contains(err.Error(), "unable to authenticate"):
			return nil, adapters.LoginRefused()
		}
		return nil, err
	}
	client := ssh.NewClient(session, channels, requests)
	files, err := sftp.NewClient(client)
	if err != nil {
		stop()
		client.Close()
		return nil, err
	}
	return &remoteFolder{files, r, func() { stop(); client.Close() }}, nil
}

type remoteFolder struct {
	*sftp.Client
	at  *remote
	end func()
}

// List implements folder.
func (f *remoteFolder) List() ([]fs.FileInfo, error) {
	all, err := f.Client.ReadDir(f.at.folder)
	return all[:min(len(all), mostFiles)], err
}

// Open implements folder.
func (f *remoteFolder) Open(name string) (file, error) {
	return f.Client.Open(f.at.folder + "/" + name)
}

// Close implements folder.
func (f *remoteFolder) Close() error {
	f.end() // first: package sftp waits for the server to end too
	_ = f.Client.Close()
	<-f.at.sessions
	return nil
}
