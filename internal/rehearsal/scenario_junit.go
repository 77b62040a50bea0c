package rehearsal

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

// WriteScenariosJUnit writes scenarios as a JUnit test suite, one case each.
func WriteScenariosJUnit(w io.Writer, results []ScenarioResult) error {
	suite := junitSuite{Name: "hearth rehearse --scenario", Tests: len(results)}
	total := 0.0
	for _, r := range results {
		c := junitCase{ClassName: "scenario", Name: r.Name, File: r.File, Time: fmt.Sprintf("%.3f", r.SeenSeconds+r.RecoveredSeconds)}
		if !r.Passed() {
			suite.Failures++
			c.Failure = &junitFailure{Message: r.Missed[0], Type: "Missed", Text: strings.Join(r.Missed, "\n")}
		}
		total += r.SeenSeconds + r.RecoveredSeconds
		suite.TestCases = append(suite.TestCases, c)
	}
	suite.Time = fmt.Sprintf("%.3f", total)
	return suite.write(w)
}

func (s junitSuite) write(w io.Writer) error {
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(s); err != nil {
		return fmt.Errorf("write the JUnit report: %w", err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}
