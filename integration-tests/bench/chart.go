package main

import (
	"fmt"
	"os"
	"strings"
)

// Sizes of the chart, in pixels.
const (
	chartWidth  = 640
	chartLabel  = 190 // left of the bars
	chartNumber = 150 // right of the longest bar
	chartRow    = 22
	chartGap    = 12 // between kinds of requests
	chartTop    = 56 // title and legend
)

// chartStyle colours the chart, on light pages and on dark ones. The colours differ for people who
// cannot tell red from green as well, and the numbers beside the bars say the same.
const chartStyle = `<style>
.page { fill: #ffffff } text { fill: #1f2328 } .host { fill: #33658a } .plugin { fill: #f6ae2d } .axis { stroke: #8c959f }
@media (prefers-color-scheme: dark) { .page { fill: #0d1117 } text { fill: #e6edf3 } .host { fill: #79b8e8 } .plugin { fill: #d99a1e } }
</style>
`

// chart draws what CPU time a request takes of host and plugin, beside the echo's, as an SVG: of
// all figures it depends least on what else the machine does.
func (r ratiosReport) chart() string {
	longest := 1.0
	for _, f := range r.Figures {
		longest = max(longest, f.HostCPU+f.PluginCPU)
	}
	scale := (chartWidth - chartLabel - chartNumber) / longest
	var rows strings.Builder
	y := chartTop
	for _, kind := range kinds {
		drawn := false
		for _, f := range r.Figures {
			if f.Kind != kind {
				continue
			}
			label := fmt.Sprintf("%d at a time", f.AtATime)
			if !drawn {
				label = kind + ", " + label
			}
			drawn = true
			host, plugin := f.HostCPU*scale, f.PluginCPU*scale
			fmt.Fprintf(&rows, `<text x="%d" y="%d" text-anchor="end">%s</text>`+"\n", chartLabel-8, y+13, label)
			fmt.Fprintf(&rows, `<rect class="host" x="%d" y="%d" width="%.1f" height="16"/>`+"\n", chartLabel, y, host)
			fmt.Fprintf(&rows, `<rect class="plugin" x="%.1f" y="%d" width="%.1f" height="16"/>`+"\n", chartLabel+host, y, plugin)
			fmt.Fprintf(&rows, `<text x="%.1f" y="%d">%.0f + %.0f µs</text>`+"\n", chartLabel+host+plugin+6, y+13, f.HostCPU, f.PluginCPU)
			y += chartRow
		}
		if drawn {
			y += chartGap
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="sans-serif" font-size="13" role="img" aria-label="CPU time of one request, of host and plugin">`+"\n",
		chartWidth, y, chartWidth, y)
	b.WriteString(chartStyle)
	fmt.Fprintf(&b, `<rect class="page" width="%d" height="%d"/>`+"\n", chartWidth, y)
	fmt.Fprintf(&b, `<text x="%d" y="22" font-size="15" font-weight="bold">CPU time of one request</text>`+"\n", chartLabel)
	fmt.Fprintf(&b, `<rect class="host" x="%d" y="32" width="12" height="12"/><text x="%d" y="43">host</text>`, chartLabel, chartLabel+18)
	fmt.Fprintf(&b, `<rect class="plugin" x="%d" y="32" width="12" height="12"/><text x="%d" y="43">plugin</text>`+"\n", chartLabel+64, chartLabel+82)
	b.WriteString(rows.String())
	fmt.Fprintf(&b, `<line class="axis" x1="%d" y1="%d" x2="%d" y2="%d"/>`+"\n</svg>\n", chartLabel, chartTop-4, chartLabel, y-chartGap)
	return b.String()
}

// drawFile draws the chart of a run's file to another file.
func drawFile(from, to string) error {
	r, err := readReport(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, []byte(r.chart()), 0o644) // #nosec G306 -- part of the documentation
}
