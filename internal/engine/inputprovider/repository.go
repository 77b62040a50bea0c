package inputprovider

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"hearth/internal/render/resourceset"
)

// found is one branch, tag, request or environment of a repository.
type found struct {
	ID     string   `json:"id"`
	SHA    string   `json:"sha"`
	Branch string   `json:"branch,omitempty"`
	Tag    string   `json:"tag,omitempty"`
	Author string   `json:"author,omitempty"`
	Title  string   `json:"title,omitempty"`
	Slug   string   `json:"slug,omitempty"`
	Labels []string `json:"labels,omitempty"`
}

// forge lists what a repository has. Each list hands over one after the other
// until it gets errDone.
type forge interface {
	branches(ctx context.Context, each func(found) error) error
	tags(ctx context.Context, each func(found) error) error
	requests(ctx context.Context, each func(found) error) error
	environments(ctx context.Context, f *filter, each func(found) error) error
}

// forges are made by the beginning of a provider's type.
var forges = []struct {
	prefix string
	open   func(ctx context.Context, c *connection) (forge, error)
}{
	{"GitHub", openGitHub}, {"GitLab", openGitLab}, {"Gitea", openGitea}, {"AzureDevOps", openAzure},
}

// repository lists what a repository of a forge has.
func (w *walk) repository(ctx context.Context, c *connection, f *filter) ([]map[string]any, error) {
	kind := w.Object.Spec.Type
	for _, each := range forges {
		if what, ok := strings.CutPrefix(kind, each.prefix); ok {
			opened, err := each.open(ctx, c)
			if err != nil {
				return nil, fmt.Errorf("failed to create Git provider: %w", err)
			}
			all, err := list(ctx, opened, what, f)
			if err != nil {
				return nil, fmt.Errorf("failed to call Git provider: %w", err)
			}
			return w.keepSkipped(all)
		}
	}
	return nil, fmt.Errorf("unsupported type: %s", kind)
}

// list lists what counts, in the order in which the forge has it, but for tags.
func list(ctx context.Context, from forge, what string, f *filter) (all []found, err error) {
	collect := func(one found) error {
		name := one.Branch
		if what == "Environment" {
			name = one.Title
		}
		if !f.admits(name) || !f.labelled(one.Labels) {
			return nil
		}
		if all = append(all, one); len(all) == f.limit {
			return errDone
		}
		return nil
	}
	switch what {
	case "Branch":
		f.labels = nil
		err = from.branches(ctx, collect)
	case "PullRequest", "MergeRequest":
		err = from.requests(ctx, collect)
	case "Environment":
		f.labels = nil
		err = from.environments(ctx, f, collect)
	case "Tag":
		err = from.tags(ctx, func(one found) error {
			all = append(all, one)
			return nil
		})
		all = newest(f, all, func(one found) string { return one.Tag })
	}
	if err != nil {
		return nil, fmt.Errorf("failed to list what it has: %w", err)
	}
	return all, nil
}

// keepSkipped lets requests with certain labels keep the inputs they had, or
// have none where they are new.
func (w *walk) keepSkipped(all []found) ([]map[string]any, error) {
	before := map[string]found{}
	for _, input := range w.Object.Status.ExportedInputs {
		data, err := json.Marshal(input)
		if err != nil {
			return nil, err
		}
		var one found
		if err := json.Unmarshal(data, &one); err != nil {
			continue // of another type than now
		}
		before[one.ID] = one
	}
	var sets []map[string]any
	for _, one := range all {
		if w.skips(one.Labels) {
			old, known := before[one.ID]
			if !known {
				continue
			}
			one = old
		}
		sets = append(sets, one.inputs())
	}
	return sets, nil
}

func (w *walk) skips(labels []string) bool {
	if w.Object.Spec.Skip == nil {
		return false
	}
	return slices.ContainsFunc(w.Object.Spec.Skip.Labels, func(label string) bool {
		lacking, negated := strings.CutPrefix(label, "!")
		return negated && !slices.Contains(labels, lacking) || !negated && slices.Contains(labels, label)
	})
}

func (one found) inputs() map[string]any {
	set := map[string]any{"id": one.ID, "sha": one.SHA}
	for name, value := range map[string]string{"branch": one.Branch, "tag": one.Tag, "author": one.Author, "title": one.Title, "slug": one.Slug} {
		if value != "" {
			set[name] = value
		}
	}
	if len(one.Labels) > 0 {
		set["labels"] = one.Labels
	}
	return set
}

func branchFound(name, sha string) found {
	return found{ID: resourceset.ID(name), SHA: sha, Branch: name}
}

func tagFound(name, sha string) found { return found{ID: resourceset.ID(name), SHA: sha, Tag: name} }
