package gateway

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// diskRoom bounds, in a gateway to be killed, the bytes of each of its files: to
// its spool and its sink that is a disk that is full.
const diskRoom = "TOLLGATE_TEST_GATEWAY_ROOM"

func boundDisk() error {
	room, err := strconv.ParseUint(os.Getenv(diskRoom), 10, 64)
	if err != nil {
		return nil // as much as there is
	}
	signal.Ignore(syscall.SIGXFSZ) // the write fails instead
	return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: room, Max: room})
}

// TestAFullDiskRefusesAndLosesNothing fills the disk under a gateway. What it
// answers then makes every collector keep the report; once there is room,
// exactly what was sent is counted and stored, each once.
func TestAFullDiskRefusesAndLosesNothing(t *testing.T) {
	t.Parallel()
	const n = 80
	dir, start := t.TempDir(), time.Now()
	send := func(c *child, category string, i int) int {
		at := start.Add(time.Duration(i) * time.Microsecond).UnixNano()
		body := map[string][]byte{
			"logging": fmt.Appendf(nil, "app message=\"%d %s\" %d\n", i, bytes.Repeat([]byte("x"), 2000), at),
			"metric":  fmt.Appendf(nil, "cpu,n=%d f=1 %d\n", i, at),
		}[category]
		resp, err := http.Post(c.url+"/v1/write/"+category+"?token="+token, "text/plain", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	refused := 0
	full := startChild(t, dir, diskRoom+"=120000")
	for i := range n {
		for _, category := range []string{"logging", "metric"} {
			switch status := send(full, category, i); status {
			case http.StatusOK:
			case http.StatusServiceUnavailable:
				refused++
			default:
				t.Fatalf("%s %d was answered %d", category, i, status)
			}
		}
	}
	full.kill()
	if refused == 0 || refused == 2*n {
		t.Fatalf("%d of %d reports were refused, so that this shows nothing", refused, 2*n)
	}
	c := startChild(t, dir)
	for i := range n { // a client sends again what it was refused, and what it is unsure of
		for _, category := range []string{"logging", "metric"} {
			if status := send(c, category, i); status != http.StatusOK {
				t.Fatalf("with room again, %s %d was answered %d", category, i, status)
			}
		}
	}
	_ = c.stdin.Close()
	if err := c.cmd.Wait(); err != nil {
		t.Fatalf("the gateway did not stop cleanly: %v\n%s", err, c.log)
	}
	checkOnce(t, dir, n)
}
