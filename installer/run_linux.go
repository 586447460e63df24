package installer

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
)

// command runs one of the system's programs; what it complains of becomes the error.
func command(ctx context.Context, name string, args ...string) error {
	_, err := output(ctx, name, args...)
	return err
}

// output is command for a program whose answer is wanted.
func output(ctx context.Context, name string, args ...string) (string, error) {
	var stdout, stderr bytes.Buffer
	c := exec.CommandContext(ctx, name, args...)
	c.Stdout, c.Stderr = &stdout, &stderr
	if err := c.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w %s", name, args[0], err, strings.Join(strings.Fields(stderr.String()), " "))
	}
	return stdout.String(), nil
}

// relabel gives a file the label that SELinux has for its place, where there is SELinux.
func relabel(path string) error {
	if _, err := exec.LookPath("restorecon"); err != nil {
		return nil
	}
	return command(context.Background(), "restorecon", path)
}
