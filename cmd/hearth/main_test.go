package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"hearth": func() { os.Exit(run()) },
	})
}

// TestScripts runs the verbs' manuals: testdata/*.txtar.
func TestScripts(t *testing.T) {
	example, err := filepath.Abs("../../examples/homelab")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"eventually": eventually,
			"mode":       mode,
			"receive":    receive,
			"scrape":     scrape,
		},
		Setup: func(env *testscript.Env) error {
			env.Setenv("EXAMPLE", example)
			env.Setenv("XDG_CACHE_HOME", filepath.Join(env.WorkDir, ".cache"))
			return nil
		},
	})
}

// patience is how long eventually goes on trying.
const patience = 90 * time.Second

// eventually runs a command again and again until its standard output matches:
// eventually REGEXP COMMAND ARG...
func eventually(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: eventually REGEXP COMMAND ARG...")
	}
	want, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	var output string
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(250 * time.Millisecond) {
		// A command that fails may succeed later: there may be no up yet.
		err = ts.Exec(args[1], args[2:]...)
		output = ts.ReadFile("stdout")
		if err == nil && want.MatchString(output) {
			return
		}
	}
	ts.Fatalf("%v never printed %q within %s; the last output was (%v):\n%s", args[1:], args[0], patience, err, output)
}

// mode checks a file's permissions: mode FILE OCTAL.
func mode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: mode FILE OCTAL")
	}
	want, err := strconv.ParseUint(args[1], 8, 32)
	ts.Check(err)
	info, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	if got := uint64(info.Mode().Perm()); got != want {
		ts.Fatalf("%s", fmt.Sprintf("%s has mode %04o, want %04o", args[0], got, want))
	}
}
