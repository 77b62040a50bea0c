package rehearsal

import (
	"cmp"
	"context"

	"sigs.k8s.io/controller-runtime/pkg/manager"

	"hearth/internal/engine/dns"
	"hearth/internal/engine/dns/server"
)

// freePort is where DNS queries are answered unless somebody says where.
const freePort = "127.0.0.1:0"

// castNames starts the DNS server, and lets it keep the records of every
// External-DNS that the homelab runs.
func (s *Stage) castNames(ctx context.Context, mgr manager.Manager) error {
	s.names, s.nameBoard = server.New(), &dns.Board{}
	if err := s.names.Listen(ctx, cmp.Or(s.options.DNS, freePort)); err != nil {
		return &MisuseError{err}
	}
	s.closed = append(s.closed, s.names.Close)
	return dns.Setup(mgr, dns.Options{
		Gate: s.gate, Objects: s.objects, Server: s.names, Board: s.nameBoard, Faults: s.faults, Assumptions: s.assumptions,
	})
}
