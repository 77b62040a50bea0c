package rehearsal

import (
	"context"

	"hearth/internal/diagnose"
)

// explain tells why what is not ready is not, as things stand now.
func (s *Stage) explain(ctx context.Context) (*diagnose.Report, error) {
	return &diagnose.Report{}, nil
}
