package git

import (
	"bytes"
	"crypto/rand"
	"crypto/sha512"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"golang.org/x/crypto/ssh"

	"hearth/internal/source/gittest"
)

// pgpKey returns a fresh key and its armored public part.
func pgpKey(t testing.TB) (sign gittest.Sign, public string) {
	t.Helper()
	entity, err := openpgp.NewEntity("owner", "", "owner@example.org", nil)
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	w, err := armor.Encode(&text, openpgp.PublicKeyType, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(entity.Serialize(w), w.Close()); err != nil {
		t.Fatal(err)
	}
	return func(payload []byte) string {
		var signature bytes.Buffer
		if err := openpgp.ArmoredDetachSign(&signature, entity, bytes.NewReader(payload), nil); err != nil {
			t.Fatal(err)
		}
		return signature.String() + "\n"
	}, text.String()
}

// sshKey returns a fresh key that signs for a namespace, and its public part.
func sshKey(t testing.TB, namespace string) (sign gittest.Sign, public string) {
	t.Helper()
	signer, _ := gittest.NewKey(t, "")
	return func(payload []byte) string {
		sum := sha512.Sum512(payload)
		message := append([]byte("SSHSIG"), ssh.Marshal(struct {
			Namespace, Reserved, Hash string
			Sum                       []byte
		}{namespace, "", "sha512", sum[:]})...)
		signature, err := signer.Sign(rand.Reader, message)
		if err != nil {
			t.Fatal(err)
		}
		blob := append([]byte("SSHSIG"), ssh.Marshal(struct {
			Version                   uint32
			Key                       []byte
			Namespace, Reserved, Hash string
			Signature                 []byte
		}{1, signer.PublicKey().Marshal(), namespace, "", "sha512", ssh.Marshal(signature)})...)
		return string(pem.EncodeToMemory(&pem.Block{Type: "SSH SIGNATURE", Bytes: blob}))
	}, string(ssh.MarshalAuthorizedKey(signer.PublicKey()))
}

func TestSignatures(t *testing.T) {
	signPGP, publicPGP := pgpKey(t)
	_, otherPGP := pgpKey(t)
	signSSH, publicSSH := sshKey(t, "git")
	signMail, publicMail := sshKey(t, "email")
	_, otherSSH := sshKey(t, "git")
	spoiled := func(sign gittest.Sign) gittest.Sign {
		return func(payload []byte) string { return sign(append(payload, "not what is stored"...)) }
	}
	for name, test := range map[string]struct {
		sign gittest.Sign
		keys map[string]string
		err  string
	}{
		"PGP":                       {sign: signPGP, keys: map[string]string{"owner.asc": publicPGP}},
		"PGP, of several":           {sign: signPGP, keys: map[string]string{"a.asc": otherPGP, "b.asc": publicPGP, "c.sshpub": otherSSH}},
		"PGP, of another":           {sign: signPGP, keys: map[string]string{"owner.asc": otherPGP}, err: "unable to verify"},
		"PGP, of something else":    {sign: spoiled(signPGP), keys: map[string]string{"owner.asc": publicPGP}, err: "unable to verify"},
		"PGP, but only SSH":         {sign: signPGP, keys: map[string]string{"owner.sshpub": publicSSH}, err: "unable to verify"},
		"SSH":                       {sign: signSSH, keys: map[string]string{"owner.sshpub": publicSSH}},
		"SSH, an allowed signer":    {sign: signSSH, keys: map[string]string{"allowed_signers": "# who\n" + otherSSH + "owner@example.org namespaces=\"file,git\" " + publicSSH}},
		"SSH, not a signer for Git": {sign: signSSH, keys: map[string]string{"allowed_signers": otherSSH + "owner@example.org namespaces=\"file\" " + publicSSH}, err: "unable to verify"},
		"SSH, of another":           {sign: signSSH, keys: map[string]string{"owner.sshpub": otherSSH}, err: "unable to verify"},
		"SSH, of something else":    {sign: spoiled(signSSH), keys: map[string]string{"owner.sshpub": publicSSH}, err: "unable to verify"},
		"SSH, not made for Git":     {sign: signMail, keys: map[string]string{"owner.sshpub": publicMail}, err: "not made for Git"},
		"none":                      {keys: map[string]string{"owner.asc": publicPGP}, err: "not signed"},
		"nonsense":                  {sign: func([]byte) string { return "trust me" }, keys: map[string]string{"owner.asc": publicPGP}, err: "neither of PGP nor of SSH"},
		"nonsense in armor":         {sign: func([]byte) string { return "-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----" }, keys: map[string]string{"owner.sshpub": publicSSH}, err: "cannot be read"},
		"two":                       {sign: func(p []byte) string { return signSSH(p) + "\x00gpgsig " }, keys: map[string]string{"owner.sshpub": publicSSH}, err: "cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			server := gittest.NewServer(t)
			r := gittest.NewRepository(t)
			server.Put("/home.git", r)
			commit := r.Commit(gittest.Files{"a": gittest.Text("1")}, "Signed\n\nwith a body\n", test.sign)
			tagSign := test.sign
			if name == "nonsense" {
				tagSign = nil // what is no signature is part of a tag's message
			}
			tag := r.TagObject("v1", commit, tagSign)
			r.Set("refs/tags/v1", tag)
			r.Set("refs/tags/v2", tag)
			keys := keysOf(t, test.keys)
			for ref, verify := range map[string]func(*Snapshot) (string, error){
				"commit":     func(s *Snapshot) (string, error) { return s.VerifyCommit(keys) },
				"tag":        func(s *Snapshot) (string, error) { return s.VerifyTag(keys) },
				"tag's copy": func(s *Snapshot) (string, error) { return s.VerifyTag(keys) },
			} {
				want := Ref{Tag: "v1"}
				if ref == "tag's copy" {
					want.Tag = "v2"
				}
				snapshot := fetch(t, server.HTTP()+"/home.git", want)
				key, err := verify(snapshot)
				wantErr := test.err
				if wantErr == "" && want.Tag == "v2" {
					wantErr = "the signed tag is 'v1'"
				}
				if name == "nonsense" && ref != "commit" {
					wantErr = "not signed"
				}
				if wantErr == "" && (err != nil || key == "") || wantErr != "" && (err == nil || !strings.Contains(err.Error(), wantErr)) {
					t.Errorf("%s: key %q, error %v, want %q", ref, key, err, wantErr)
				}
			}
		})
	}
}

func keysOf(t testing.TB, data map[string]string) Keys {
	t.Helper()
	raw := map[string][]byte{}
	for name, value := range data {
		raw[name] = []byte(value)
	}
	keys, err := KeysOf(raw)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func fetch(t testing.TB, url string, ref Ref) *Snapshot {
	t.Helper()
	session, err := Open(t.Context(), Remote{URL: url})
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
	t.Cleanup(func() { session.Close(); snapshot.Close() })
	return snapshot
}

func TestKeysThatAreNone(t *testing.T) {
	_, public := sshKey(t, "git")
	for name, content := range map[string]string{
		"": "", "a.asc": "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nhunter2\n", "b": "hunter2", "c.sshpub": "ssh-ed25519 hunter2",
		"d": "owner valid-before=\"20200101\" " + public,
	} {
		if _, err := KeysOf(map[string][]byte{name: []byte(content)}); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestOpenSSHsSignatures checks what ssh-keygen signs, with each kind of key.
func TestOpenSSHsSignatures(t *testing.T) {
	keygen, err := exec.LookPath("ssh-keygen")
	if err != nil {
		t.Skip("ssh-keygen is not installed: nothing of OpenSSH's signs")
	}
	for _, kind := range []string{"ed25519", "ecdsa", "rsa"} {
		dir := t.TempDir()
		run := func(args ...string) {
			t.Helper()
			if out, err := exec.Command(keygen, args...).CombinedOutput(); err != nil {
				t.Fatalf("ssh-keygen %v: %v\n%s", args, err, out)
			}
		}
		file, payload := filepath.Join(dir, "key"), filepath.Join(dir, "payload")
		run("-q", "-t", kind, "-N", "", "-f", file)
		if err := os.WriteFile(payload, []byte("tree 1\n\nhello\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		run("-q", "-Y", "sign", "-n", "git", "-f", file, payload)
		public, err := os.ReadFile(file + ".pub")
		if err != nil {
			t.Fatal(err)
		}
		signature, err := os.ReadFile(payload + ".sig")
		if err != nil {
			t.Fatal(err)
		}
		keys := keysOf(t, map[string]string{"owner.sshpub": string(public)})
		if _, err := keys.verify(signed{[]byte("tree 1\n\nhello\n"), signature}); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		if _, err := keys.verify(signed{[]byte("tree 2\n\nhello\n"), signature}); !errors.Is(err, ErrUntrusted) {
			t.Errorf("%s, of something else: %v", kind, err)
		}
	}
}

func FuzzSplit(f *testing.F) {
	f.Add([]byte("tree 1\ngpgsig -----BEGIN\n a\n \n b\nencoding x\n\nmessage\n"))
	f.Add([]byte("object 1\ntag v1\n\nmessage\n-----BEGIN SSH SIGNATURE-----\n"))
	f.Add([]byte("gpgsig a\ngpgsig-sha256 b\n c\n\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if s, err := splitTag(raw); err == nil && string(s.payload)+string(s.signature) != string(raw) {
			t.Error("a tag is not its parts")
		}
		s, err := splitCommit(raw)
		if err != nil {
			return
		}
		if bytes.HasPrefix(s.payload, []byte("gpgsig ")) || len(s.payload)+len(s.signature) > len(raw)+2 {
			t.Errorf("%q gives %q", raw, s.payload)
		}
	})
}

func FuzzSSHSignature(f *testing.F) {
	sign, public := sshKey(f, "git")
	f.Add([]byte(sign([]byte("x"))))
	f.Add([]byte("-----BEGIN SSH SIGNATURE-----\nU1NIU0lH\n-----END SSH SIGNATURE-----"))
	keys := keysOf(f, map[string]string{"a.sshpub": public})
	f.Fuzz(func(t *testing.T, armored []byte) {
		if _, err := keys.verifySSH(signed{[]byte("y"), armored}); err == nil {
			t.Error("a signature of something else is taken")
		}
	})
}

func FuzzSigners(f *testing.F) {
	_, public := sshKey(f, "git")
	f.Add("owner namespaces=\"git\" " + public)
	f.Add("ssh-ed25519 AAAA\n\"")
	f.Fuzz(func(t *testing.T, content string) {
		keys, err := parseSigners([]byte(content))
		if err == nil {
			_ = fmt.Sprint(len(keys))
		}
	})
}
