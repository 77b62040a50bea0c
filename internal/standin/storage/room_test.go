package storage

import (
	"testing"
	"time"

	"hearth/internal/domain"
)

func TestSlowDiskTakesMinutesUntilItIsLifted(t *testing.T) {
	faults := &domain.Faults{}
	var told time.Duration
	p := &provisioner{Options: Options{
		Faults: faults, Pace: domain.RealPace,
		Simulated: func(_ domain.Ref, _ string, d time.Duration) { told = d },
	}}
	p.prepare()
	claim := claimFor("slow", "1Gi")
	if left := p.slowed(claim, "slow"); left != 0 {
		t.Errorf("a volume takes %s although nothing is slow", left)
	}
	slow := domain.Fault{Kind: domain.FaultSlowDisk, Which: "slow"}
	faults.Inject(slow)
	if left := p.slowed(claim, "slow"); left <= time.Minute || told < slowSpan.Min || told > slowSpan.Max {
		t.Errorf("a volume takes %s, %s was told", left, told)
	}
	if left := p.slowed(claim, "other"); left != 0 {
		t.Errorf("a volume of another class takes %s", left)
	}
	faults.Lift(slow)
	if left := p.slowed(claim, "slow"); left != 0 {
		t.Errorf("a volume takes %s although nothing is slow any more", left)
	}
}
