// Package causes holds every diagnosis, one file each: what it is called, what
// one sees, what it is made from, and what puts it right. The page
// docs/diagnoses.md is written from the same values.
//
// A cause reports what objects and events say, in the words of the controllers
// that write them: Flux, External Secrets, the kubelet, the scheduler,
// cert-manager, CloudNativePG and the implementations of the Gateway API. It
// reports nothing that it does not find evidence for, and never a value.
package causes

import (
	"context"
	"slices"
	"strings"

	"hearth/internal/diagnose"
)

//go:generate go test . -run TestReference -update

// All returns the causes, ordered by name. The caller owns the list.
func All() []*diagnose.Cause {
	all := []*diagnose.Cause{
		applicationConfiguration, buildFailed, certificateExpired, certificateRefused, chartMissing, claimUnbound, connectDown, databaseUnreachable,
		definitionMissing, dependencyNotMet, dependencyRace, dnsNotSynced, dnsProviderDown, editedByHand, externalSecretMissing,
		fieldConflict, finalizerStuck, backendMissing, gatewayNotReady, imageChanged, imageMissing, imagePlatform, imageRefused, immutableField,
		itemMissing, itemMisspelt, memoryExceeded, multiAttach, nfsUnreachable, nodeDown, nodePressure, operatorDown, parentWrong,
		probeFailing, rateLimited, registryUnreachable, releaseLocked, retriesExhausted, secretValueMissing, sopsKeyMissing, sourceAuthentication,
		sourceUnreachable, storageClassMissing, storageFull, storeRefused, suspended, templateError, timeout, unschedulable,
		valuesInvalid, variableUnknown, webhookDown,
	}
	slices.SortFunc(all, func(a, b *diagnose.Cause) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// Explain is [diagnose.Explain] with every cause.
func Explain(ctx context.Context, w *diagnose.World, o diagnose.Options) *diagnose.Report {
	o.Causes = All()
	return diagnose.Explain(ctx, w, o)
}
