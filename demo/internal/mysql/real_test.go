package mysql

import (
	"slices"
	"strings"
	"testing"
)

func TestFirstSQL(t *testing.T) {
	want := "CREATE DATABASE IF NOT EXISTS `books``demo`;\n" +
		"ALTER USER 'root'@'localhost' IDENTIFIED BY 'it\\'s \\\\ mine';\n" +
		"DROP USER IF EXISTS 'root'@'127.0.0.1', 'root'@'::1';\n" +
		"CREATE USER IF NOT EXISTS 'root'@'%' IDENTIFIED BY 'it\\'s \\\\ mine';\n" +
		"GRANT ALL PRIVILEGES ON *.* TO 'root'@'%' WITH GRANT OPTION;\n"
	if got := firstSQL(`it's \ mine`, "books`demo"); got != want {
		t.Errorf("got\n%s", got)
	}
}

func TestArguments(t *testing.T) {
	for _, test := range []struct {
		server installed
		x      bool
	}{{installed{path: "/usr/sbin/mysqld"}, true}, {installed{path: "/usr/sbin/mariadbd", mariaDB: true}, false}} {
		got := test.server.serve("/d", "/d/data", "/d/first.sql", 3307)
		if got[0] != test.server.path || got[1] != "--no-defaults" || !slices.Contains(got, "--port=3307") || !slices.Contains(got, "--init-file=/d/first.sql") {
			t.Errorf("got %q", got)
		}
		if slices.Contains(got, "--mysqlx=OFF") != test.x {
			t.Errorf("got %q", got)
		}
	}
}

func TestNothingInstalled(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if _, err := findServer(); err == nil || !strings.Contains(err.Error(), "neither mysqld nor mariadbd") {
		t.Errorf("got %v", err)
	}
}
