package charts

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"hearth/internal/domain"
)

var (
	durationTerm = regexp.MustCompile(`^\s*(\d{1,6}(?:\.\d{1,6})?)\s*([A-Za-z]+)\s*`)
	bareNumber   = regexp.MustCompile(`^\d{1,9}$`)
)

// units are how people write them.
var units = map[string]time.Duration{
	"ms": time.Millisecond,
	"s":  time.Second, "sec": time.Second, "secs": time.Second, "second": time.Second, "seconds": time.Second,
	"m": time.Minute, "min": time.Minute, "mins": time.Minute, "minute": time.Minute, "minutes": time.Minute,
	"h": time.Hour, "hr": time.Hour, "hrs": time.Hour, "hour": time.Hour, "hours": time.Hour,
	"d": 24 * time.Hour, "day": 24 * time.Hour, "days": 24 * time.Hour,
	"w": 7 * 24 * time.Hour, "week": 7 * 24 * time.Hour, "weeks": 7 * 24 * time.Hour,
}

// asDuration writes as a duration of Go what people mean by a text; "" where
// that is not clear. It is uncertain for a number without a unit.
func asDuration(text string) (good string, certain bool) {
	if bareNumber.MatchString(text) {
		return text + "s", false
	}
	total, rest := time.Duration(0), text
	for rest != "" {
		m := durationTerm.FindStringSubmatch(rest)
		if m == nil {
			return "", false
		}
		unit, ok := units[strings.ToLower(m[2])]
		if !ok || m[2] == "M" {
			return "", false // a capital M may be a month
		}
		number, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			return "", false
		}
		total += time.Duration(number * float64(unit))
		rest = rest[len(m[0]):]
	}
	if total <= 0 || total%time.Millisecond != 0 {
		return "", false
	}
	return domain.ShortDuration(total), true
}
