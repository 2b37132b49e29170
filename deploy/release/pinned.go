package main

import (
	"debug/buildinfo"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// committed is nil when all that is in a folder is in the last commit of its repository, but for
// what the repository says to ignore; and when it is of none, as a source archive is not.
func committed(root string) error {
	changed, err := output(root, "git", "-c", "core.excludesFile=/dev/null", "status", "--porcelain", "--untracked-files=normal", "--", ".")
	if err != nil {
		if _, missing := os.Lstat(filepath.Join(root, ".git")); errors.Is(missing, fs.ErrNotExist) {
			return nil
		}
		return fmt.Errorf("git cannot say whether all is committed: %w; see: git status", err)
	}
	if changed != "" {
		return fmt.Errorf("what is not committed would be released: %s; commit it or put it away (git stash -u), or say --dirty, and the version says so", some(changed))
	}
	return nil
}

// some are the first of many lines.
func some(lines string) string {
	all := strings.Split(lines, "\n")
	text := strings.Join(all[:min(len(all), 5)], ", ")
	if len(all) > 5 {
		text += fmt.Sprintf(" and %d more", len(all)-5)
	}
	return text
}

// pinned is nil when a tool that is installed is of the version that it is pinned to, by what Go
// wrote into it; and when it is not installed, for then it is fetched at that version.
func pinned(tool string) error {
	module, want, _ := strings.Cut(tool, "@")
	path, err := exec.LookPath(filepath.Base(module))
	if err != nil {
		return nil
	}
	is := "does not say which version it is"
	if info, err := buildinfo.ReadFile(path); err == nil {
		if info.Path == module && info.Main.Version == want {
			return nil
		}
		is = "is " + info.Path + "@" + info.Main.Version
	}
	return fmt.Errorf("%s %s; %s is what a release is made with: go install %s", path, is, want, tool)
}
