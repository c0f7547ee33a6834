//go:build linux

package local

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"strings"

	"github.com/flomesh-io/fsmc/compiler/inject"
)

// users says who is who in a user namespace: its superuser is the user that starts it, and the others are from the
// ranges that the system has set aside for that user. The kernel lets only newuidmap and newgidmap say so.
type users struct {
	uidTool, gidTool string
	uids, gids       subordinates
}

// subordinates are a range of ids.
type subordinates struct{ first, count int }

func newUsers() (*users, error) {
	u := &users{}
	var uidErr, gidErr error
	u.uidTool, uidErr = lookUp("newuidmap")
	u.gidTool, gidErr = lookUp("newgidmap")
	if uidErr != nil || gidErr != nil {
		return nil, errors.New("an ordinary user needs newuidmap and newgidmap, so that the sidecars can be a user of their own: install uidmap (Debian, Ubuntu: apt-get install uidmap), or run it as root")
	}
	me, err := user.Current()
	if err != nil {
		return nil, err
	}
	if u.uids, err = subordinatesOf(me, "/etc/subuid"); err != nil {
		return nil, err
	}
	u.gids, err = subordinatesOf(me, "/etc/subgid")
	return u, err
}

// subordinatesOf finds a user's range in a file of lines such as anna:100000:65536.
func subordinatesOf(me *user.User, file string) (subordinates, error) {
	missing := fmt.Errorf("%s has no range of at least %d ids for user %s: add one (usermod --add-subuids 100000-165535 --add-subgids 100000-165535 %s), or run it as root",
		file, inject.SidecarUser, me.Username, me.Username)
	f, err := os.Open(file)
	if err != nil {
		return subordinates{}, missing
	}
	defer func() { _ = f.Close() }()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Split(strings.TrimSpace(lines.Text()), ":")
		if len(fields) != 3 || fields[0] != me.Username && fields[0] != me.Uid {
			continue
		}
		first, err1 := strconv.Atoi(fields[1])
		count, err2 := strconv.Atoi(fields[2])
		if err1 == nil && err2 == nil && count >= inject.SidecarUser {
			return subordinates{first, count}, nil
		}
	}
	return subordinates{}, missing
}

// apply says who is who in the user namespace of a process.
func (u *users) apply(pid int) error {
	return errors.Join(mapIDs(u.uidTool, pid, os.Getuid(), u.uids), mapIDs(u.gidTool, pid, os.Getgid(), u.gids))
}

// mapIDs makes one's own id 0, and those of the range 1 and so on.
func mapIDs(tool string, pid, own int, others subordinates) error {
	out, err := exec.Command(tool, strconv.Itoa(pid), "0", strconv.Itoa(own), "1",
		"1", strconv.Itoa(others.first), strconv.Itoa(others.count)).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", tool, err, strings.TrimSpace(string(out)))
	}
	return nil
}
