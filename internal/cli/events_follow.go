package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/rest"

	"hearth/internal/kube/gitops"
	"hearth/internal/observe"
	"hearth/internal/observe/journal"
	"hearth/internal/observe/metrics"
	"hearth/internal/observe/webhook"
)

// sourceOfJournal is the source of CloudEvents that are read from a journal.
const sourceOfJournal = "hearth-journal"

// maxKeyFile bounds the file of a webhook's key, in bytes.
const maxKeyFile = 4096

// replay prints what a journal has kept.
func (f *eventsFlags) replay(show *eventPrinter, problems io.Writer) error {
	damaged, err := journal.Read(f.journal, func(record json.RawMessage) error {
		var h observe.Happening
		if err := json.Unmarshal(record, &h); err != nil {
			return fmt.Errorf("a record is none of hearth events: %w", err)
		}
		show.print(h)
		return show.err
	})
	if damaged > 0 {
		fmt.Fprintf(problems, "hearth: %d damaged records of the journal were passed over\n", damaged)
	}
	if err != nil && show.err == nil {
		return failure{exitFailed, err}
	}
	return nil
}

// followOn goes on with what happens. What is on record and newer than the
// journal is kept there, too, so that it has no gap.
func (f *eventsFlags) followOn(ctx context.Context, c *gitops.Cluster, config *rest.Config, show *eventPrinter, problems io.Writer, onRecord []observe.Happening) error {
	outlets, err := f.outlets(config, show, problems)
	if err != nil {
		return err
	}
	defer outlets.close()
	outlets.keepNewer(onRecord)
	stream, err := observe.NewStream(config, c, f.namespace)
	if err != nil {
		return failure{exitFailed, err}
	}
	stream.Watcher().OnArrived(giveBackTwice)
	group, ctx := errgroup.WithContext(ctx)
	if f.metrics != "" {
		if err := serveMetrics(ctx, group, f.metrics, stream.Watcher(), problems); err != nil {
			return failure{exitFailed, err}
		}
	}
	if outlets.sender != nil {
		group.Go(func() error {
			outlets.sender.Run(ctx)
			return nil
		})
	}
	group.Go(func() error {
		if err := stream.Run(ctx, outlets.tell); err != nil {
			return unreachable(config, err)
		}
		return nil
	})
	if err := group.Wait(); err != nil {
		return failure{exitFailed, err}
	}
	return nil
}

// serveMetrics serves the metrics of a watcher as part of a group.
func serveMetrics(ctx context.Context, group *errgroup.Group, address string, w *observe.Watcher, told io.Writer) error {
	l, err := metrics.Listen(address)
	if err != nil {
		return err
	}
	m := metrics.New(w)
	fmt.Fprintf(told, "metrics http://%s%s\n", l.Addr(), metrics.Path)
	group.Go(func() error { return m.Serve(ctx, l) })
	return nil
}

// outlets are where what happens is told.
type outlets struct {
	show     *eventPrinter
	problems io.Writer
	journal  *journal.Journal
	kept     time.Time // of the newest record
	sender   *webhook.Sender

	mu     sync.Mutex
	warned bool
}

func (f *eventsFlags) outlets(config *rest.Config, show *eventPrinter, problems io.Writer) (*outlets, error) {
	o := &outlets{show: show, problems: problems}
	if f.webhook != "" {
		key, err := readKey(f.keyFile)
		if err != nil {
			return nil, err
		}
		o.sender, err = webhook.New(webhook.Options{URL: f.webhook, Key: key, ContentType: observe.ContentType, Failed: o.problem})
		if err != nil {
			return nil, err
		}
	}
	if f.journal == "" {
		return o, nil
	}
	var err error
	if o.journal, err = journal.Open(f.journal, journal.Options{}); err != nil {
		return nil, failure{exitFailed, err}
	}
	_, err = journal.Read(f.journal, func(record json.RawMessage) error {
		var h observe.Happening
		if json.Unmarshal(record, &h) == nil && h.Time.After(o.kept) {
			o.kept = h.Time
		}
		return nil
	})
	if err != nil {
		return nil, failure{exitFailed, errors.Join(err, o.journal.Close())}
	}
	return o, nil
}

func readKey(path string) ([]byte, error) {
	if path == "" {
		return nil, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the webhook's key: %w", err)
	}
	defer file.Close()
	key, err := io.ReadAll(io.LimitReader(file, maxKeyFile+1))
	if err != nil {
		return nil, fmt.Errorf("read the webhook's key: %w", err)
	}
	key = bytes.TrimSpace(key)
	if len(key) == 0 || len(key) > maxKeyFile {
		return nil, fmt.Errorf("the webhook's key in %s is empty, or longer than %d bytes", path, maxKeyFile)
	}
	return key, nil
}

// keepNewer writes what is on record and newer than the journal into it.
func (o *outlets) keepNewer(list []observe.Happening) {
	for _, h := range list {
		if o.journal != nil && h.Time.After(o.kept) && o.show.wanted(h) {
			o.keep(h)
		}
	}
}

// tell tells one happening everywhere. It may be called concurrently.
func (o *outlets) tell(h observe.Happening) {
	o.show.print(h)
	if !o.show.wanted(h) {
		return
	}
	if o.journal != nil {
		o.keep(h)
	}
	if o.sender == nil {
		return
	}
	line, err := observe.ToCloudEvent(h, o.show.source).Line()
	if err != nil {
		o.problem(err)
		return
	}
	o.sender.Send(line)
}

// keep writes to the journal. A disk that is full is told once, and does not
// end the stream.
func (o *outlets) keep(h observe.Happening) {
	err := o.journal.Append(h)
	o.mu.Lock()
	first := err != nil && !o.warned
	o.warned = err != nil
	o.mu.Unlock()
	if first {
		o.problem(err)
	}
}

func (o *outlets) problem(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	fmt.Fprintf(o.problems, "hearth: %s\n", printable(err.Error()))
}

// close ends the journal, and tells what the webhook has not got.
func (o *outlets) close() {
	if o.sender != nil {
		if s := o.sender.Stats(); s.Dropped+s.Waiting > 0 {
			o.problem(fmt.Errorf("the webhook has not got %d events: %d were too many to wait, %d still waited", s.Dropped+s.Waiting, s.Dropped, s.Waiting))
		}
	}
	if o.journal != nil {
		if err := o.journal.Close(); err != nil {
			o.problem(err)
		}
	}
}
