package main

import (
	"errors"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/google/go-cmp/cmp"
)

func exitCode(err error) string {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return "0"
	case errors.As(err, &exit):
		return strconv.Itoa(exit.ExitCode())
	}
	return err.Error()
}

func octal(mode fs.FileMode) string { return strconv.FormatUint(uint64(mode), 8) }

// compareFiles compares the files of a folder with a list, in which the hashes of classes are left out.
func compareFiles(folder string, want []string) string {
	var got []string
	err := filepath.WalkDir(folder, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(folder, file)
		parts := strings.Split(filepath.ToSlash(name), "/")
		for i := range parts {
			parts[i], _, _ = strings.Cut(parts[i], "~")
		}
		got = append(got, strings.Join(parts, "/"))
		return err
	})
	if err != nil {
		return err.Error()
	}
	slices.Sort(got)
	slices.Sort(want)
	return cmp.Diff(want, got)
}
