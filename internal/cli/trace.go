package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/kube/scheme"
	"hearth/internal/observe/trace"
)

// traceFlags say which request to follow, and where.
type traceFlags struct {
	clusterFlags
	method, dns, gateway string
	headers              []string
	output               string
}

func newTraceCommand() *cobra.Command {
	var f traceFlags
	cmd := &cobra.Command{
		Use:   "trace HOST[/PATH]",
		Short: "Follow a request through DNS, gateway, route and service to a pod, and say where it ends",
		Long: `Follow a request for HOST[/PATH], https unless http:// stands before it, step by
step: DNS, gateway, listener, route, rule, service, endpoints, pod. Each step
says what was found, the last one why the request ends there. On the homelab
that is up the request is then really made, and the curl command is printed that
makes it again. Nothing is changed.
Exit code 0: the request arrives; 1: it ends early; 2: misuse.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), cmd.OutOrStdout(), args[0]) },
	}
	flags := cmd.Flags()
	f.register(flags)
	flags.StringVarP(&f.method, "method", "X", http.MethodGet, "the request's method")
	flags.StringArrayVarP(&f.headers, "header", "H", nil, "a header of the request, as NAME: VALUE")
	flags.StringVar(&f.dns, "dns", "", "the DNS server to ask, as HOST[:PORT] (default that of the homelab that is up, else none: what the cluster's objects say)")
	flags.StringVar(&f.gateway, "gateway", "", "the gateway to begin at, as [NAMESPACE/]NAME (default the one that DNS or the routes lead to)")
	flags.StringVarP(&f.output, "output", "o", "text", "the form of the output: text or json")
	return cmd
}

func (f *traceFlags) run(ctx context.Context, w io.Writer, target string) error {
	request, err := f.request(target)
	if err := errors.Join(err, f.check(), checkForm(f.output, "text", "json")); err != nil {
		return err
	}
	config, err := f.connect()
	if err != nil {
		return failure{exitFailed, err}
	}
	reader, err := client.New(config, client.Options{Scheme: scheme.New()})
	if err != nil {
		return failure{exitFailed, unreachable(config, err)}
	}
	ctx, cancel := context.WithTimeout(ctx, getTimeout)
	defer cancel()
	report, err := trace.Follow(ctx, reader, request)
	if err != nil {
		return failure{exitFailed, unreachable(config, err)}
	}
	print := printTrace
	if f.output == "json" {
		print = printTraceJSON
	}
	if err := print(w, report); err != nil {
		return failure{exitFailed, fmt.Errorf("write the trace: %w", err)}
	}
	if !report.Arrived {
		return failed
	}
	return nil
}

// request reads what to follow.
func (f *traceFlags) request(target string) (trace.Request, error) {
	u, err := trace.ParseURL(target)
	if err != nil {
		return trace.Request{}, err
	}
	header := http.Header{}
	for _, h := range f.headers {
		name, value, ok := strings.Cut(h, ":")
		if !ok || strings.TrimSpace(name) == "" {
			return trace.Request{}, fmt.Errorf("-H %q is not of the form NAME: VALUE", h)
		}
		header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	server := f.dns
	if _, _, err := net.SplitHostPort(server); err != nil && server != "" {
		server = net.JoinHostPort(strings.Trim(server, "[]"), "53")
	}
	request := trace.Request{URL: u, Method: strings.ToUpper(f.method), Header: header, Server: server, Gateway: f.gateway}
	if server == "" && f.kubeconfig == "" && f.context == "" {
		if info, err := findUp(f.cluster); err == nil && info.DNS != "" {
			request.Server, request.SomeZones = info.DNS, true
		}
	}
	return request, nil
}

func printTrace(w io.Writer, r *trace.Report) error {
	paint := painter(colours(w))
	var b strings.Builder
	for _, s := range r.Steps {
		mark, colour := "✓", green
		if !s.OK {
			mark, colour = "✗", red
		}
		fmt.Fprintf(&b, "%s %-9s  %s  %s\n", paint.paint(colour, mark), s.Step, printable(s.Subject), printable(s.Says))
	}
	if r.Arrived {
		fmt.Fprintf(&b, "%s arrives\n", printable(r.URL))
	} else {
		fmt.Fprintf(&b, "%s ends at %s\n", printable(r.URL), r.Steps[len(r.Steps)-1].Step)
	}
	if r.Curl != "" {
		fmt.Fprintf(&b, "%s\n", printable(r.Curl))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func printTraceJSON(w io.Writer, r *trace.Report) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(r)
}
