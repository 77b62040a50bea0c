package artifactgenerator

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/sourceignore"
	generator "github.com/fluxcd/source-watcher/api/v2/v1beta1"
	"k8s.io/apimachinery/pkg/types"

	"hearth/internal/source"
	"hearth/internal/source/compose"
)

// make stores the content of all artifacts. Nothing is published before all of
// it is there.
func (a *attempt) make(ctx context.Context, outputs []compose.Output, dirs map[string]string, sources map[string]used) ([]*meta.Artifact, error) {
	var made []source.Artifact
	for i := range outputs {
		stored, err := a.compose(ctx, &outputs[i], dirs)
		if err != nil {
			return nil, &failure{reason: meta.BuildFailedReason, err: fmt.Errorf("%s build failed: %w", outputs[i].Name, err)}
		}
		made = append(made, stored)
	}
	var artifacts []*meta.Artifact
	for i, stored := range made {
		output := outputs[i].OutputArtifact
		if s, ok := sources[strings.TrimPrefix(output.Revision, "@")]; ok {
			stored.Revision = s.artifact.Revision
		}
		artifact := a.o.Store.Artifact(stored, refOf(types.NamespacedName{Namespace: a.obj.Namespace, Name: output.Name}))
		if s, ok := sources[strings.TrimPrefix(output.OriginRevision, "@")]; ok {
			if origin := s.artifact.Metadata[generator.ArtifactOriginRevisionAnnotation]; origin != "" {
				artifact.Metadata = map[string]string{generator.ArtifactOriginRevisionAnnotation: origin}
			}
		}
		artifacts = append(artifacts, artifact)
	}
	return artifacts, nil
}

// compose stores what one artifact holds. As in Flux, Git's own files, images
// and archives are left out of it.
func (a *attempt) compose(ctx context.Context, output *compose.Output, dirs map[string]string) (source.Artifact, error) {
	dir, err := a.o.Store.WorkFolder("artifact-")
	if err != nil {
		return source.Artifact{}, err
	}
	defer os.RemoveAll(dir)
	if err := compose.Copy(ctx, output.Copy, dirs, dir); err != nil {
		return source.Artifact{}, fmt.Errorf("failed to apply copy operations: %w", err)
	}
	matcher := sourceignore.NewDefaultMatcher(nil, nil)
	return a.o.Store.PutDir(ctx, dir, source.DirOptions{
		Ignore:   func(rel string, isDir bool) bool { return matcher.Match(strings.Split(rel, "/"), isDir) },
		Revision: func(digest string) string { return "latest@" + digest },
	})
}
