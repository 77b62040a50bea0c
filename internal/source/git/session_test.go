package git

import (
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hearth/internal/source/gittest"
)

// homelab serves a repository with some history, and returns its commits, the
// oldest first.
func homelab(t testing.TB, server *gittest.Server) (r *gittest.Repository, commits []string) {
	t.Helper()
	r = gittest.NewRepository(t)
	files := gittest.Files{"README.md": gittest.Text("hello"), "apps/a.yaml": gittest.Text("x"), "other/run.sh": gittest.Program("#!/bin/sh\n")}
	for _, content := range []string{"x", "xx", "xxx"} {
		files["apps/a.yaml"] = gittest.Text(content)
		var parents []string
		if len(commits) > 0 {
			parents = commits[len(commits)-1:]
		}
		commits = append(commits, r.Commit(files, "Say "+content+"\n\nAt length.", nil, parents...))
	}
	r.Set("refs/heads/main", commits[2])
	r.Set("refs/heads/old/one", commits[0])
	r.Set("refs/tags/v1.0.0", commits[0])
	r.Set("refs/tags/v1.4.0", r.TagObject("v1.4.0", commits[1], nil))
	r.Set("refs/tags/v2.0.0-rc.1", commits[2])
	r.Set("refs/tags/unversioned", commits[2])
	r.Set("refs/pull/420/head", commits[1])
	server.Put("/home.git", r)
	return r, commits
}

// clone does what a source does: it opens, resolves, fetches and writes.
func clone(t testing.TB, remote Remote, ref Ref, o CheckoutOptions) (revision string, files map[string]string, err error) {
	t.Helper()
	session, err := Open(t.Context(), remote)
	if err != nil {
		return "", nil, err
	}
	defer session.Close()
	target, err := session.Resolve(ref)
	if err != nil {
		return "", nil, err
	}
	snapshot, err := session.Fetch(t.Context(), target, t.TempDir())
	if err != nil {
		return "", nil, err
	}
	defer snapshot.Close()
	dir := t.TempDir()
	if err := snapshot.Checkout(t.Context(), dir, o); err != nil {
		return "", nil, err
	}
	return snapshot.Target.Revision(), read(t, dir), nil
}

func read(t testing.TB, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if !entry.Type().IsRegular() {
			t.Errorf("%s is %v", name, entry.Type())
			return nil
		}
		content, err := os.ReadFile(filepath.Join(dir, name))
		files[name] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestReferences(t *testing.T) {
	server := gittest.NewServer(t)
	_, commits := homelab(t, server)
	url := server.HTTP()
	for name, test := range map[string]struct {
		ref     Ref
		want    string
		content string
		err     string
	}{
		"a branch":                  {ref: Ref{Branch: "main"}, want: "main@sha1:" + commits[2], content: "xxx"},
		"a branch with a slash":     {ref: Ref{Branch: "old/one"}, want: "old/one@sha1:" + commits[0], content: "x"},
		"a tag":                     {ref: Ref{Tag: "v1.0.0"}, want: "v1.0.0@sha1:" + commits[0], content: "x"},
		"an annotated tag":          {ref: Ref{Tag: "v1.4.0"}, want: "v1.4.0@sha1:" + commits[1], content: "xx"},
		"a tag before a branch":     {ref: Ref{Tag: "v1.0.0", Branch: "main"}, want: "v1.0.0@sha1:" + commits[0], content: "x"},
		"a range":                   {ref: Ref{SemVer: ">=1.0.0"}, want: "v1.4.0@sha1:" + commits[1], content: "xx"},
		"a range of candidates":     {ref: Ref{SemVer: ">=1.0.0-0"}, want: "v2.0.0-rc.1@sha1:" + commits[2], content: "xxx"},
		"a name":                    {ref: Ref{Name: "refs/pull/420/head"}, want: "refs/pull/420/head@sha1:" + commits[1], content: "xx"},
		"a name of a tag":           {ref: Ref{Name: "refs/tags/v1.4.0", Branch: "main"}, want: "refs/tags/v1.4.0@sha1:" + commits[1], content: "xx"},
		"a commit":                  {ref: Ref{Commit: commits[1]}, want: "sha1:" + commits[1], content: "xx"},
		"the last commit":           {ref: Ref{Commit: commits[2]}, want: "sha1:" + commits[2], content: "xxx"},
		"a branch's commit":         {ref: Ref{Branch: "main", Commit: commits[0]}, want: "main@sha1:" + commits[0], content: "x"},
		"a commit, upper case":      {ref: Ref{Branch: "main", Commit: strings.ToUpper(commits[2])}, want: "main@sha1:" + commits[2], content: "xxx"},
		"not on that branch":        {ref: Ref{Branch: "old/one", Commit: commits[2]}, err: "unable to resolve commit object for '" + commits[2]},
		"no such branch":            {ref: Ref{Branch: "none"}, err: `couldn't find remote ref "refs/heads/none"`},
		"no default branch":         {err: `couldn't find remote ref "refs/heads/master"`},
		"no such version":           {ref: Ref{SemVer: "9.x"}, err: "no match found for semver: 9.x"},
		"no range":                  {ref: Ref{SemVer: "not a range"}, err: "semver parse error"},
		"no such commit":            {ref: Ref{Commit: strings.Repeat("1", 40)}, err: "unable to resolve commit object"},
		"no commit":                 {ref: Ref{Commit: "HEAD~1"}, err: "is no commit"},
		"a commit of no one's fork": {ref: Ref{Branch: "none", Commit: commits[2]}, err: "couldn't find remote ref"},
	} {
		for _, plain := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				server.Plain = plain
				revision, files, err := clone(t, Remote{URL: url + "/home.git"}, test.ref, CheckoutOptions{})
				if test.err != "" {
					if err == nil || !strings.Contains(err.Error(), test.err) {
						t.Errorf("got %v, want %q", err, test.err)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if revision != test.want {
					t.Errorf("revision is %s, want %s", revision, test.want)
				}
				want := map[string]string{"README.md": "hello", "apps/a.yaml": test.content, "other/run.sh": "#!/bin/sh\n"}
				if diff := cmp.Diff(want, files); diff != "" {
					t.Errorf("files (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func TestTheRevisionIsKnownBeforeAnythingIsFetched(t *testing.T) {
	server := gittest.NewServer(t)
	_, commits := homelab(t, server)
	url := server.HTTP()
	for _, ref := range []Ref{{Branch: "main"}, {Tag: "v1.4.0"}, {SemVer: "1.x"}, {Name: "refs/tags/v1.4.0"}, {Branch: "main", Commit: commits[0]}} {
		session, err := Open(t.Context(), Remote{URL: url + "/home.git"})
		if err != nil {
			t.Fatal(err)
		}
		target, err := session.Resolve(ref)
		if err != nil {
			t.Fatal(err)
		}
		snapshot, err := session.Fetch(t.Context(), target, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		if target.Revision() != snapshot.Target.Revision() {
			t.Errorf("%v: %s was announced, %s came", ref, target.Revision(), snapshot.Target.Revision())
		}
		snapshot.Close()
		session.Close()
	}
	if lists, packs := server.Lists.Load(), server.Packs.Load(); lists != packs {
		t.Errorf("%d lists and %d packs were asked for", lists, packs)
	}
}

func TestSSH(t *testing.T) {
	server := gittest.NewServer(t)
	_, commits := homelab(t, server)
	signer, identity := gittest.NewKey(t, "")
	locked, lockedIdentity := gittest.NewKey(t, "opensesame")
	_, strange := gittest.NewKey(t, "")
	url, hosts := server.SSH(signer.PublicKey())
	lockedURL, lockedHosts := server.SSH(locked.PublicKey())

	for name, test := range map[string]struct {
		url  string
		data map[string]string
		err  string
	}{
		"a deploy key":            {url: url + "/home.git", data: map[string]string{"identity": string(identity), "known_hosts": hosts}},
		"a key with a password":   {url: lockedURL + "/home.git", data: map[string]string{"identity": string(lockedIdentity), "known_hosts": lockedHosts, "password": "opensesame"}},
		"a password for nothing":  {url: url + "/home.git", data: map[string]string{"identity": string(identity), "known_hosts": hosts, "password": "unneeded"}},
		"no password":             {url: lockedURL + "/home.git", data: map[string]string{"identity": string(lockedIdentity), "known_hosts": lockedHosts}, err: "no 'password' field"},
		"a wrong password":        {url: lockedURL + "/home.git", data: map[string]string{"identity": string(lockedIdentity), "known_hosts": lockedHosts, "password": "hunter2"}, err: "no private key"},
		"a stranger's key":        {url: url + "/home.git", data: map[string]string{"identity": string(strange), "known_hosts": hosts}, err: "unable to authenticate"},
		"no identity":             {url: url + "/home.git", data: map[string]string{"known_hosts": hosts}, err: "'identity' is required"},
		"no known_hosts":          {url: url + "/home.git", data: map[string]string{"identity": string(identity)}, err: "'known_hosts' is required"},
		"hosts without this one":  {url: url + "/home.git", data: map[string]string{"identity": string(identity), "known_hosts": lockedHosts}, err: "known_hosts has no key of"},
		"another host's key":      {url: url + "/home.git", data: map[string]string{"identity": string(identity), "known_hosts": strings.Fields(hosts)[0] + " " + strings.Join(strings.Fields(lockedHosts)[1:], " ")}, err: "key mismatch"},
		"garbage for known_hosts": {url: url + "/home.git", data: map[string]string{"identity": string(identity), "known_hosts": "what is this?"}, err: "known_hosts"},
		"no such repository":      {url: url + "/gone.git", data: map[string]string{"identity": string(identity), "known_hosts": hosts}, err: "repository not found"},
	} {
		t.Run(name, func(t *testing.T) {
			data := map[string][]byte{}
			for key, value := range test.data {
				data[key] = []byte(value)
			}
			credentials, err := CredentialsOf(test.url, data)
			var revision string
			var files map[string]string
			if err == nil {
				revision, files, err = clone(t, Remote{URL: test.url, Credentials: credentials}, Ref{Branch: "main"}, CheckoutOptions{})
			}
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) || strings.Contains(err.Error(), "hunter2") {
					t.Errorf("got %v, want %q", err, test.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if revision != "main@sha1:"+commits[2] || files["apps/a.yaml"] != "xxx" {
				t.Errorf("got %s and %v", revision, files)
			}
		})
	}
}

func TestHTTPCredentials(t *testing.T) {
	server := gittest.NewServer(t)
	homelab(t, server)
	server.Allow = func(r *http.Request) bool {
		user, password, _ := r.BasicAuth()
		return user == "owner" && password == "hunter2" || r.Header.Get("Authorization") == "Bearer sesame"
	}
	url := server.HTTP()
	inURL := strings.Replace(url, "http://", "http://owner:hunter2@", 1)
	for name, test := range map[string]struct {
		url  string
		data map[string]string
		err  string
	}{
		"a password":                {data: map[string]string{"username": "owner", "password": "hunter2"}},
		"a token":                   {data: map[string]string{"bearerToken": "sesame"}},
		"in the URL":                {url: inURL},
		"none":                      {err: "authentication required"},
		"a wrong password":          {data: map[string]string{"username": "owner", "password": "hunter3"}, err: "authentication required"},
		"no password":               {data: map[string]string{"username": "owner"}, err: "'password' is required"},
		"a password and a token":    {data: map[string]string{"username": "owner", "password": "hunter2", "bearerToken": "sesame"}, err: "cannot be both set"},
		"no authority":              {data: map[string]string{"ca.crt": "hunter2"}, err: "ca.crt"},
		"no certificate":            {data: map[string]string{"tls.crt": "hunter2", "tls.key": "hunter2"}, err: "tls.crt"},
		"wrong ones in the URL":     {url: strings.Replace(url, "http://", "http://owner:hunter3@", 1), err: "authentication required"},
		"a token in the URL's user": {url: strings.Replace(url, "http://", "http://hunter3@", 1), err: "authentication required"},
	} {
		t.Run(name, func(t *testing.T) {
			at := url
			if test.url != "" {
				at = test.url
			}
			data := map[string][]byte{}
			for key, value := range test.data {
				data[key] = []byte(value)
			}
			credentials, err := CredentialsOf(at, data)
			if err == nil {
				_, _, err = clone(t, Remote{URL: at + "/home.git", Credentials: credentials}, Ref{Branch: "main"}, CheckoutOptions{})
			}
			switch {
			case test.err == "" && err != nil:
				t.Error(err)
			case test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)):
				t.Errorf("got %v, want %q", err, test.err)
			case err != nil && strings.Contains(err.Error(), "hunter"):
				t.Errorf("the error holds a secret: %v", err)
			}
		})
	}
}

func TestWhatIsNoRepository(t *testing.T) {
	server := gittest.NewServer(t)
	server.Put("/empty.git", gittest.NewRepository(t))
	url := server.HTTP()
	for name, test := range map[string]struct {
		url string
		is  error
	}{
		"empty":        {url + "/empty.git", ErrEmpty},
		"gone":         {url + "/gone.git", ErrNotFound},
		"a file":       {"file:///etc", ErrURL},
		"no host":      {"https:///home.git", ErrURL},
		"unparsable":   {"https://user:hunter2@[::1", ErrURL},
		"control text": {"https://host/a%0ab", ErrURL},
	} {
		_, err := Open(t.Context(), Remote{URL: test.url})
		if !errors.Is(err, test.is) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, want %v", name, err, test.is)
		}
	}
}
