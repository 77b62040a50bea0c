package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"
	"github.com/go-git/go-git/v5/storage/filesystem"
)

// Snapshot is a commit with all it holds, in a folder of its own.
type Snapshot struct {
	// Target is what was fetched.
	Target Target

	dir     string
	storage *filesystem.Storage
	commit  *object.Commit
	session *Session
}

// Fetch gets what a target holds, into a new folder below dir. The history
// comes with it only where a commit was asked for that is not the last of its
// branch, or where the server knows no other way. A session fetches once.
func (s *Session) Fetch(ctx context.Context, t Target, dir string) (*Snapshot, error) {
	snapshot, err := s.fetch(ctx, t, dir)
	if err != nil {
		return nil, fmt.Errorf("unable to clone '%s': %w", shown(s.url), because(ctx, err))
	}
	return snapshot, nil
}

func (s *Session) fetch(ctx context.Context, t Target, dir string) (*Snapshot, error) {
	want := []plumbing.Hash{t.Commit}
	shallow := true
	switch {
	case t.Tag != plumbing.ZeroHash:
		want = []plumbing.Hash{t.Tag}
	case t.pinned:
		want, shallow = s.leading(t)
	}
	return s.get(ctx, t, want, shallow, dir)
}

// get asks for objects and keeps them.
func (s *Session) get(ctx context.Context, t Target, want []plumbing.Hash, shallow bool, dir string) (*Snapshot, error) {
	if s.used {
		return nil, errors.New("a session fetches once")
	}
	s.used = true
	if len(want) == 0 {
		return nil, ErrEmpty
	}
	own, err := os.MkdirTemp(dir, "objects-")
	if err != nil {
		return nil, err
	}
	request, err := s.request(want, shallow)
	if err != nil {
		return nil, err
	}
	var body bytes.Buffer
	if err := errors.Join(request.UploadRequest.Encode(&body), pktline.NewEncoder(&body).Encodef("done\n")); err != nil {
		return nil, err
	}
	stream, err := s.conn.uploadPack(ctx, body.Bytes())
	if err != nil {
		return nil, err
	}
	defer stream.Close()
	pack, err := packOf(request, stream)
	if err != nil {
		return nil, err
	}
	storage, err := receive(ctx, pack, own)
	if err != nil {
		return nil, said(err)
	}
	// A server that does not say what its tags lead to shows it now.
	if tag, err := object.GetTag(storage, t.Commit); err == nil && tag.TargetType == plumbing.CommitObject {
		t.Tag, t.Commit = t.Commit, tag.Target
	}
	commit, err := object.GetCommit(storage, t.Commit)
	if err != nil {
		return nil, fmt.Errorf("unable to resolve commit object for '%s': %w", t.Commit, err)
	}
	return &Snapshot{Target: t, dir: own, storage: storage, commit: commit, session: s}, nil
}

func (s *Session) request(want []plumbing.Hash, shallow bool) (*packp.UploadPackRequest, error) {
	request := packp.NewUploadPackRequestFromCapabilities(s.refs.Capabilities)
	request.Capabilities.Delete(capability.ThinPack) // there is nothing here to be thin against
	request.Wants = want
	if s.refs.Capabilities.Supports(capability.NoProgress) {
		if err := request.Capabilities.Set(capability.NoProgress); err != nil {
			return nil, err
		}
	}
	if shallow && s.refs.Capabilities.Supports(capability.Shallow) {
		request.Depth = packp.DepthCommits(1)
		if err := request.Capabilities.Set(capability.Shallow); err != nil {
			return nil, err
		}
	}
	return request, nil
}

// packOf reads an answer up to its pack.
func packOf(request *packp.UploadPackRequest, stream readCloser) (io.Reader, error) {
	response := packp.NewUploadPackResponse(request)
	if err := response.Decode(stream); err != nil {
		return nil, said(err)
	}
	switch {
	case request.Capabilities.Supports(capability.Sideband64k):
		return sideband.NewDemuxer(sideband.Sideband64k, response), nil
	case request.Capabilities.Supports(capability.Sideband):
		return sideband.NewDemuxer(sideband.Sideband, response), nil
	}
	return response, nil
}

// said makes what a server refuses with legible.
func said(err error) error {
	var line *pktline.ErrorLine
	if errors.As(err, &line) {
		return fmt.Errorf("the server says: %s", legible(line.Text))
	}
	return errors.New(legible(err.Error()))
}

// Subject returns the first line of the commit's message, shortened.
func (s *Snapshot) Subject() string {
	subject, _, _ := bytes.Cut([]byte(s.commit.Message), []byte("\n"))
	if runes := []rune(legible(string(subject))); len(runes) > 50 {
		return string(runes[:50]) + "…"
	}
	return legible(string(subject))
}

// Close removes the snapshot's objects.
func (s *Snapshot) Close() error {
	return errors.Join(s.storage.Close(), os.RemoveAll(s.dir))
}
