// Package images holds the rules on container images: which version runs must
// be what Git says.
//
// It finds the images that a tree names itself: in the values of releases,
// whether they are written in one piece or as repository and tag, in plain
// workloads, and in the fields of custom kinds such as CNPG's imageName. What a
// chart would choose where the values say nothing is not the tree's to pin, and
// a value that nobody knows from the tree is no finding.
package images

import "hearth/internal/rule"

// Rules are the rules of the topic images.
var Rules = []*rule.Rule{imageLatest, imageDigest}

const topic = "images"
