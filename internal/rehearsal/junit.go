package rehearsal

import (
	"encoding/xml"
	"fmt"
	"io"
)

type junitSuite struct {
	XMLName   xml.Name    `xml:"testsuite"`
	Name      string      `xml:"name,attr"`
	Tests     int         `xml:"tests,attr"`
	Failures  int         `xml:"failures,attr"`
	Skipped   int         `xml:"skipped,attr"`
	Time      string      `xml:"time,attr"`
	TestCases []junitCase `xml:"testcase"`
}

type junitCase struct {
	ClassName string        `xml:"classname,attr"`
	Name      string        `xml:"name,attr"`
	File      string        `xml:"file,attr,omitempty"`
	Time      string        `xml:"time,attr"`
	Failure   *junitFailure `xml:"failure,omitempty"`
	Skipped   *struct{}     `xml:"skipped,omitempty"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",chardata"`
}

// WriteJUnit writes the report as a JUnit test suite with one case an object.
// Suspended objects are skipped cases.
func (r *Report) WriteJUnit(w io.Writer) error {
	suite := junitSuite{
		Name: "hearth rehearse " + r.Cluster,
		Time: fmt.Sprintf("%.3f", r.WallSeconds),
	}
	for _, o := range r.Objects {
		suite.Tests++
		suite.TestCases = append(suite.TestCases, junitCaseOf(o))
		switch {
		case o.suspended:
			suite.Skipped++
		case !o.ready:
			suite.Failures++
		}
	}
	return suite.write(w)
}

func junitCaseOf(o Object) junitCase {
	name := o.Name
	if o.Namespace != "" {
		name = o.Namespace + "/" + o.Name
	}
	c := junitCase{ClassName: o.Kind, Name: name, File: o.File, Time: "0"}
	if o.ReadyAfterSeconds != nil {
		c.Time = fmt.Sprintf("%.3f", *o.ReadyAfterSeconds)
	}
	switch {
	case o.suspended:
		c.Skipped = &struct{}{}
	case !o.ready:
		c.Failure = &junitFailure{
			Message: fmt.Sprintf("%s is %s: %s", o.Ref, o.State, o.Message),
			Type:    string(o.State),
			Text:    o.Place.String(),
		}
	}
	return c
}
