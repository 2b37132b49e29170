package setup

import (
	"path/filepath"
	"regexp"
	"strings"

	"github.com/ontschot/ontschot/deploy/systemd"
)

// UnitFile is what the unit of systemd is called, in the folder and by systemctl.
const UnitFile = "ontschot.service"

// Where a unit looks for the program, and as whom it runs, where init does not know better.
const (
	usualProgram = "/usr/local/bin/ontschot"
	UsualUser    = "ontschot"
)

// Hidden reports whether a unit does not see a path: homes and folders for temporary files are
// kept from it.
func Hidden(path string) bool {
	for _, above := range []string{"/home", "/root", "/run/user", "/tmp", "/var/tmp"} {
		if strings.HasPrefix(path+"/", above+"/") {
			return true
		}
	}
	return false
}

// plainUser is a name that systemd takes for a user.
var plainUser = regexp.MustCompile(`^[a-z_][a-z0-9_-]*$`)

// plainPath is a path that systemd reads as it is: without what separates or stands for
// something in a unit.
var plainPath = regexp.MustCompile(`^/[A-Za-z0-9._/+@-]*$`)

// unit is the unit of the packages for this folder alone; nil where its path is one that a unit
// cannot name. What locks the gateway is the same, line by line.
func (o Organisation) unit() []byte {
	dir, err := filepath.Abs(o.Dir)
	program := o.Program
	if !plainPath.MatchString(program) || Hidden(program) {
		program = usualProgram
	}
	user := o.User
	if !plainUser.MatchString(user) {
		user = UsualUser
	}
	if err != nil || !plainPath.MatchString(dir) {
		return nil
	}
	return []byte(strings.NewReplacer(
		"file:///usr/share/doc/ontschot/operating.md", "https://github.com/ontschot/ontschot",
		"/usr/bin/ontschot", program,
		"# A user of its own, without a password or a shell.", "# Whose the files of the folder are: a user without rights of their own, and never root.",
		"User=ontschot\nGroup=ontschot\n", "User="+user+"\n",
		"StateDirectory=ontschot\nStateDirectoryMode=0700\nWorkingDirectory=/var/lib/ontschot\n", "ReadWritePaths="+filepath.Join(dir, "data")+"\nWorkingDirectory="+dir+"\n",
		"/etc/ontschot", dir,
		"What is in the folder of keys, which root alone reads,", "What is in the folder of keys, which may then be root's alone,",
		"is then\n", "may then be\n",
	).Replace(systemd.Unit))
}
