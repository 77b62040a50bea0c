package gittest

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// NewKey returns a fresh key, and its private part as OpenSSH writes it,
// encrypted where a password is given.
func NewKey(t testing.TB, password string) (signer ssh.Signer, identity []byte) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var block *pem.Block
	if password == "" {
		block, err = ssh.MarshalPrivateKey(private, "")
	} else {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(private, "", []byte(password))
	}
	if err != nil {
		t.Fatal(err)
	}
	signer, err = ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer, pem.EncodeToMemory(block)
}

// SSH serves over ssh until the test ends, to whoever has a key, and returns
// the URL and the line for known_hosts.
func (s *Server) SSH(accept ssh.PublicKey) (url, knownHosts string) {
	s.t.Helper()
	host, _ := NewKey(s.t, "")
	config := &ssh.ServerConfig{PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		if string(key.Marshal()) != string(accept.Marshal()) {
			return nil, errors.New("unknown key")
		}
		return nil, nil
	}}
	config.AddHostKey(host)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go s.serveSSH(conn, config)
		}
	}()
	address := listener.Addr().String()
	return "ssh://git@" + address, knownhosts.Line([]string{address}, host.PublicKey())
}

func (s *Server) serveSSH(conn net.Conn, config *ssh.ServerConfig) {
	defer conn.Close()
	_, channels, requests, err := ssh.NewServerConn(conn, config)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	for channel := range channels {
		if channel.ChannelType() != "session" {
			_ = channel.Reject(ssh.UnknownChannelType, "sessions only")
			continue
		}
		accepted, requests, err := channel.Accept()
		if err != nil {
			return
		}
		go s.serveSession(accepted, requests)
	}
}

func (s *Server) serveSession(channel ssh.Channel, requests <-chan *ssh.Request) {
	defer channel.Close()
	for request := range requests {
		var command struct{ Text string }
		if request.Type != "exec" || ssh.Unmarshal(request.Payload, &command) != nil {
			_ = request.Reply(false, nil)
			continue
		}
		_ = request.Reply(true, nil)
		status := uint32(0)
		if err := s.exec(channel, command.Text); err != nil {
			status = 128
			fmt.Fprintf(channel.Stderr(), "fatal: %v\n", err)
		}
		_, _ = channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{status}))
		return
	}
}

func (s *Server) exec(channel io.ReadWriter, command string) error {
	path, ok := strings.CutPrefix(command, "git-upload-pack ")
	if !ok {
		return fmt.Errorf("%q is no command", command)
	}
	if s.Program != nil {
		program := s.Program(strings.Trim(path, "'"))
		program.Stdout = channel
		stdin, err := program.StdinPipe() // which does not have to end before the program does
		if err != nil {
			return err
		}
		go func() {
			_, _ = io.Copy(stdin, channel)
			stdin.Close()
		}()
		return program.Run()
	}
	repository := s.repository(strings.Trim(path, "'"))
	if repository == nil {
		return errors.New("the repository does not exist")
	}
	if err := s.list(channel, repository, nil); err != nil {
		return err
	}
	return s.pack(channel, channel, repository)
}
