package files

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"path"
	"strings"
	"sync"

	"gantry/connectors"

	"github.com/cloudsoda/go-smb2"
)

// share is a folder of an SMB share, by a client of the agent's own: the operating system mounts nothing, and its accounts are not used.
type share struct {
	net     net.Conn
	session *smb2.Session
	share   *smb2.Share
	folder  string
	ctx     context.Context
	end     context.CancelFunc
	once    sync.Once
}

var _ place = (*share)(nil)

// smbDialer reads the settings: host, port, share, path, username, domain; and the credential password.
func smbDialer(t connectors.Target) (func(context.Context) (place, error), error) {
	address, err := address(t, "445")
	if err != nil {
		return nil, err
	}
	name := t.Setting("share")
	if name == "" || strings.ContainsAny(name, `/\`) {
		return nil, connectors.Misuse("share: must be the name of a share, without slashes")
	}
	folder, ok := cleanFolder(t.Setting("path"))
	if !ok {
		return nil, connectors.Misuse("path: must be a folder below the share")
	}
	user, domain := t.Setting("username"), t.Setting("domain")
	if before, after, both := strings.Cut(user, `\`); both {
		domain, user = before, after
	}
	password := t.Credentials["password"]
	return func(ctx context.Context) (place, error) {
		conn, err := dialWith(ctx, t.Dial, address)
		if err != nil {
			return nil, err
		}
		s := &share{net: conn, folder: folder}
		s.ctx, s.end = context.WithCancel(context.Background())
		stop := context.AfterFunc(ctx, s.cut)
		defer stop()
		dialer := &smb2.Dialer{
			Negotiator: smb2.Negotiator{RequireMessageSigning: true},
			Initiator:  &smb2.NTLMInitiator{User: user, Password: password.Reveal(), Domain: domain},
		}
		if err := s.mount(ctx, dialer, address, name); err != nil {
			s.close()
			return nil, err
		}
		return s, nil
	}, nil
}

func (s *share) mount(ctx context.Context, d *smb2.Dialer, address, name string) error {
	session, err := d.DialConn(ctx, s.net, address)
	if err != nil {
		return smbFailure(err)
	}
	s.session = session
	mounted, err := session.WithContext(ctx).Mount(name)
	if err != nil {
		return smbFailure(err)
	}
	s.share = mounted.WithContext(s.ctx)
	return nil
}

// Codes of [MS-ERREF], section 2.3.1.
const (
	ntAccessDenied       = 0xC0000022
	ntSharingViolation   = 0xC0000043
	ntNoSuchUser         = 0xC0000064
	ntWrongPassword      = 0xC000006A
	ntLogonFailure       = 0xC000006D
	ntAccountRestriction = 0xC000006E
	ntPasswordExpired    = 0xC0000071
	ntAccountDisabled    = 0xC0000072
	ntDiskFull           = 0xC000007F
	ntBadNetworkName     = 0xC00000CC
	ntAccountExpired     = 0xC0000193
	ntPasswordMustChange = 0xC0000224
	ntAccountLocked      = 0xC0000234
)

// smbFailure tells the refusals of a login, and a missing share, apart from the rest.
func smbFailure(err error) error {
	said, ok := errors.AsType[*smb2.ResponseError](err)
	if !ok {
		if broken(err) {
			return &connectors.Failure{Kind: connectors.Lost, Message: "the connection to the system broke while it was opened", Source: map[string]any{}, Err: err}
		}
		return err
	}
	status, message := statusRefused, "the server refuses the user or the password"
	account := connectors.Account("")
	switch said.Code {
	case ntLogonFailure, ntNoSuchUser, ntWrongPassword:
	case ntAccountLocked, ntAccountDisabled, ntAccountRestriction, ntAccountExpired:
		message, account = "the server does not let the account in", connectors.Locked
	case ntPasswordExpired, ntPasswordMustChange:
		message, account = "the account's password has expired", connectors.Expired
	case ntBadNetworkName:
		status, message = statusMissing, "the server has no such share"
	case ntAccessDenied:
		status, message = statusPermission, "the account may not use the share"
	default:
		status, message = statusOther, said.Error()
	}
	f := answered(status, "%s", message)
	f.Account, f.Err = account, err
	return f
}

func (s *share) at(name string) string {
	return strings.ReplaceAll(path.Join(s.folder, name), "/", `\`)
}

// under gives the root of the share as the client has it.
func (s *share) under(name string) string {
	if at := s.at(name); at != "." {
		return at
	}
	return ""
}

func (s *share) list(folder string) ([]entry, error) {
	dir, err := s.share.Open(s.under(folder))
	if err != nil {
		return nil, smbError(err)
	}
	defer dir.Close()
	var out []entry
	for len(out) <= maxFiles {
		found, err := dir.Readdir(1000)
		for _, info := range found {
			if info.Mode().IsRegular() {
				out = append(out, entryOf(folder, info))
			}
		}
		if errors.Is(err, io.EOF) || err == nil && len(found) == 0 {
			return out, nil
		}
		if err != nil {
			return nil, smbError(err)
		}
	}
	return out, nil
}

func (s *share) open(name string) (io.ReadCloser, entry, error) {
	if info, err := s.share.Lstat(s.at(name)); err != nil {
		return nil, entry{}, smbError(err)
	} else if !info.Mode().IsRegular() {
		return nil, entry{}, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	f, err := s.share.Open(s.at(name))
	if err != nil {
		return nil, entry{}, smbError(err)
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return nil, entry{}, smbError(err)
	}
	e := entryOf(path.Dir(name), info)
	e.name = path.Base(name)
	return f, e, nil
}

// smbError gives an error of the share's its meaning.
func smbError(err error) error {
	if said, ok := errors.AsType[*smb2.ResponseError](err); ok {
		switch said.Code {
		case ntSharingViolation:
			return errors.Join(errBusy, err)
		case ntDiskFull:
			f := answered(statusFull, "the share is full")
			f.Err = err
			return f
		}
	}
	return err
}

func (s *share) write(name string, data []byte) error {
	f, err := s.share.Create(s.at(name))
	if err != nil {
		return smbError(err)
	}
	_, err = f.Write(data)
	return smbError(errors.Join(err, f.Close()))
}

// rename looks first, for the client asks the server to replace.
func (s *share) rename(from, to string) error {
	if _, err := s.share.Lstat(s.at(to)); err == nil {
		return &fs.PathError{Op: "rename", Path: to, Err: fs.ErrExist}
	}
	return smbError(s.share.Rename(s.at(from), s.at(to)))
}

func (s *share) remove(name string) error { return smbError(s.share.Remove(s.at(name))) }

func (s *share) makeFolder(name string) error {
	if info, err := s.share.Stat(s.under(name)); err == nil && info.IsDir() {
		return nil
	}
	return smbError(s.share.Mkdir(s.at(name), 0o770))
}

func (s *share) version() string { return "SMB" }

func (s *share) cut() { s.once.Do(func() { s.end(); _ = s.net.Close() }) }

func (s *share) close() {
	if s.session != nil && s.ctx.Err() == nil {
		_ = s.session.Logoff()
	}
	s.cut()
}
