package mysql

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A Real runs the MySQL or MariaDB that is installed on this machine, with its data in a directory that is gone when it ends.
type Real struct {
	Password string
	// Database exists from the start.
	Database string
	Port     int
	// Output gets what the server says.
	Output io.Writer
	Log    *slog.Logger
}

// Run runs the server until ctx ends, and returns nil if it ended well.
func (r Real) Run(ctx context.Context) (err error) {
	server, err := findServer()
	if err != nil {
		return err
	}
	directory, err := os.MkdirTemp("", "fsm-demo-mysql-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(directory)) }()
	data, first := filepath.Join(directory, "data"), filepath.Join(directory, "first.sql")
	if err := os.WriteFile(first, []byte(firstSQL(r.Password, r.Database)), 0o600); err != nil {
		return err
	}
	prepare, err := server.prepare(data)
	if err != nil {
		return err
	}
	r.Log.Info("preparing", "command", prepare[0])
	if err := r.command(ctx, prepare).Run(); err != nil {
		return fmt.Errorf("prepare the data directory with %s: %w", prepare[0], err)
	}
	r.Log.Info("starting", "command", server.path, "port", r.Port)
	err = r.command(ctx, server.serve(directory, data, first, r.Port)).Run()
	if ctx.Err() != nil {
		return nil // It ended because it was told to.
	}
	return fmt.Errorf("run %s: %w", server.path, err)
}

// command runs something that is asked to end, and after a while made to, when ctx ends.
func (r Real) command(ctx context.Context, arguments []string) *exec.Cmd {
	command := exec.CommandContext(ctx, arguments[0], arguments[1:]...)
	command.Stdout, command.Stderr = r.Output, r.Output
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = 15 * time.Second
	return command
}

// An installed is a server on this machine.
type installed struct {
	path    string
	mariaDB bool
}

// findServer returns mysqld or mariadbd, whichever the PATH has first in this order.
func findServer() (installed, error) {
	for _, name := range []string{"mysqld", "mariadbd"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		version, err := exec.Command(path, "--no-defaults", "--version").CombinedOutput()
		if err != nil {
			return installed{}, fmt.Errorf("ask %s for its version: %w: %s", path, err, version)
		}
		return installed{path: path, mariaDB: strings.Contains(string(version), "MariaDB")}, nil
	}
	return installed{}, errors.New("neither mysqld nor mariadbd is on the PATH; --engine embedded needs none")
}

// prepare returns the command that makes the data directory.
func (i installed) prepare(data string) ([]string, error) {
	if !i.mariaDB {
		return append([]string{i.path, "--no-defaults", "--initialize-insecure", "--datadir=" + data}, asRoot()...), nil
	}
	for _, name := range []string{"mariadb-install-db", "mysql_install_db"} {
		if path, err := exec.LookPath(name); err == nil {
			return append([]string{path, "--no-defaults", "--datadir=" + data, "--auth-root-authentication-method=normal", "--skip-test-db"}, asRoot()...), nil
		}
	}
	return nil, errors.New("mariadbd is on the PATH, but mariadb-install-db is not")
}

// serve returns the command that runs the server on every address.
func (i installed) serve(directory, data, first string, port int) []string {
	arguments := []string{
		i.path, "--no-defaults", "--datadir=" + data, "--socket=" + filepath.Join(directory, "socket"), "--pid-file=" + filepath.Join(directory, "pid"),
		"--port=" + strconv.Itoa(port), "--bind-address=*", "--init-file=" + first, "--skip-name-resolve",
	}
	if !i.mariaDB {
		arguments = append(arguments, "--mysqlx=OFF")
	}
	return append(arguments, asRoot()...)
}

// asRoot allows the server to run as root, which it refuses by default: in a pod there is nobody else.
func asRoot() []string {
	if os.Geteuid() == 0 {
		return []string{"--user=root"}
	}
	return nil
}

// firstSQL is what the server does before it lets anybody in. An init file has one statement a line. MariaDB starts with users of the loopback addresses
// that need no password and come before all others; a sidecar's connections come from there.
func firstSQL(password, database string) string {
	text := "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`).Replace(password) + "'"
	name := "`" + strings.ReplaceAll(database, "`", "``") + "`"
	return strings.Join([]string{
		"CREATE DATABASE IF NOT EXISTS " + name + ";",
		"ALTER USER 'root'@'localhost' IDENTIFIED BY " + text + ";",
		"DROP USER IF EXISTS 'root'@'127.0.0.1', 'root'@'::1';",
		"CREATE USER IF NOT EXISTS 'root'@'%' IDENTIFIED BY " + text + ";",
		"GRANT ALL PRIVILEGES ON *.* TO 'root'@'%' WITH GRANT OPTION;",
		"",
	}, "\n")
}
