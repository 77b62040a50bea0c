package observe

import (
	"fmt"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"hearth/internal/domain"
)

// GatewayState derives the state of a Gateway from its conditions Accepted and
// Programmed, and those of its listeners. A new Gateway has both with Unknown,
// which is what the API server's defaults say until a controller comes along.
func GatewayState(g *gatewayv1.Gateway) Standing {
	accepted := gatewayCondition(g, gatewayv1.GatewayConditionAccepted)
	programmed := gatewayCondition(g, gatewayv1.GatewayConditionProgrammed)
	switch {
	case g.DeletionTimestamp != nil:
		return deleting(domain.GatewayDeleting, g.DeletionTimestamp, failureMessage(programmed))
	case accepted.Status == metav1.ConditionFalse && waits(accepted.Reason):
		return told(domain.GatewayPending, accepted)
	case accepted.Status == metav1.ConditionFalse && accepted.Reason != string(gatewayv1.GatewayReasonListenersNotValid):
		return refusedGateway(accepted)
	case accepted.Status != metav1.ConditionTrue && accepted.Status != metav1.ConditionFalse:
		s := told(domain.GatewayPending, accepted)
		s.Since = firstTime(s.Since, since(g.CreationTimestamp))
		return s
	case programmed.Status == metav1.ConditionFalse && !comes(programmed.Reason):
		return refusedGateway(programmed)
	case programmed.Status != metav1.ConditionTrue:
		return told(domain.GatewayProgramming, programmed)
	}
	if s, broken := brokenListener(g); broken {
		return s
	}
	s := told(domain.GatewayReady, programmed)
	s.Ready = true
	return s
}

func gatewayCondition(g *gatewayv1.Gateway, name gatewayv1.GatewayConditionType) metav1.Condition {
	return conditionOf(g.Status.Conditions, string(name))
}

// conditionOf returns a condition, the zero one where it is absent.
func conditionOf(list []metav1.Condition, name string) metav1.Condition {
	if c := apimeta.FindStatusCondition(list, name); c != nil {
		return *c
	}
	return metav1.Condition{}
}

// waits reports whether a reason of Accepted says that nobody has decided yet.
func waits(reason string) bool {
	return reason == string(gatewayv1.GatewayReasonPending) || reason == string(gatewayv1.GatewayReasonNotReconciled)
}

// comes reports whether a reason of Programmed says that what is missing is
// being made.
func comes(reason string) bool {
	switch gatewayv1.GatewayConditionReason(reason) {
	case gatewayv1.GatewayReasonPending, gatewayv1.GatewayReasonNoResources, gatewayv1.GatewayReasonAddressNotAssigned,
		gatewayv1.GatewayReasonConfigurationChanged:
		return true
	}
	return false
}

func refusedGateway(c metav1.Condition) Standing {
	s := told(domain.GatewayFailed, c)
	s.Message = oneLine(fmt.Sprintf("%s: %s", c.Reason, c.Message))
	return s
}

// brokenListener returns the first listener that cannot serve.
func brokenListener(g *gatewayv1.Gateway) (s Standing, broken bool) {
	for _, l := range g.Status.Listeners {
		for _, name := range []gatewayv1.ListenerConditionType{
			gatewayv1.ListenerConditionAccepted, gatewayv1.ListenerConditionResolvedRefs, gatewayv1.ListenerConditionProgrammed,
		} {
			c := conditionOf(l.Conditions, string(name))
			if c.Status == metav1.ConditionFalse {
				s = told(domain.GatewayDegraded, c)
				s.Message = oneLine(fmt.Sprintf("listener %s: %s: %s", l.Name, c.Reason, c.Message))
				return s, true
			}
		}
	}
	return Standing{}, false
}
