package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"gantry/connectors/demoplant"
	"gantry/house"
)

// marker is a file in a folder that the demo made: only such a folder is removed.
const marker = "made-by-gantry-demo"

// stage is the house while the demo runs.
type stage struct {
	folder   string
	programs string
	url      string
	running  []*process // in the order of their start
	failed   chan error
	admin    *house.Client
	client   *house.Client // with the connection's token
	site     string
	print    printer
}

// newStage makes the folder anew.
func newStage(folder, programs string) (*stage, error) {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return nil, err
	}
	_, err = os.Stat(folder)
	switch _, mine := os.Stat(filepath.Join(folder, marker)); {
	case err == nil && mine != nil:
		return nil, fmt.Errorf("%s is there, and the demo did not make it: name another with --folder", folder)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	if err := errors.Join(os.RemoveAll(folder), os.MkdirAll(filepath.Join(folder, "plant"), 0o700)); err != nil {
		return nil, err
	}
	s := &stage{folder: folder, programs: programs, failed: make(chan error, 2), print: newPrinter(os.Stdout)}
	return s, s.write(marker, "")
}

func (s *stage) path(name string) string { return filepath.Join(s.folder, name) }

func (s *stage) program(name string) string { return filepath.Join(s.programs, name+programSuffix) }

func (s *stage) write(name, content string) error {
	return os.WriteFile(s.path(name), []byte(content), 0o600)
}

// raise starts everything and connects the plant.
func (s *stage) raise(ctx context.Context) error {
	for _, step := range []struct {
		title string
		do    func(context.Context) error
	}{
		{"a plant: a SQLite file with maintenance and purchasing", s.makePlant},
		{"a relay, on loopback", s.startRelay},
		{"an organisation with credits and a key", s.createOrganisation},
		{"a site, and an agent enrolled with its one-time token", s.enrol},
		{"the plant's own policy: this folder, and writes", s.allow},
		{"the agent, dialling out", s.startAgent},
		{"a connection to the plant", s.connect},
	} {
		begin := time.Now()
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.title, err)
		}
		s.print.step(step.title, time.Since(begin))
	}
	return nil
}

func (s *stage) makePlant(ctx context.Context) error {
	return demoplant.Create(ctx, s.path("plant/plant.db"))
}

func (s *stage) startRelay(ctx context.Context) error {
	address, err := freeAddress(ctx)
	if err != nil {
		return err
	}
	s.url = "http://" + address
	// A path in double quotes, as JSON has it, is the same text in YAML, whatever is in it.
	data, err := json.Marshal(s.path("relay"))
	if err != nil {
		return err
	}
	if err := s.write("relay.yaml", fmt.Sprintf("listen: %s\ndata_dir: %s\nmetrics_listen: \"\"\n", address, data)); err != nil {
		return err
	}
	if err := s.start("relay.log", "gantry-relay", "serve", "--config", s.path("relay.yaml")); err != nil {
		return err
	}
	return s.await(ctx, "the relay is ready", func() error {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/readyz", nil)
		if err != nil {
			return err
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			return err
		}
		if answer.StatusCode >= 300 {
			err = errors.New(answer.Status)
		}
		return errors.Join(err, answer.Body.Close())
	})
}

func (s *stage) createOrganisation(ctx context.Context) error {
	var organisation struct{ ID string }
	if err := s.relayCommand(ctx, &organisation, "orgs", "create", "Hällmark Paper", "--credits", "10"); err != nil {
		return err
	}
	var key struct{ Key, Token string }
	err := s.relayCommand(ctx, &key, "keys", "create", "--org", organisation.ID, "--role", "admin", "--name", "demo")
	s.admin = &house.Client{URL: s.url, Token: key.Key + key.Token}
	return err
}

func (s *stage) relayCommand(ctx context.Context, into any, args ...string) error {
	out, err := command(ctx, s.program("gantry-relay"), append(args, "--config", s.path("relay.yaml"), "--json")...)
	if err != nil {
		return err
	}
	return json.Unmarshal(out, into)
}

func (s *stage) enrol(ctx context.Context) error {
	var site struct {
		ID    string `json:"id"`
		Token string `json:"enrolment_token"`
	}
	if err := s.call(ctx, http.MethodPost, "/sites", map[string]string{"name": "Hällmark Board Mill"}, http.StatusCreated, &site); err != nil {
		return err
	}
	s.site = site.ID
	state, err := json.Marshal(s.path("agent"))
	if err != nil {
		return err
	}
	if err := errors.Join(s.write("agent.yaml", fmt.Sprintf("state_dir: %s\n", state)), s.write("enrolment-token", site.Token)); err != nil {
		return err
	}
	_, err = command(ctx, s.program("gantry-agent"), "enroll", "--token-file", s.path("enrolment-token"), "--config", s.path("agent.yaml"))
	return err
}

func (s *stage) allow(ctx context.Context) error {
	for _, what := range [][]string{{"path", s.path("plant")}, {"writes"}} {
		args := append(append([]string{"policy", "allow"}, what...), "--config", s.path("agent.yaml"))
		if _, err := command(ctx, s.program("gantry-agent"), args...); err != nil {
			return err
		}
	}
	return nil
}

func (s *stage) startAgent(ctx context.Context) error {
	if err := s.start("agent.log", "gantry-agent", "run", "--config", s.path("agent.yaml")); err != nil {
		return err
	}
	return s.await(ctx, "the agent is connected", func() error {
		var site struct{ Agents []struct{ State string } }
		if err := s.call(ctx, http.MethodGet, "/sites/"+s.site, nil, http.StatusOK, &site); err != nil {
			return err
		}
		if len(site.Agents) != 1 || site.Agents[0].State != "connected" {
			return fmt.Errorf("the site's agents are %v", site.Agents)
		}
		return nil
	})
}

func (s *stage) connect(ctx context.Context) error {
	var made struct{ Token string }
	err := s.call(ctx, http.MethodPost, "/connections", map[string]any{"site": s.site, "system": "demo-plant", "name": "plant",
		"settings": map[string]string{"path": s.path("plant/plant.db")}, "credentials": map[string]string{}}, http.StatusCreated, &made)
	s.client = &house.Client{URL: s.url, Token: made.Token}
	return err
}

// signInLink asks the relay for a link to its pages, good for one sign-in.
func (s *stage) signInLink(ctx context.Context) (string, error) {
	var made struct{ Link string }
	err := s.relayCommand(ctx, &made, "dashboard", "link", "--for", "12h")
	return made.Link, err
}

// call makes a call as the organisation.
func (s *stage) call(ctx context.Context, method, path string, body any, status int, into any) error {
	answer, err := s.admin.Do(ctx, method, path, body)
	if err != nil {
		return err
	}
	if answer.Status != status {
		return fmt.Errorf("%s %s: %d, not %d: %s", method, path, answer.Status, status, answer.Body)
	}
	return answer.JSON(into)
}

func (s *stage) start(log, name string, args ...string) error {
	p, err := start(s.path(log), s.failed, s.program(name), args...)
	if err == nil {
		s.running = append(s.running, p)
	}
	return err
}

// await polls until a condition holds, a program fails, or half a minute is over.
func (s *stage) await(ctx context.Context, what string, holds func() error) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		err := holds()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waited until %s: %w", what, err)
		case err := <-s.failed:
			return err
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// close stops what was started, the last first.
func (s *stage) close() error {
	var err error
	for i := len(s.running) - 1; i >= 0; i-- {
		err = errors.Join(err, s.running[i].stop())
	}
	s.running = nil
	return err
}

func freeAddress(ctx context.Context) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
