package notification

import (
	"crypto/sha256"
	"slices"
	"strings"

	notificationv1beta3 "github.com/fluxcd/notification-controller/api/v1beta3"
	eventv1 "github.com/fluxcd/pkg/apis/event/v1beta1"
)

// summaryKey is the metadata that spec.summary becomes.
const summaryKey = "summary"

// objectPrefix begins the metadata that an object's own controller sets.
func objectPrefix(event *eventv1.Event) string {
	return event.InvolvedObject.GroupVersionKind().Group + "/"
}

// clean removes what is not told to others: checksums, the token that tells
// repetitions apart, and what is of neither the event's nor the object's group.
func clean(event *eventv1.Event) {
	prefix := objectPrefix(event)
	kept := map[string]string{}
	for key, value := range event.Metadata {
		name, ofObject := strings.CutPrefix(key, prefix)
		if ofObject && (name == eventv1.MetaChecksumKey || name == eventv1.MetaDigestKey || name == eventv1.MetaTokenKey) {
			continue
		}
		if ofObject || strings.HasPrefix(key, eventv1.Group+"/") {
			kept[key] = value
		}
	}
	event.Metadata = kept
}

// combine replaces an event's metadata by what its readers see, without
// prefixes: what the object's annotations say, over it what the Alert says,
// and over all what the object's controller said. It returns the keys that
// were said more than once, sorted.
func combine(event *eventv1.Event, alert *notificationv1beta3.Alert) (conflicts []string) {
	metadata := map[string]string{}
	set := func(key, value string) {
		if _, ok := metadata[key]; ok && !slices.Contains(conflicts, key) {
			conflicts = append(conflicts, key)
		}
		metadata[key] = value
	}
	strip := func(prefix string) {
		for key, value := range event.Metadata {
			if name, ok := strings.CutPrefix(key, prefix); ok {
				set(name, value)
			}
		}
	}
	strip(eventv1.Group + "/")
	for key, value := range alert.Spec.EventMetadata {
		set(key, value)
	}
	if alert.Spec.Summary != "" {
		set(summaryKey, alert.Spec.Summary)
	}
	strip(objectPrefix(event))
	event.Metadata = metadata
	slices.Sort(conflicts)
	return conflicts
}

// identity tells events apart that are worth sending: same object, message,
// revision and token mean the same event.
func identity(event *eventv1.Event) [sha256.Size]byte {
	obj, prefix := event.InvolvedObject, objectPrefix(event)
	h := sha256.New()
	for _, part := range []string{
		obj.Kind, obj.Namespace, obj.Name, event.Message, event.Metadata[prefix+eventv1.MetaOriginRevisionKey],
		event.Metadata[prefix+eventv1.MetaRevisionKey], event.Metadata[prefix+eventv1.MetaTokenKey],
	} {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// sortedKeys returns the keys of metadata in the order in which it is shown.
func sortedKeys(metadata map[string]string) []string {
	keys := make([]string, 0, len(metadata))
	for key := range metadata {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
