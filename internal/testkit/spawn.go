package testkit

import (
	"os/exec"
	"runtime"
	"sync"
	"syscall"
)

// The kernel can signal a child when its parent dies, but takes for the parent
// the thread that made it. So all children are started by one goroutine that
// keeps its thread for as long as the test process lives.
var spawner = sync.OnceValue(func() chan<- spawning {
	requests := make(chan spawning)
	go func() {
		runtime.LockOSThread()
		for r := range requests {
			r.done <- r.command.Start()
		}
	}()
	return requests
})

type spawning struct {
	command *exec.Cmd
	done    chan error
}

// spawn starts the command in a process group of its own, with the signal that
// it gets when the test process dies, even by kill -9.
func spawn(command *exec.Cmd, orphaned syscall.Signal) error {
	if command.SysProcAttr == nil {
		command.SysProcAttr = &syscall.SysProcAttr{}
	}
	command.SysProcAttr.Setpgid = true
	command.SysProcAttr.Pdeathsig = orphaned
	done := make(chan error, 1)
	spawner() <- spawning{command, done}
	return <-done
}
