package main

import (
	"fmt"
	"os"
	"strings"
)

// Sizes of the chart, in pixels.
const (
	chartWidth  = 640
	chartLabel  = 150 // left of the bars
	chartNumber = 110 // right of the longest bar
	chartRow    = 26
)

// chart draws what CPU time a request takes of host and plugin, beside the echo's, as an SVG: of all
// figures it depends least on what else the machine does.
func (r ratiosReport) chart() string {
	longest := 0.0
	for _, f := range r.Figures {
		longest = max(longest, f.HostCPU+f.PluginCPU)
	}
	scale := (chartWidth - chartLabel - chartNumber) / longest
	height := chartRow*len(r.Figures) + 40
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="sans-serif" font-size="13" role="img" aria-label="CPU time of a request">`+"\n",
		chartWidth, height, chartWidth, height)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", chartWidth, height)
	for i, f := range r.Figures {
		y := 8 + i*chartRow
		host, plugin := f.HostCPU*scale, f.PluginCPU*scale
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">%s, %d at a time</text>`+"\n", chartLabel-8, y+14, f.Kind, f.AtATime)
		fmt.Fprintf(&b, `<rect x="%d" y="%d" width="%.1f" height="18" fill="#33658a"/>`+"\n", chartLabel, y, host)
		fmt.Fprintf(&b, `<rect x="%.1f" y="%d" width="%.1f" height="18" fill="#f6ae2d"/>`+"\n", chartLabel+host, y, plugin)
		fmt.Fprintf(&b, `<text x="%.1f" y="%d">%.0f + %.0f µs</text>`+"\n", chartLabel+host+plugin+6, y+14, f.HostCPU, f.PluginCPU)
	}
	fmt.Fprintf(&b, `<text x="%d" y="%d"><tspan fill="#33658a">■</tspan> host <tspan fill="#f6ae2d">■</tspan> plugin: CPU time of one request</text>`+"\n</svg>\n", chartLabel, height-12)
	return b.String()
}

// draw writes the chart of a run to a file.
func (r ratiosReport) draw(file string) error {
	return os.WriteFile(file, []byte(r.chart()), 0o600)
}
