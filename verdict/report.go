package verdict

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"strings"
	"time"
)

// Failed counts the results that did not pass.
func Failed(results []Result) int {
	failed := 0
	for _, r := range results {
		if !r.Passed {
			failed++
		}
	}
	return failed
}

// Text is one line a case for people, and why those failed that did.
func Text(results []Result) string {
	var b strings.Builder
	for _, r := range results {
		mark := "ok  "
		if !r.Passed {
			mark = "FAIL"
		}
		fmt.Fprintf(&b, "%s  %-5s  %s  (%s → %s)\n", mark, r.Case.Want, r.Case.Name, r.Case.From, r.Case.To)
		if !r.Passed {
			fmt.Fprintf(&b, "      %s:%d: %s\n", r.Case.File, r.Case.Line, r.Failure)
		}
	}
	fmt.Fprintf(&b, "%d of %d requests were answered as wanted\n", len(results)-Failed(results), len(results))
	return b.String()
}

// jsonResult is a result as machines read it.
type jsonResult struct {
	Name    string   `json:"name"`
	File    string   `json:"file"`
	Line    int      `json:"line"`
	From    string   `json:"from"`
	To      string   `json:"to"`
	Want    Verdict  `json:"want"`
	Passed  bool     `json:"passed"`
	Failure string   `json:"failure,omitempty"`
	Answers []Answer `json:"answers,omitempty"`
	Seconds float64  `json:"seconds"`
}

// JSON is the results as a list.
func JSON(results []Result) ([]byte, error) {
	list := make([]jsonResult, len(results))
	for i, r := range results {
		list[i] = jsonResult{
			Name: r.Case.Name, File: r.Case.File, Line: r.Case.Line, From: r.Case.From, To: r.Case.To, Want: r.Case.Want,
			Passed: r.Passed, Failure: r.Failure, Answers: r.Answers, Seconds: r.Took.Seconds(),
		}
	}
	text, err := json.MarshalIndent(list, "", "  ")
	return append(text, '\n'), err
}

type junitSuite struct {
	XMLName  xml.Name    `xml:"testsuite"`
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Time     string      `xml:"time,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name    string        `xml:"name,attr"`
	Class   string        `xml:"classname,attr"`
	File    string        `xml:"file,attr"`
	Line    int           `xml:"line,attr"`
	Time    string        `xml:"time,attr"`
	Failure *junitFailure `xml:"failure,omitempty"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
}

// JUnit is the results as the XML that build servers read.
func JUnit(results []Result) ([]byte, error) {
	suite := junitSuite{Name: "fsmc test", Tests: len(results), Failures: Failed(results)}
	var total time.Duration
	for _, r := range results {
		total += r.Took
		c := junitCase{Name: r.Case.Name, Class: r.Case.From + " → " + r.Case.To, File: r.Case.File, Line: r.Case.Line, Time: inSeconds(r.Took)}
		if !r.Passed {
			c.Failure = &junitFailure{Message: r.Failure}
		}
		suite.Cases = append(suite.Cases, c)
	}
	suite.Time = inSeconds(total)
	text, err := xml.MarshalIndent(suite, "", "  ")
	return append([]byte(xml.Header), append(text, '\n')...), err
}

func inSeconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
