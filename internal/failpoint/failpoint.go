// Package failpoint kills the process where a test asks for it: before and
// after each commit of the store and each call to the outside.
//
// It owns the names of the points and the dying. It does not own what is found
// after a death. Always true: unless the environment of the process names a
// point, a point is one comparison and does nothing; and what it does when it
// is named is what kill -9 does, so that it gives nobody anything who could not
// kill the process anyway.
package failpoint

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
)

// Variable is the environment variable that names the point to die at:
// "store.Write.bill.Books.begin.before". "record:FILE" writes the name of each
// point to the file when it is passed for the first time, and kills nobody.
const Variable = "TOLLGATE_FAILPOINT"

const recording = "record:"

// armed is read once: what sets the variable later arms nothing.
var armed = os.Getenv(Variable)

var seen struct {
	sync.Mutex
	names map[string]bool
}

// On reports whether points do anything in this process.
func On() bool { return armed != "" }

// Here is the point of a name.
func Here(name string) {
	if armed == "" {
		return
	}
	if path, ok := strings.CutPrefix(armed, recording); ok {
		record(path, name)
		return
	}
	if name == armed {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // the signal is on its way
	}
}

// Around is a call to the outside, with a point before it and one after it has
// succeeded.
func Around(name string, call func() error) error {
	Here(name + ".before")
	err := call()
	if err == nil {
		Here(name + ".after")
	}
	return err
}

func record(path, name string) {
	seen.Lock()
	defer seen.Unlock()
	if seen.names[name] {
		return
	}
	if seen.names == nil {
		seen.names = map[string]bool{}
	}
	seen.names[name] = true
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = fmt.Fprintln(f, name)
		_ = f.Close()
	}
	if err != nil {
		panic("failpoint: the names cannot be recorded: " + err.Error())
	}
}

// module begins the name of every function of ours.
const module = "tollgate.dev/internal/"

// Caller names the function that called into the given package, as
// "bill.Books.begin": the nearest one that is neither of that package nor a
// closure of the wiring. It walks the stack, so ask On before.
func Caller(of string) string {
	pcs := make([]uintptr, 32)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	for {
		f, more := frames.Next()
		name, ours := strings.CutPrefix(f.Function, module)
		wiring := strings.HasPrefix(name, "app.") && strings.Contains(name, ".func")
		if ours && !wiring && !strings.HasPrefix(name, of+".") && !strings.HasPrefix(name, of+"/") {
			return short(name)
		}
		if !more {
			return "unknown"
		}
	}
}

// short drops from a function's name what says nothing to a reader: the
// pointer of its receiver, and which of its closures it is.
func short(name string) string {
	name, _, _ = strings.Cut(name, ".func")
	name, _, _ = strings.Cut(name, "-fm")
	return strings.NewReplacer("(*", "", ")", "").Replace(name)
}
