// Package bundle makes the archive that a plant sends to support: what is needed to find a fault, and no secret.
//
// Contents is the allow-list: what is no member of it, with its type, cannot get into an archive. There are no rows, no bodies and
// no idempotency keys among them, and password files are not read. Two guards stand behind the list. Foreign texts (the log, a crash,
// the service's definition) are redacted: what looks like a login, and every secret that the agent knows, has a gap in its
// place; a recording, in which no gap can be made, is left out. Then the finished archive is read again and searched for those secrets in every usual form (package proof), names
// included. One that is found refuses the archive: nothing is written, and the error names the file and the kind of secret. Secrets
// of less than four bytes are not looked for, and the manifest says how many there were.
//
// The archive is made by the process that knows the secrets, so that none has to leave it: the running agent, to which the
// command line hands what only an administrator can see; without it the command line, with what lies on the disk. Where the vault
// does not open nothing can be proved, and foreign texts are left out.
//
// It is a zip, since its reader on Windows opens one without another program, and each file by itself. Everything in it is
// bounded; manifest.json lists the files with their sizes and digests, and what is missing, with the reason.
package bundle

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"gantry/agent/bundle/proof"
)

// Schema is the version of manifest.json. Members are only ever added; it grows when one changes its meaning.
const Schema = 1

// MaxSize bounds what an archive holds, in bytes before compression.
const MaxSize = 32 << 20

// Options say how an archive is made.
type Options struct {
	Version   string
	By        string // who makes it: service or command
	Secrets   []proof.Secret
	Unproved  string // why the secrets are not known; empty: they are
	Anonymize bool   // hosts, addresses and names become aliases
	Now       time.Time

	miss string // a file that the redactor passes over: for the proof of the proof
}

// Manifest is manifest.json.
type Manifest struct {
	Schema     int       `json:"schema"`
	Program    string    `json:"program"`
	Version    string    `json:"version"`
	At         time.Time `json:"at"`
	By         string    `json:"by"`
	Anonymized bool      `json:"anonymized"`
	Proof      Proof     `json:"proof"`
	Files      []Entry   `json:"files"`
	Missing    []Missing `json:"missing"`
}

// Proof says what was searched for.
type Proof struct {
	Secrets  int    `json:"secrets"`            // that the archive was searched for
	Short    int    `json:"short"`              // that are too short to be searched for
	Redacted int    `json:"redacted"`           // gaps in place of one
	Unproved string `json:"unproved,omitempty"` // why the secrets were not known
}

// Entry is a file of the archive.
type Entry struct {
	Name   string `json:"name"`
	What   string `json:"what"`
	Bytes  int    `json:"bytes"`
	SHA256 string `json:"sha256"`
	Cut    bool   `json:"cut,omitempty"` // its beginning was left out
}

// Missing is a file that could not be made.
type Missing struct {
	Name string `json:"name"`
	Why  string `json:"why"`
}

// Leak is the error of an archive that would hold a secret.
type Leak struct{ File, Secret string }

// Error implements error.
func (l *Leak) Error() string {
	return fmt.Sprintf("the bundle is not written: its file %s would hold %s", l.File, l.Secret)
}

// Write makes the archive of the contents and writes it to w, once it is proved. The error is *Leak, that of ctx, or w's.
func Write(ctx context.Context, w io.Writer, c Contents, o Options) error {
	scanner := proof.New(o.Secrets)
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	m := Manifest{
		Schema: Schema, Program: "gantry-agent", Version: o.Version, At: o.Now.UTC(), By: o.By, Anonymized: o.Anonymize,
		Proof: Proof{Secrets: scanner.Known(), Short: scanner.Short(), Unproved: o.Unproved}, Files: []Entry{}, Missing: append([]Missing{}, c.Missing...),
	}
	var hide *aliases
	if o.Anonymize {
		hide = aliasesOf(c)
	}
	archive := &archive{scanner: scanner, hide: hide, miss: o.miss, manifest: &m, left: MaxSize}
	archive.zip = zip.NewWriter(&archive.bytes)
	if err := archive.fill(ctx, c, o); err != nil {
		return fmt.Errorf("make bundle: %w", err)
	}
	if err := prove(ctx, archive.bytes.Bytes(), scanner); err != nil {
		return err
	}
	_, err := w.Write(archive.bytes.Bytes())
	return err
}

// archive is a zip that is being made, in memory: nothing unproved touches the disk.
type archive struct {
	bytes    bytes.Buffer
	zip      *zip.Writer
	scanner  *proof.Scanner
	hide     *aliases
	miss     string
	manifest *Manifest
	left     int
}

func (a *archive) fill(ctx context.Context, c Contents, o Options) error {
	for _, f := range c.files() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if f.err != nil {
			a.missing(f.name, f.err.Error())
			continue
		}
		if len(f.data) == 0 {
			continue
		}
		if o.Unproved != "" && f.foreign {
			a.missing(f.name, o.Unproved)
			continue
		}
		if err := a.add(f, o.Now); err != nil {
			return err
		}
	}
	data, err := json.MarshalIndent(a.manifest, "", "  ")
	if err != nil {
		return err
	}
	if err := a.put("manifest.json", a.clean(file{name: "manifest.json", data: data}), o.Now); err != nil {
		return err
	}
	return a.zip.Close()
}

func (a *archive) missing(name, why string) {
	a.manifest.Missing = append(a.manifest.Missing, Missing{name, why})
}

// add puts a file into the archive, cut to its bound and clean.
func (a *archive) add(f file, now time.Time) error {
	entry := Entry{What: f.what}
	if f.binary && f.name != a.miss {
		if secret := a.scanner.Holds(f.data); secret != "" {
			a.missing(f.name, "it would hold "+secret)
			return nil
		}
	}
	if f.most > 0 && len(f.data) > f.most {
		f.data, entry.Cut = tail(f.data, f.most), true
	}
	data := a.clean(f)
	entry.Name = string(a.clean(file{name: f.name, data: []byte(f.name)}))
	if len(data) > a.left {
		a.missing(entry.Name, "the bundle has no room for it")
		return nil
	}
	a.left -= len(data)
	sum := sha256.Sum256(data)
	entry.Bytes, entry.SHA256 = len(data), hex.EncodeToString(sum[:])
	a.manifest.Files = append(a.manifest.Files, entry)
	return a.put(entry.Name, data, now)
}

// clean redacts a file, and hides names where that is asked for.
func (a *archive) clean(f file) []byte {
	if f.binary {
		return f.data
	}
	data := f.data
	if f.name != a.miss {
		if f.foreign {
			data = proof.Habitual(data)
		}
		var n int
		data, n = a.scanner.Redact(data)
		a.manifest.Proof.Redacted += n
	}
	if a.hide != nil {
		data = a.hide.in(data)
	}
	return data
}

func (a *archive) put(name string, data []byte, now time.Time) error {
	w, err := a.zip.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: now.UTC()})
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	return err
}

// tail gives the last whole lines of a text that fit.
func tail(data []byte, most int) []byte {
	data = data[len(data)-most:]
	if _, after, ok := bytes.Cut(data, []byte{'\n'}); ok {
		return after
	}
	return data
}

// prove reads a finished archive and searches it.
func prove(ctx context.Context, data []byte, scanner *proof.Scanner) error {
	return Each(data, func(name string, content []byte) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if secret := scanner.Holds([]byte(name)); secret != "" {
			return &Leak{"(its name)", secret}
		}
		if secret := scanner.Holds(content); secret != "" {
			return &Leak{name, secret}
		}
		return nil
	})
}

// Prove is the proof of an archive that another process made, with the secrets that this one knows.
func Prove(ctx context.Context, data []byte, secrets []proof.Secret) error {
	return prove(ctx, data, proof.New(secrets))
}

// Each visits the files of an archive in order.
func Each(data []byte, visit func(name string, content []byte) error) error {
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return fmt.Errorf("read bundle: %w", err)
	}
	left := int64(MaxSize + 1<<20) // and the manifest
	for _, f := range r.File {
		in, err := f.Open()
		if err != nil {
			return fmt.Errorf("read bundle: %w", err)
		}
		content, err := io.ReadAll(io.LimitReader(in, left+1))
		if err := errors.Join(err, in.Close()); err != nil {
			return fmt.Errorf("read bundle: %w", err)
		}
		if left -= int64(len(content)); left < 0 {
			return errors.New("read bundle: it is larger than a bundle can be")
		}
		if err := visit(f.Name, content); err != nil {
			return err
		}
	}
	return nil
}
