package git

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"

	"hearth/internal/source/guard"
)

var (
	// ErrNotFound says that there is no repository, or none that is shown to
	// these credentials.
	ErrNotFound = errors.New("repository not found")
	// ErrEmpty says that the repository has no commit.
	ErrEmpty = errors.New("git repository is empty")
)

// maxAdvertisement bounds what a server says it has: some 100,000 references.
const maxAdvertisement = 64 << 20

// Session is one visit to a repository. It is used by one goroutine, and
// closed in the end.
type Session struct {
	remote Remote
	url    *url.URL
	guard  *guard.Guard
	conn   connection
	refs   *packp.AdvRefs
	used   bool
}

// Open connects to a repository and learns what it has. The error is ErrURL,
// ErrRefused, ErrNotFound or ErrEmpty where that is the cause; none cites
// credentials.
func Open(ctx context.Context, remote Remote) (*Session, error) {
	u, err := parseURL(remote.URL)
	if err != nil {
		return nil, err
	}
	return open(ctx, u, remote, guard.New(u, remote.RefusePrivate))
}

func open(ctx context.Context, u *url.URL, remote Remote, g *guard.Guard) (*Session, error) {
	s := &Session{remote: remote, url: u, guard: g}
	if err := s.connect(ctx); err != nil {
		return nil, fmt.Errorf("unable to reach '%s': %w", shown(u), because(ctx, err))
	}
	return s, nil
}

// connect opens a connection and reads what is advertised.
func (s *Session) connect(ctx context.Context) (err error) {
	if s.url.Scheme == "ssh" {
		var conn *sshConnection
		if conn, err = openSSH(ctx, s.url, s.remote, s.guard); err != nil {
			return err
		}
		s.conn = conn
	} else {
		var conn *httpConnection
		if conn, err = openHTTP(s.url, s.remote, s.guard); err != nil {
			return err
		}
		s.conn = conn
	}
	if s.refs, err = s.advertised(ctx); err != nil {
		s.conn.Close()
	}
	return err
}

func (s *Session) advertised(ctx context.Context) (*packp.AdvRefs, error) {
	stream, err := s.conn.advertise(ctx)
	if err != nil {
		return nil, err
	}
	if s.url.Scheme != "ssh" {
		defer stream.Close()
	}
	refs, err := readAdvertisement(stream)
	if err != nil {
		return nil, err
	}
	if len(refs.References) == 0 && refs.Head == nil {
		return nil, ErrEmpty
	}
	return refs, nil
}

func readAdvertisement(r io.Reader) (*packp.AdvRefs, error) {
	refs := packp.NewAdvRefs()
	limited := &io.LimitedReader{R: r, N: maxAdvertisement}
	err := refs.Decode(limited)
	var line *pktline.ErrorLine
	var unexpected *packp.ErrUnexpectedData
	switch {
	case err == nil:
		return refs, nil
	case errors.Is(err, packp.ErrEmptyAdvRefs):
		return nil, ErrEmpty
	case limited.N <= 0:
		return nil, fmt.Errorf("the server lists more than %d MiB of references", maxAdvertisement>>20)
	case errors.As(err, &line):
		return nil, fmt.Errorf("the server says: %s", legible(line.Text))
	case errors.As(err, &unexpected), errors.Is(err, pktline.ErrInvalidPktLen), errors.Is(err, packp.ErrEmptyInput):
		return nil, errors.New("what answers is no Git repository of the smart protocol")
	}
	return nil, err
}

// Close ends the visit.
func (s *Session) Close() error { return s.conn.Close() }

// reference returns what a reference points at, and the commit behind a tag
// object if it points at one.
func (s *Session) reference(name plumbing.ReferenceName) (object, peeled plumbing.Hash, ok bool) {
	if object, ok = s.refs.References[string(name)]; !ok {
		return object, peeled, false
	}
	if peeled, tagged := s.refs.Peeled[string(name)]; tagged {
		return object, peeled, true
	}
	return object, object, true
}
