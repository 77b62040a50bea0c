package rehearsal

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"hearth/internal/domain"
)

// rotationEvery is how often somebody gives a field of the vault another
// value. Nobody does so that often; it is to be seen within a day that pods
// get to know new values.
const rotationEvery = 8 * time.Hour

// planRotations enters the moments at which fields of the vault get another
// value. Which field, and when, follows from the seed.
func (s *soak) planRotations(ctx context.Context, o SoakOptions) error {
	fields, err := s.fields(ctx)
	if err != nil || len(fields) == 0 {
		return err
	}
	slices.Sort(fields)
	random := rand.New(rand.NewPCG(s.options.Seed, 1))
	for at := time.Duration(0); at+rotationEvery <= o.Length; at += rotationEvery {
		rotation := domain.Fault{Kind: domain.FaultRotate, Which: fields[random.IntN(len(fields))]}
		due := at + time.Duration(random.Int64N(int64(rotationEvery)))
		s.agenda.add(&appointment{at: due, what: "rotation", do: func(ctx context.Context) error { return s.rotate(ctx, rotation) }})
	}
	return nil
}

// rotate gives a field the value that it does not have: one that was rotated
// before gets its first one back.
func (s *soak) rotate(ctx context.Context, rotation domain.Fault) error {
	if slices.Contains(s.faults.Active(), rotation) {
		return s.lift(rotation)
	}
	return s.inject(ctx, rotation)
}
