package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
)

// startProfile writes a CPU profile of this process into folder until the returned function is called, and then what is
// on the heap. An empty folder: nothing is profiled. name tells the processes of one run apart.
func startProfile(folder, name string) (stop func() error, err error) {
	if folder == "" {
		return func() error { return nil }, nil
	}
	cpu, err := os.Create(filepath.Join(folder, name+".cpu.pprof"))
	if err != nil {
		return nil, fmt.Errorf("profile: %w", err)
	}
	if err := pprof.StartCPUProfile(cpu); err != nil {
		_ = cpu.Close()
		return nil, fmt.Errorf("profile: %w", err)
	}
	return func() error {
		pprof.StopCPUProfile()
		return cpu.Close()
	}, nil
}

// snapHeap writes what is on the heap now, and every goroutine's stack, into folder, if there is one.
func snapHeap(folder, name string) error {
	if folder == "" {
		return nil
	}
	runtime.GC()
	for _, kind := range []string{"heap", "goroutine"} {
		f, err := os.Create(filepath.Join(folder, name+"."+kind+".pprof"))
		if err != nil {
			return fmt.Errorf("profile: %w", err)
		}
		err = pprof.Lookup(kind).WriteTo(f, 1) // as text: it ends with the runtime's own figures
		if closed := f.Close(); err == nil {
			err = closed
		}
		if err != nil {
			return fmt.Errorf("profile: %w", err)
		}
	}
	return nil
}
