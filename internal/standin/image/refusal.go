package image

import (
	"fmt"

	"hearth/internal/domain"
)

// Refused returns in a container runtime's words why the registry does not
// give the image, by the faults that are on; nil means that it does.
func (r Reference) Refused(faults *domain.Faults) error {
	switch {
	case faults.On(domain.FaultRegistryDown, r.Registry, r.host()):
		return r.failed("Unknown", fmt.Sprintf("failed to do request: Head %q: net/http: TLS handshake timeout", r.manifest()))
	case faults.On(domain.FaultRegistryRateLimited, r.Registry, r.host()):
		return r.failed("Unknown", fmt.Sprintf("unexpected status from HEAD request to %s: 429 Too Many Requests", r.manifest()))
	case faults.On(domain.FaultImageMissing, r.Names()...):
		return r.Missing()
	case faults.On(domain.FaultImageRefused, r.Names()...):
		return r.Denied()
	case faults.On(domain.FaultImagePlatform, r.Names()...):
		return r.OtherPlatform()
	}
	return nil
}

// Missing is the error of an image that its registry does not have.
func (r Reference) Missing() error { return r.failed("NotFound", r.String()+": not found") }

// Denied is the error of an image that the registry does not give to anybody
// without credentials. Many registries say so, too, of what they do not have.
func (r Reference) Denied() error {
	return r.failed("Unknown", "pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials")
}

// OtherPlatform is the error of an image that is not made for the node.
func (r Reference) OtherPlatform() error {
	return fmt.Errorf("rpc error: code = NotFound desc = failed to pull and unpack image %q: no match for platform in manifest: not found", r.String())
}

func (r Reference) failed(code, why string) error {
	return fmt.Errorf("rpc error: code = %s desc = failed to pull and unpack image %q: failed to resolve reference %q: %s", code, r.String(), r.String(), why)
}
