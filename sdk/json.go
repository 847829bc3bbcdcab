package doorward

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Bounds on the JSON inside a token. Ours have about twenty members, two deep.
const (
	maxMembers = 64
	maxDepth   = 8
)

var errJSON = errors.New("not one strict JSON object")

// members calls visit for each member of the JSON object in data, in order.
//
// encoding/json keeps the last of two equal members and matches names without
// regard to case; two readers that differ in this can be played against each
// other. So duplicates are refused at every depth, names that differ only in
// case count as duplicates, and the text must be UTF-8 (RFC 8725 section 2.5
// and its revision, section 3.7).
func members(data []byte, visit func(name string, value []byte) error) error {
	if !utf8.Valid(data) || !json.Valid(data) {
		return errJSON
	}
	w := walker{data: data}
	w.space()
	if w.data[w.at] != '{' {
		return errJSON
	}
	return w.object(1, visit)
}

// A walker steps through JSON that is known to be valid.
type walker struct {
	data []byte
	at   int
}

func (w *walker) space() {
	for w.at < len(w.data) && strings.IndexByte(" \t\r\n", w.data[w.at]) >= 0 {
		w.at++
	}
}

func (w *walker) object(depth int, visit func(name string, value []byte) error) error {
	if depth > maxDepth {
		return errJSON
	}
	var held [16]string
	seen := held[:0]
	w.at++ // the brace
	for w.space(); w.data[w.at] != '}'; w.space() {
		if w.data[w.at] == ',' {
			w.at++
			w.space()
		}
		name, err := text(w.string())
		if err != nil {
			return err
		}
		for _, s := range seen {
			if strings.EqualFold(s, name) {
				return errJSON
			}
		}
		if seen = append(seen, name); len(seen) > maxMembers {
			return errJSON
		}
		w.space()
		w.at++ // the colon
		w.space()
		from := w.at
		if err := w.value(depth); err != nil {
			return err
		}
		if visit != nil {
			if err := visit(name, w.data[from:w.at]); err != nil {
				return err
			}
		}
	}
	w.at++
	return nil
}

func (w *walker) value(depth int) error {
	switch w.data[w.at] {
	case '{':
		return w.object(depth+1, nil)
	case '[':
		if depth++; depth > maxDepth {
			return errJSON
		}
		w.at++
		for w.space(); w.data[w.at] != ']'; w.space() {
			if w.data[w.at] == ',' {
				w.at++
				w.space()
			}
			if err := w.value(depth); err != nil {
				return err
			}
		}
		w.at++
	case '"':
		w.string()
	default:
		for w.at < len(w.data) && strings.IndexByte(",]} \t\r\n", w.data[w.at]) < 0 {
			w.at++
		}
	}
	return nil
}

// string steps over a string and returns it with its quotes.
func (w *walker) string() []byte {
	from := w.at
	for w.at++; w.data[w.at] != '"'; w.at++ {
		if w.data[w.at] == '\\' {
			w.at++
		}
	}
	w.at++
	return w.data[from:w.at]
}

// text reads a JSON string.
func text(value []byte) (string, error) {
	if len(value) < 2 || value[0] != '"' {
		return "", errJSON
	}
	for _, c := range value {
		if c == '\\' {
			var s string
			err := json.Unmarshal(value, &s)
			return s, err
		}
	}
	return string(value[1 : len(value)-1]), nil
}

// texts reads a JSON array of strings. An empty array is an empty list, not nil.
func texts(value []byte) ([]string, error) {
	if len(value) == 0 || value[0] != '[' {
		return nil, errJSON
	}
	w := walker{data: value, at: 1}
	list := make([]string, 0, 4)
	for w.space(); w.data[w.at] != ']'; w.space() {
		if w.data[w.at] == ',' {
			w.at++
			w.space()
		}
		if w.data[w.at] != '"' {
			return nil, errJSON
		}
		s, err := text(w.string())
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}

// whole reads a JSON number that is a whole number from 0 to 2^53. A fraction
// or an exponent is refused: 1e308 or 1.5 is no instant.
func whole(value []byte) (int64, error) {
	n, err := strconv.ParseUint(string(value), 10, 64)
	if err != nil || n > 1<<53 {
		return 0, errJSON
	}
	return int64(n), nil
}
