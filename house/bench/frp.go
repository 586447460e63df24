package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// frp is a widely used tunnel, here as its own two processes with TLS between them. It copies bytes and looks at no
// request, so it does less than a relay must. As on the other roads the client speaks HTTPS, which here only the backend
// can end. folder holds frps and frpc, built by frp.sh.
func frp(l *lab, folder, backend string) (*road, error) {
	if _, err := os.Stat(filepath.Join(folder, "frps")); err != nil {
		return nil, errors.New("frp is not built (house/bench/frp.sh does it): its column is empty")
	}
	control, public := freePort(), freePort()
	_, port, err := net.SplitHostPort(backend)
	if err != nil {
		return nil, err
	}
	server := fmt.Sprintf("bindAddr = \"127.0.0.1\"\nbindPort = %d\nproxyBindAddr = \"127.0.0.1\"\ntransport.tls.force = true\n", control)
	client := fmt.Sprintf("serverAddr = \"127.0.0.1\"\nserverPort = %d\nloginFailExit = false\n[[proxies]]\nname = \"b\"\ntype = \"tcp\"\nlocalIP = \"127.0.0.1\"\nlocalPort = %s\nremotePort = %d\n", control, port, public)
	if err := l.start(folder, "frps", server); err != nil {
		return nil, err
	}
	if err := l.start(folder, "frpc", client); err != nil {
		return nil, err
	}
	address := "127.0.0.1:" + strconv.Itoa(public)
	r := over("frp", "https://"+address, newClient(l.clientTLS()))
	return r, r.awaited()
}

// start runs one of frp's programs until the lab closes.
func (l *lab) start(folder, name, config string) error {
	file := filepath.Join(folder, name+".toml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return err
	}
	program := exec.Command(filepath.Join(folder, name), "-c", file)
	program.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := program.Start(); err != nil {
		return err
	}
	l.closers = append(l.closers, func() { _ = program.Process.Kill(); _ = program.Wait() })
	return nil
}

func freePort() int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err) // no loopback port: nothing can be measured
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

// awaited waits until the road leads to the backend.
func (r *road) awaited() error {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	for {
		err := r.call(ctx)
		if err == nil || ctx.Err() != nil {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
}
