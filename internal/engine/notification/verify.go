package notification

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"

	notificationv1 "github.com/fluxcd/notification-controller/api/v1"
)

// hit is what a webhook's request says once it is believed.
type hit struct {
	event  string // the forge's name for it, empty where it has none
	id     string // of the delivery, empty where the sender names none
	signed bool   // the body is signed, so that no other one can be sent in its name
}

// verifier checks that a request knows the token.
type verifier func(token []byte, header http.Header, body []byte) (hit, error)

// verifiers are the types of Receivers that Hearth serves, beside those that
// believe an issuer's token.
var verifiers = map[string]verifier{
	notificationv1.GenericReceiver:     verifyNothing,
	notificationv1.GenericHMACReceiver: verifyGenericHMAC,
	notificationv1.GitHubReceiver:      verifyGitHub,
	notificationv1.GitLabReceiver:      verifyGitLab,
	notificationv1.BitbucketReceiver:   verifyBitbucket,
	notificationv1.HarborReceiver:      verifyHarbor,
	notificationv1.DockerHubReceiver:   verifyDockerHub,
	notificationv1.QuayReceiver:        verifyQuay,
	notificationv1.ACRReceiver:         verifyACR,
	notificationv1.NexusReceiver:       verifyNexus,
	notificationv1.CDEventsReceiver:    verifyCDEvents,
}

// serves returns an error that lists what is served, unless a type is.
func serves(kind string) error {
	known := slices.Sorted(maps.Keys(verifiers))
	known = append(known, notificationv1.GenericOIDCReceiver)
	if slices.Contains(known, kind) {
		return nil
	}
	return fmt.Errorf("Receivers of the type %q are not served: use one of %s", kind, strings.Join(known, ", "))
}

// verify checks a request for a Receiver, its event included.
func verify(spec *notificationv1.ReceiverSpec, token []byte, header http.Header, body []byte) (hit, error) {
	check, ok := verifiers[spec.Type]
	if !ok {
		return hit{}, serves(spec.Type)
	}
	if len(token) == 0 {
		return hit{}, errors.New("the Receiver's token is empty")
	}
	h, err := check(token, header, body)
	if err != nil {
		return hit{}, err
	}
	if h.event == noEvents || len(spec.Events) == 0 {
		return h, nil
	}
	for _, wanted := range spec.Events {
		if strings.EqualFold(wanted, h.event) {
			return h, nil
		}
	}
	return hit{}, fmt.Errorf("the event %q is not authorised", shorten(h.event, 128))
}

// noEvents is the event of those whose requests name none; their Receivers'
// spec.events says nothing, as with Flux.
const noEvents = ""

// unnamed is the event of a forge's request that should name one and does not.
const unnamed = "unnamed"

// verifyNothing believes who knows the path.
func verifyNothing([]byte, http.Header, []byte) (hit, error) { return hit{event: noEvents}, nil }

func verifyGenericHMAC(token []byte, header http.Header, body []byte) (hit, error) {
	if err := signature(header.Get("X-Signature"), token, body); err != nil {
		return hit{}, fmt.Errorf("unable to validate HMAC signature: %w", err)
	}
	return hit{event: noEvents, signed: true}, nil
}

// verifyGitHub checks GitHub's requests, and those of Gitea and Forgejo, which
// send GitHub's headers beside their own; older ones sign in their own only.
func verifyGitHub(token []byte, header http.Header, body []byte) (hit, error) {
	if err := hubSignature(token, header, body, "X-Gitea-Signature", "X-Forgejo-Signature", "X-Gogs-Signature"); err != nil {
		return hit{}, err
	}
	kind, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil || kind != "application/json" && kind != "application/x-www-form-urlencoded" {
		return hit{}, errors.New("the content type is neither application/json nor application/x-www-form-urlencoded")
	}
	return hit{
		event:  firstHeader(header, unnamed, "X-GitHub-Event", "X-Gitea-Event", "X-Forgejo-Event", "X-Gogs-Event"),
		id:     firstHeader(header, "", "X-GitHub-Delivery", "X-Gitea-Delivery", "X-Forgejo-Delivery", "X-Gogs-Delivery"),
		signed: true,
	}, nil
}

// verifyBitbucket checks the requests of a Bitbucket server.
func verifyBitbucket(token []byte, header http.Header, body []byte) (hit, error) {
	if err := hubSignature(token, header, body); err != nil {
		return hit{}, err
	}
	return hit{event: firstHeader(header, unnamed, "X-Event-Key"), id: header.Get("X-Request-Id"), signed: true}, nil
}

// verifyGitLab compares the token that GitLab sends.
func verifyGitLab(token []byte, header http.Header, _ []byte) (hit, error) {
	if !same(header.Get("X-Gitlab-Token"), token) {
		return hit{}, errors.New("the X-Gitlab-Token header value does not match the receiver token")
	}
	return hit{
		event: firstHeader(header, unnamed, "X-Gitlab-Event"),
		id:    firstHeader(header, "", "Idempotency-Key", "X-Gitlab-Event-UUID"),
	}, nil
}

// verifyHarbor compares the token that Harbor sends.
func verifyHarbor(token []byte, header http.Header, _ []byte) (hit, error) {
	if !same(header.Get("Authorization"), token) {
		return hit{}, errors.New("the Harbor Authorization header value does not match the receiver token")
	}
	return hit{event: noEvents}, nil
}

// verifyDockerHub believes who knows the path, and sends what Docker Hub does.
func verifyDockerHub(_ []byte, _ http.Header, body []byte) (hit, error) {
	var payload struct {
		PushData struct {
			Tag string `json:"tag"`
		} `json:"push_data"`
		Repository struct {
			URL string `json:"repo_url"`
		} `json:"repository"`
	}
	return hit{event: noEvents}, decode("DockerHub", body, &payload)
}

// verifyQuay believes who knows the path, and sends what Quay does.
func verifyQuay(_ []byte, _ http.Header, body []byte) (hit, error) {
	var payload struct {
		DockerURL   string   `json:"docker_url"`
		UpdatedTags []string `json:"updated_tags"`
	}
	return hit{event: noEvents}, decode("Quay", body, &payload)
}

// verifyACR believes who knows the path, and sends what Azure's registry does.
func verifyACR(_ []byte, _ http.Header, body []byte) (hit, error) {
	var payload struct {
		Action string `json:"action"`
		Target struct {
			Repository string `json:"repository"`
			Tag        string `json:"tag"`
		} `json:"target"`
	}
	return hit{event: noEvents}, decode("ACR", body, &payload)
}

// verifyNexus checks the signature of a Nexus repository.
func verifyNexus(token []byte, header http.Header, body []byte) (hit, error) {
	if err := hexSignature(sha1.New, header.Get("X-Nexus-Webhook-Signature"), token, body); err != nil {
		return hit{}, fmt.Errorf("invalid Nexus signature: %w", err)
	}
	var payload struct {
		Action         string `json:"action"`
		RepositoryName string `json:"repositoryName"`
	}
	return hit{event: noEvents, id: header.Get("X-Nexus-Webhook-Delivery"), signed: true}, decode("Nexus", body, &payload)
}

// decode reads the first JSON value of a body; what it says is not repeated.
func decode(sender string, body []byte, into any) error {
	if err := json.NewDecoder(bytes.NewReader(body)).Decode(into); err != nil {
		return fmt.Errorf("cannot decode %s webhook payload", sender)
	}
	return nil
}

// hubSignature checks the signature that GitHub's headers carry, the stronger
// first, or one in the other headers given, in SHA-256.
func hubSignature(token []byte, header http.Header, body []byte, others ...string) error {
	for _, name := range []string{"X-Hub-Signature-256", "X-Hub-Signature"} {
		if value := header.Get(name); value != "" {
			if err := signature(value, token, body); err != nil {
				return fmt.Errorf("the %s header is invalid: %w", name, err)
			}
			return nil
		}
	}
	for _, name := range others {
		if value := header.Get(name); value != "" {
			if err := hexSignature(sha256.New, value, token, body); err != nil {
				return fmt.Errorf("the %s header is invalid: %w", name, err)
			}
			return nil
		}
	}
	return errors.New("the signature header is missing")
}

// signature checks a signature of the form ALGORITHM=HEX.
func signature(value string, token, body []byte) error {
	algorithm, digest, found := strings.Cut(value, "=")
	if !found {
		return errors.New("the signature is missing, or not of the form ALGORITHM=HEX")
	}
	switch algorithm {
	case "sha1":
		return hexSignature(sha1.New, digest, token, body)
	case "sha256":
		return hexSignature(sha256.New, digest, token, body)
	case "sha512":
		return hexSignature(sha512.New, digest, token, body)
	}
	return errors.New("the signature's algorithm is none of sha1, sha256 and sha512")
}

// hexSignature compares in constant time.
func hexSignature(algorithm func() hash.Hash, digest string, token, body []byte) error {
	given, err := hex.DecodeString(digest)
	if err != nil {
		return errors.New("the signature is not in hexadecimal")
	}
	mac := hmac.New(algorithm, token)
	mac.Write(body)
	if !hmac.Equal(given, mac.Sum(nil)) {
		return errors.New("the signature does not match")
	}
	return nil
}

// same compares a header with the token in constant time, their lengths included.
func same(given string, token []byte) bool {
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256(token)
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// firstHeader returns the first header that is set, or else what is given.
func firstHeader(header http.Header, otherwise string, names ...string) string {
	for _, name := range names {
		if value := header.Get(name); value != "" {
			return value
		}
	}
	return otherwise
}
