package testkit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Limits of the private server.
const (
	postgresStart  = time.Minute
	postgresStop   = 20 * time.Second
	longestSocket  = 100 // the kernel takes 107 characters for the path of a socket
	socketFile     = ".s.PGSQL.5432"
	postgresPrefix = "tollgate-pg-"
)

// postgresSettings names the variable whose words (shared_buffers=1GB) override
// the settings of the server: a measurement needs a larger one than tests do.
const postgresSettings = "TOLLGATE_POSTGRES_SETTINGS"

// Postgres gives the URL of a fresh, empty database on a PostgreSQL server that
// the test process starts for itself at the first call: the newest installed
// version, its data and its only door, a unix socket, in a temporary folder.
// The database goes with the test, the server with the process.
//
// The server is as durable as a real one (fsync stays on), because Tollgate
// refuses one that is not.
func Postgres(t testing.TB) string {
	t.Helper()
	s, err := server()
	if err != nil {
		t.Fatalf("a private PostgreSQL: %v", err)
	}
	name := fmt.Sprintf("t%d", s.databases.Add(1))
	if err := s.run("CREATE DATABASE " + name + " TEMPLATE template0"); err != nil {
		t.Fatalf("creating a database: %v", err)
	}
	t.Cleanup(func() {
		if err := s.run("DROP DATABASE IF EXISTS " + name + " WITH (FORCE)"); err != nil {
			t.Errorf("dropping the test's database: %v", err)
		}
	})
	return s.url(name)
}

var server = sync.OnceValues(func() (*postgres, error) {
	p := &postgres{}
	if err := shared.later(p.stop); err != nil {
		return nil, err
	}
	return p, p.start()
})

type postgres struct {
	folder    string
	bin, data string
	who       *syscall.Credential
	command   *exec.Cmd
	ended     chan struct{} // closed when the command has ended
	databases atomic.Int64
}

// PostgresServer is a server of a test's own, which it may kill.
type PostgresServer struct {
	t testing.TB
	p *postgres
}

// NewPostgresServer starts one. It ends with the test.
func NewPostgresServer(t testing.TB) *PostgresServer {
	t.Helper()
	s := &PostgresServer{t, &postgres{}}
	t.Cleanup(s.p.stop)
	if err := s.p.start(); err != nil {
		t.Fatalf("a PostgreSQL of one's own: %v", err)
	}
	return s
}

// URL is the server's database.
func (s *PostgresServer) URL() string { return s.p.url("postgres") }

// Kill ends the server by a signal: SIGKILL takes the postmaster from its
// backends, which end by themselves, and SIGQUIT is an immediate shutdown.
func (s *PostgresServer) Kill(by syscall.Signal) {
	s.t.Helper()
	if err := s.p.command.Process.Signal(by); err != nil {
		s.t.Fatalf("killing PostgreSQL: %v", err)
	}
	<-s.p.ended
}

// Restart starts the server that was killed on its data. Backends of the life
// before may hold the shared memory for a moment; until they are gone the
// server refuses to start.
func (s *PostgresServer) Restart() {
	s.t.Helper()
	deadline := time.Now().Add(postgresStart)
	for {
		err := s.p.serve()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("restarting PostgreSQL: %v", err)
		}
		time.Sleep(pause)
	}
}

func (p *postgres) url(database string) string {
	return "postgres://tollgate@/" + database + "?host=" + p.folder
}

// run carries out one statement outside any test's database.
func (p *postgres) run(statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), postgresStart)
	defer cancel()
	c, err := pgx.Connect(ctx, p.url("postgres"))
	if err != nil {
		return fmt.Errorf("connecting: %w", err)
	}
	defer func() { _ = c.Close(ctx) }()
	_, err = c.Exec(ctx, statement)
	return err
}

func (p *postgres) start() (err error) {
	if p.bin, err = newestPostgres("/usr/lib/postgresql"); err != nil {
		return err
	}
	sweepPostgres(os.TempDir())
	if p.folder, err = os.MkdirTemp("", fmt.Sprintf("%s%d-", postgresPrefix, os.Getpid())); err != nil {
		return fmt.Errorf("folder of the server: %w", err)
	}
	if len(p.folder)+1+len(socketFile) > longestSocket {
		return fmt.Errorf("%s is too long for the path of a socket; set TMPDIR to a shorter folder", p.folder)
	}
	if p.who, err = unprivileged(p.folder); err != nil {
		return err
	}
	p.data = filepath.Join(p.folder, "data")
	initdb := exec.Command(filepath.Join(p.bin, "initdb"), "--pgdata", p.data, "--username", "tollgate",
		"--auth", "trust", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync", "--no-instructions")
	initdb.Dir = p.folder
	initdb.SysProcAttr = &syscall.SysProcAttr{Credential: p.who}
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return p.serve()
}

// serve starts the postmaster as a child, not through pg_ctl: a daemon of its
// own would outlive a killed test process.
func (p *postgres) serve() error {
	args := []string{
		"-D", p.data, "-k", p.folder,
		"-c", "listen_addresses=", "-c", "max_connections=200", "-c", "shared_buffers=64MB",
		"-c", "max_wal_size=256MB", "-c", "log_min_messages=warning", "-c", "timezone=UTC",
	}
	for _, setting := range strings.Fields(os.Getenv(postgresSettings)) {
		args = append(args, "-c", setting)
	}
	p.command = exec.Command(filepath.Join(p.bin, "postgres"), args...)
	logPath := filepath.Join(p.folder, "log")
	log, err := os.Create(logPath)
	if err != nil {
		return fmt.Errorf("log of the server: %w", err)
	}
	defer func() { _ = log.Close() }()
	p.command.Stdout, p.command.Stderr = log, log
	p.command.Dir = p.folder
	p.command.SysProcAttr = &syscall.SysProcAttr{Credential: p.who}
	if err := spawn(p.command, syscall.SIGQUIT); err != nil {
		return fmt.Errorf("starting postgres: %w", err)
	}
	ended, command := make(chan struct{}), p.command
	p.ended = ended
	go func() {
		_ = command.Wait() // how it ended does not matter
		close(ended)
	}()
	deadline := time.Now().Add(postgresStart)
	for {
		err := p.run("SELECT 1")
		if err == nil {
			return nil
		}
		over := time.Now().After(deadline)
		select {
		case <-ended:
			over = true
		case <-time.After(pause):
		}
		if over {
			text, _ := os.ReadFile(logPath)
			return fmt.Errorf("postgres does not answer: %w\n%s", err, text)
		}
	}
}

// stop ends the server (SIGINT is its fast shutdown) and removes its folder.
func (p *postgres) stop() {
	if p.command != nil && p.command.Process != nil {
		_ = p.command.Process.Signal(syscall.SIGINT)
		kill := time.AfterFunc(postgresStop, func() { _ = p.command.Process.Kill() })
		if p.ended != nil {
			<-p.ended
		}
		kill.Stop()
	}
	if p.folder != "" {
		_ = os.RemoveAll(p.folder)
	}
}

// newestPostgres is the folder of the programs of the newest version installed.
func newestPostgres(root string) (string, error) {
	found, err := filepath.Glob(filepath.Join(root, "*", "bin", "initdb"))
	if err != nil {
		return "", err
	}
	version := func(path string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
		return n
	}
	slices.SortFunc(found, func(a, b string) int { return version(a) - version(b) })
	if len(found) == 0 {
		return "", fmt.Errorf("no initdb below %s: install the package postgresql", root)
	}
	return filepath.Dir(found[len(found)-1]), nil
}

// unprivileged gives the folder to the user postgres when the tests run as
// root, because PostgreSQL refuses to run as that. For anybody else it is nil:
// the server runs as the one who tests.
func unprivileged(folder string) (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("the user that PostgreSQL runs as: %w", err)
	}
	uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	if err := errors.Join(err1, err2); err != nil {
		return nil, fmt.Errorf("the numbers of the user postgres: %w", err)
	}
	if err := os.Chown(folder, int(uid), int(gid)); err != nil {
		return nil, fmt.Errorf("giving the folder to postgres: %w", err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// sweepPostgres removes the folders of test processes that were killed: their
// servers ended with them, their files stayed.
func sweepPostgres(temp string) {
	left, _ := filepath.Glob(filepath.Join(temp, postgresPrefix+"*"))
	for _, folder := range left {
		owner, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(folder), postgresPrefix), "-")
		pid, err := strconv.Atoi(owner)
		if err != nil || pid <= 0 || !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			continue
		}
		if info, err := os.Lstat(folder); err == nil && info.IsDir() && info.Mode()&fs.ModeSymlink == 0 {
			_ = os.RemoveAll(folder)
		}
	}
}
