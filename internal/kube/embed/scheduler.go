package embed

import (
	"context"
	"fmt"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/events"
	"k8s.io/kubernetes/pkg/scheduler"
	"k8s.io/kubernetes/pkg/scheduler/profile"
)

// podBackoffSeconds is how long a pod that found no node is left alone. The
// usual ten seconds spare a scheduler that has thousands of pods to look at;
// here they would only keep everybody waiting.
const podBackoffSeconds = 1

// runScheduler binds pods to nodes until ctx is cancelled.
func runScheduler(ctx context.Context, config *rest.Config) error {
	client, err := kubernetes.NewForConfig(rest.AddUserAgent(rest.CopyConfig(config), "kube-scheduler"))
	if err != nil {
		return fmt.Errorf("starting the scheduler: %w", err)
	}
	informers := scheduler.NewInformerFactory(client, 0, nil)
	recorder := events.NewBroadcaster(&events.EventSinkImpl{Interface: client.EventsV1()})
	defer recorder.Shutdown()
	if err := recorder.StartRecordingToSinkWithContext(ctx); err != nil {
		return fmt.Errorf("starting the scheduler: %w", err)
	}
	s, err := scheduler.New(ctx, client, informers, nil, profile.NewRecorderFactory(recorder), scheduler.WithKubeConfig(config),
		scheduler.WithPodInitialBackoffSeconds(podBackoffSeconds), scheduler.WithPodMaxBackoffSeconds(podBackoffSeconds))
	if err != nil {
		return fmt.Errorf("starting the scheduler: %w", err)
	}
	informers.Start(ctx.Done())
	defer informers.Shutdown()
	if err := s.WaitForHandlersSync(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("starting the scheduler: %w", err)
	}
	s.Run(ctx)
	return nil
}
