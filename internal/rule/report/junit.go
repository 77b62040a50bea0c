package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"hearth/internal/rule"
)

type (
	junitSuites struct {
		XMLName xml.Name     `xml:"testsuites"`
		Suites  []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Time     string      `xml:"time,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		ClassName string        `xml:"classname,attr"`
		Name      string        `xml:"name,attr"`
		Time      string        `xml:"time,attr"`
		Failure   *junitFailure `xml:"failure,omitempty"`
		Out       string        `xml:"system-out,omitempty"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
)

// JUnit writes a report as a JUnit test suite: a case for each rule that found
// nothing, and one for each finding. Only errors are failures; what else was
// found is the output of a case that passes.
func JUnit(w io.Writer, r *rule.Report, o Options) error {
	suite := junitSuite{Name: "hearth check", Time: fmt.Sprintf("%.3f", r.Elapsed.Seconds())}
	for _, name := range r.Rules {
		class := "hearth"
		if known, ok := rule.Find(o.Rules, name); ok {
			class = known.Topic
		}
		found := false
		for _, f := range r.Findings {
			if f.Rule == name {
				suite.Cases = append(suite.Cases, junitCaseOf(class, f))
				found = true
			}
		}
		if !found {
			suite.Cases = append(suite.Cases, junitCase{ClassName: class, Name: name, Time: "0"})
		}
	}
	suite.Tests = len(suite.Cases)
	for _, c := range suite.Cases {
		if c.Failure != nil {
			suite.Failures++
		}
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	encoder := xml.NewEncoder(w)
	encoder.Indent("", "  ")
	if err := encoder.Encode(junitSuites{Suites: []junitSuite{suite}}); err != nil {
		return fmt.Errorf("write the JUnit report: %w", err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func junitCaseOf(class string, f rule.Finding) junitCase {
	c := junitCase{ClassName: class, Name: strings.TrimSpace(f.Rule + " " + f.Place.String()), Time: "0"}
	said := []string{}
	for _, line := range []string{f.Place.String(), object(f), f.Message} {
		if line != "" {
			said = append(said, line)
		}
	}
	if f.Fix != "" {
		said = append(said, "fix: "+f.Fix)
	}
	if f.Severity == rule.Error {
		c.Failure = &junitFailure{Message: f.Message, Type: f.Rule, Text: strings.Join(said, "\n")}
	} else {
		c.Out = f.Severity.String() + "\n" + strings.Join(said, "\n")
	}
	return c
}
