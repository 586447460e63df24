package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"gantry/connectors"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// remote is a folder on a server that speaks SFTP.
type remote struct {
	net    net.Conn
	ssh    *ssh.Client
	sftp   *sftp.Client
	folder string
	once   sync.Once
}

var _ place = (*remote)(nil)

// sftpDialer reads the settings: host, port, username, path, host_key; and the credentials password, private_key and
// passphrase.
func sftpDialer(t connectors.Target, timeout time.Duration) (func(context.Context) (place, error), error) {
	address, err := address(t, "22")
	if err != nil {
		return nil, err
	}
	pinned, err := pin(t.Setting("host_key"))
	if err != nil {
		return nil, err
	}
	auth, err := sshLogin(t.Credentials)
	if err != nil {
		return nil, err
	}
	folder := t.Setting("path")
	if folder == "" {
		folder = "."
	}
	user := t.Setting("username")
	return func(ctx context.Context) (place, error) {
		conn, err := dialWith(ctx, t.Dial, address)
		if err != nil {
			return nil, err
		}
		var shown string
		config := &ssh.ClientConfig{User: user, Auth: auth(), Timeout: timeout, HostKeyAlgorithms: pinned.algorithms, ClientVersion: "SSH-2.0-gantry"}
		config.HostKeyCallback = func(_ string, _ net.Addr, key ssh.PublicKey) error {
			shown = ssh.FingerprintSHA256(key)
			return pinned.check(key)
		}
		r := &remote{net: conn, folder: folder}
		stop := context.AfterFunc(ctx, r.cut)
		defer stop()
		if err := r.handshake(address, config); err != nil {
			r.close()
			return nil, sshFailure(err, shown)
		}
		return r, nil
	}, nil
}

func (r *remote) handshake(address string, config *ssh.ClientConfig) error {
	conn, channels, requests, err := ssh.NewClientConn(r.net, address, config)
	if err != nil {
		return err
	}
	r.ssh = ssh.NewClient(conn, channels, requests)
	r.sftp, err = sftp.NewClient(r.ssh, sftp.UseConcurrentReads(false))
	return err
}

// address gives host:port of the login.
func address(t connectors.Target, port string) (string, error) {
	host := t.Setting("host")
	if host == "" || t.Dial == nil {
		return "", connectors.Misuse("the login has no host")
	}
	if n, ok := t.Settings["port"]; ok && n != nil {
		port = fmt.Sprint(n)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", connectors.Misuse("the login's port is none")
	}
	return net.JoinHostPort(host, port), nil
}

func dialWith(ctx context.Context, dial connectors.DialFunc, address string) (net.Conn, error) {
	conn, err := dial(ctx, "tcp", address)
	if _, known := errors.AsType[net.Error](err); known {
		return nil, &connectors.Failure{Kind: connectors.Unreachable, Message: "the system could not be reached", Source: map[string]any{}, Err: err}
	}
	return conn, err
}

// pinning is the host key that the server must show.
type pinning struct {
	fingerprint string
	algorithms  []string // nil: the server chooses
}

// pin reads a fingerprint as ssh-keygen -l prints it, a public key, or a line of known_hosts.
func pin(text string) (pinning, error) {
	for word := range strings.FieldsSeq(text) {
		if strings.HasPrefix(word, "SHA256:") {
			return pinning{fingerprint: strings.TrimRight(word, "=")}, nil
		}
	}
	fields := strings.Fields(text)
	for i := range fields {
		key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(strings.Join(fields[i:], " ")))
		if err != nil {
			continue
		}
		p := pinning{fingerprint: ssh.FingerprintSHA256(key), algorithms: []string{key.Type()}}
		if key.Type() == ssh.KeyAlgoRSA {
			p.algorithms = []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
		}
		return p, nil
	}
	if strings.TrimSpace(text) == "" {
		return pinning{}, nil // the first call says which key the server has
	}
	return pinning{}, connectors.Misuse("host_key: must be a fingerprint (SHA256:…) or a public key of the server")
}

var errHostKey = errors.New("the host key is not the pinned one")

func (p pinning) check(key ssh.PublicKey) error {
	if p.fingerprint != ssh.FingerprintSHA256(key) {
		return errHostKey
	}
	return nil
}

// sshLogin gives the ways to log in. A password is sent once: asked for it again in another way, the client says nothing, for a second
// try with the same word would count as one more.
func sshLogin(credentials map[string]connectors.Secret) (func() []ssh.AuthMethod, error) {
	password, key := credentials["password"].Reveal(), credentials["private_key"].Reveal()
	var signer ssh.Signer
	if key != "" {
		var err error
		if signer, err = parseKey(key, credentials["passphrase"].Reveal()); err != nil {
			return nil, connectors.Misuse("private_key: it cannot be read, or the passphrase is not its own")
		}
	}
	if signer == nil && password == "" {
		return nil, connectors.Misuse("the login has neither a password nor a private key")
	}
	return func() []ssh.AuthMethod {
		var methods []ssh.AuthMethod
		if signer != nil {
			methods = append(methods, ssh.PublicKeys(signer))
		}
		if password == "" {
			return methods
		}
		said := false
		once := func() (string, error) {
			if said {
				return "", errors.New("the password was refused")
			}
			said = true
			return password, nil
		}
		questions := func(_, _ string, questions []string, echos []bool) ([]string, error) {
			if len(questions) == 0 {
				return nil, nil
			}
			if len(questions) > 1 || echos[0] {
				return nil, errors.New("the server asks for more than a password")
			}
			answer, err := once()
			return []string{answer}, err
		}
		return append(methods, ssh.PasswordCallback(once), ssh.KeyboardInteractive(questions))
	}, nil
}

func parseKey(key, passphrase string) (ssh.Signer, error) {
	if passphrase != "" {
		return ssh.ParsePrivateKeyWithPassphrase([]byte(key), []byte(passphrase))
	}
	return ssh.ParsePrivateKey([]byte(key))
}

// sshFailure says why no session came to be.
func sshFailure(err error, shown string) error {
	insecure := func(format string, args ...any) error {
		f := connectors.Misuse(format, args...)
		f.Kind, f.Err = connectors.Insecure, err
		f.Source["fingerprint"] = shown
		return f
	}
	_, unauthenticated := errors.AsType[*ssh.ServerAuthError](err)
	_, negotiation := errors.AsType[*ssh.AlgorithmNegotiationError](err)
	switch {
	case errors.Is(err, errHostKey):
		return insecure("the server's host key is not the one of the login; it shows %s", shown)
	case negotiation:
		return insecure("the server and the agent have no algorithm in common, or the server has no key of the pinned kind")
	case unauthenticated || shown != "" && !broken(err):
		f := answered(statusRefused, "the server refuses the user, the password or the key")
		f.Err = err
		return f
	}
	return &connectors.Failure{Kind: connectors.Lost, Message: "the connection to the system broke while it was opened", Source: map[string]any{}, Err: err}
}

// broken reports whether an error is one of the way to a peer.
func broken(err error) bool {
	_, op := errors.AsType[*net.OpError](err)
	return op || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrClosedPipe) ||
		errors.Is(err, sftp.ErrSSHFxConnectionLost)
}

func (r *remote) at(name string) string { return path.Join(r.folder, name) }

func (r *remote) list(folder string) ([]entry, error) {
	found, err := r.sftp.ReadDir(r.at(folder))
	if err != nil {
		return nil, err
	}
	var out []entry
	for _, info := range found {
		if info.Mode().IsRegular() {
			out = append(out, entryOf(folder, info))
		}
		if len(out) > maxFiles {
			break
		}
	}
	return out, nil
}

func (r *remote) open(name string) (io.ReadCloser, entry, error) {
	if info, err := r.sftp.Lstat(r.at(name)); err != nil {
		return nil, entry{}, err
	} else if !info.Mode().IsRegular() {
		return nil, entry{}, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	f, err := r.sftp.Open(r.at(name))
	if err != nil {
		return nil, entry{}, err
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return nil, entry{}, err
	}
	e := entryOf(path.Dir(name), info)
	e.name = path.Base(name)
	return f, e, nil
}

func (r *remote) write(name string, data []byte) error {
	f, err := r.sftp.Create(r.at(name))
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

// rename is that of version 3 of the protocol, which never replaces. Servers say of a name that is taken no more than "failure".
func (r *remote) rename(from, to string) error {
	err := r.sftp.Rename(r.at(from), r.at(to))
	if status, ok := errors.AsType[*sftp.StatusError](err); ok && status.FxCode() == sftp.ErrSSHFxFailure {
		if _, taken := r.sftp.Lstat(r.at(to)); taken == nil {
			return &fs.PathError{Op: "rename", Path: to, Err: fs.ErrExist}
		}
	}
	return err
}

func (r *remote) remove(name string) error { return r.sftp.Remove(r.at(name)) }

func (r *remote) makeFolder(name string) error {
	if info, err := r.sftp.Stat(r.at(name)); err == nil && info.IsDir() {
		return nil
	}
	return r.sftp.Mkdir(r.at(name))
}

func (r *remote) version() string { return string(r.ssh.ServerVersion()) }

func (r *remote) cut() { r.once.Do(func() { _ = r.net.Close() }) }

func (r *remote) close() {
	r.cut()
	if r.sftp != nil {
		_ = r.sftp.Close()
	}
	if r.ssh != nil {
		_ = r.ssh.Close()
		_ = r.ssh.Wait()
	}
}
