package main

import (
	"encoding/xml"
	"fmt"
	"math"
	"strings"
)

// picture is a chart of bars that lie, from the top down.
type picture struct {
	title string
	bars  []bar
	// aim, unless 0, is a line that bars should not reach beyond.
	aim float64
	// scale is where a value is, from 0 to 1.
	scale func(float64) float64
}

// bar is one value. Those of one group stand together and the group is named once.
type bar struct {
	group, label string
	value        float64
	text         string
	pale         bool
}

// linear scales from nothing to the greatest.
func linear(most float64) func(float64) float64 {
	return func(v float64) float64 { return min(1, v/most) }
}

// logarithmic scales by powers of ten.
func logarithmic(least, most float64) func(float64) float64 {
	return func(v float64) float64 { return max(0, math.Log(v/least)/math.Log(most/least)) }
}

// style is legible on light and dark pages alike.
const style = `<style>
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600 }
.bar { fill: #0969da }
.pale { fill: #8c959f }
.aim { stroke: #cf222e; stroke-dasharray: 4 3 }
.word { fill: #cf222e }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .bar { fill: #4493f8 }
  .pale { fill: #6e7681 }
  .aim { stroke: #f85149 }
  .word { fill: #f85149 }
}
</style>
`

// svg draws the picture.
func (p picture) svg() string {
	const left, width, right, line, gap, top = 230, 400, 130, 18, 8, 34
	var b strings.Builder
	y, last := top, ""
	for i, x := range p.bars {
		if x.group != last {
			if i > 0 {
				y += gap
			}
			fmt.Fprintf(&b, "<text x=\"8\" y=\"%d\">%s</text>\n", y+12, escaped(x.group))
			last = x.group
		}
		class := "bar"
		if x.pale {
			class = "pale"
		}
		w := max(1, width*p.scale(x.value))
		fmt.Fprintf(&b, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n", left-8, y+12, escaped(x.label))
		fmt.Fprintf(&b, "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" rx=\"2\"/>\n", class, left, y+1, w, line-4)
		fmt.Fprintf(&b, "<text x=\"%.1f\" y=\"%d\">%s</text>\n", left+w+6, y+12, escaped(x.text))
		y += line
	}
	if p.aim > 0 {
		at := left + width*p.scale(p.aim)
		fmt.Fprintf(&b, "<line class=\"aim\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/>\n<text class=\"word\" x=\"%.1f\" y=\"%d\">aim</text>\n", at, top-4, at, y, at+4, y+12)
		y += line
	}
	const whole = left + width + right
	return fmt.Sprintf("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\">\n%s<text class=\"title\" x=\"8\" y=\"18\">%s</text>\n%s</svg>\n",
		whole, y+6, whole, y+6, style, escaped(p.title), b.String())
}

func escaped(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder takes everything
	return b.String()
}
