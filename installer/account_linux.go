package installer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// account gives the steps that make the service's account.
func (i Installation) account() Plan {
	name := i.Spec.Layout.Account
	return Plan{{Name: "account", Line: "make the system account " + name, Do: func(ctx context.Context) (Undo, error) {
		_, err := user.Lookup(name)
		if _, missing := errors.AsType[user.UnknownUserError](err); !missing {
			return nil, err
		}
		undo := func(ctx context.Context) error { return command(ctx, "userdel", name) }
		return undo, command(ctx, "useradd", "--system", "--user-group", "--no-create-home", "--home-dir", i.Spec.Layout.State,
			"--shell", "/usr/sbin/nologin", "--comment", i.Spec.Title, name)
	}}}
}

// withoutAccount gives the steps that remove it. userdel takes its group, which has no other member.
func (i Installation) withoutAccount() Plan {
	name := i.Spec.Layout.Account
	return Plan{{Name: "account", Line: "remove the system account " + name, Do: func(ctx context.Context) (Undo, error) {
		_, err := user.Lookup(name)
		if _, missing := errors.AsType[user.UnknownUserError](err); missing {
			return nil, nil
		} else if err != nil {
			return nil, err
		}
		return Kept, command(ctx, "userdel", name)
	}}}
}

// secure gives a place its owner and mode.
func (i Installation) secure(p Place) (Undo, error) {
	info, err := os.Lstat(p.Path)
	if err != nil {
		return nil, err
	}
	was, ok := info.Sys().(*syscall.Stat_t)
	if !ok || info.Mode()&fs.ModeSymlink != 0 {
		return nil, fmt.Errorf("%s is a link: remove it, or make it a plain one", p.Path)
	}
	uid, gid, err := i.owner(p.Access)
	if err != nil {
		return nil, err
	}
	mode := mode(p)
	if was.Uid == uid && was.Gid == gid && info.Mode().Perm() == mode {
		return nil, nil
	}
	undo := func(context.Context) error {
		return errors.Join(os.Lchown(p.Path, int(was.Uid), int(was.Gid)), os.Chmod(p.Path, info.Mode().Perm()))
	}
	return undo, errors.Join(os.Lchown(p.Path, int(uid), int(gid)), os.Chmod(p.Path, mode))
}

// owner is who owns a place of an access.
func (i Installation) owner(a Access) (uid, gid uint32, err error) {
	if a == Public {
		return 0, 0, nil
	}
	account, err := user.Lookup(i.Spec.Layout.Account)
	if err != nil {
		return 0, 0, err
	}
	u, err := strconv.ParseUint(account.Uid, 10, 32)
	if err != nil {
		return 0, 0, err
	}
	g, err := strconv.ParseUint(account.Gid, 10, 32)
	if err != nil {
		return 0, 0, err
	}
	if a == ServiceRead {
		u = 0
	}
	return uint32(u), uint32(g), nil
}

// mode is a place's mode.
func mode(p Place) fs.FileMode {
	var m fs.FileMode
	switch p.Access {
	case Public:
		m = 0o644
	case ServiceRead:
		m = 0o640
	case ServiceOwn:
		m = 0o600
	}
	if p.Kind != File {
		m |= m & 0o444 >> 2 // who may read a folder may enter it
	}
	return m
}
