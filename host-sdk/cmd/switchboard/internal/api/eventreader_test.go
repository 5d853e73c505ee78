package api_test

import (
	"bufio"
	"io"
	"strings"
)

// eventReader reads server-sent events as a browser does.
type eventReader struct{ lines *bufio.Scanner }

func newEventReader(r io.Reader) *eventReader { return &eventReader{bufio.NewScanner(r)} }

// next returns the next event that has data; comments and other fields are passed over.
func (e *eventReader) next() (id, kind, data string, err error) {
	for e.lines.Scan() {
		field, value, _ := strings.Cut(e.lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "id":
			id = value
		case "event":
			kind = value
		case "data":
			data += value
		case "":
			if e.lines.Text() == "" && data != "" {
				return id, kind, data, nil
			}
		}
	}
	if err := e.lines.Err(); err != nil {
		return "", "", "", err
	}
	return "", "", "", io.EOF
}
