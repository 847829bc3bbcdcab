package client

import (
	"encoding/asn1"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A distinguished name: its sets of attributes from the root on, each set in
// an order of its own. Two are the same name when they are equal; letters are
// not folded and spaces not gathered, so that one registration means one name.
type distinguished [][]attribute

type attribute struct{ kind, value string }

// kinds are the words for attributes that registrations may use (RFC 4514
// section 3, and those that are common in certificates of organizations).
var kinds = map[string]string{
	"CN": "2.5.4.3", "L": "2.5.4.7", "ST": "2.5.4.8", "O": "2.5.4.10", "OU": "2.5.4.11", "C": "2.5.4.6", "STREET": "2.5.4.9",
	"DC": "0.9.2342.19200300.100.1.25", "UID": "0.9.2342.19200300.100.1.1", "SERIALNUMBER": "2.5.4.5", "POSTALCODE": "2.5.4.17", "SN": "2.5.4.4",
	"GIVENNAME": "2.5.4.42", "TITLE": "2.5.4.12", "BUSINESSCATEGORY": "2.5.4.15", "ORGANIZATIONIDENTIFIER": "2.5.4.97", "EMAILADDRESS": "1.2.840.113549.1.9.1",
}

const (
	maxName       = 1024 // bytes of a name as registered
	maxAttributes = 32
)

// parseName reads a distinguished name as text (RFC 4514). The text begins
// with the last set, as certificates are read.
func parseName(text string) (distinguished, bool) {
	if text == "" || len(text) > maxName || !utf8.ValidString(text) {
		return nil, false
	}
	var out distinguished
	n, rest, end := 0, text, byte('+')
	var set []attribute
	for {
		a, after, stop, ok := parseAttribute(rest)
		if n++; !ok || n > maxAttributes {
			return nil, false
		}
		set, rest, end = append(set, a), after, stop
		if end == '+' {
			continue
		}
		out = append(out, ordered(set))
		set = nil
		if end == 0 {
			slices.Reverse(out)
			return out, true
		}
	}
}

func ordered(set []attribute) []attribute {
	slices.SortFunc(set, func(a, b attribute) int { return strings.Compare(a.kind+"="+a.value, b.kind+"="+b.value) })
	return set
}

// parseAttribute reads one attribute, up to what ends it: a comma, a plus, or
// the end of the text (0).
func parseAttribute(s string) (a attribute, rest string, end byte, ok bool) {
	word, value, found := strings.Cut(s, "=")
	if a.kind, ok = kindOf(strings.Trim(word, " ")); !found || !ok {
		return attribute{}, "", 0, false
	}
	var b strings.Builder
	keep := 0 // up to here spaces were escaped, or something else was written
	value = strings.TrimLeft(value, " ")
	i := 0
	for ; i < len(value) && end == 0; i++ {
		switch c := value[i]; c {
		case ',', '+':
			end = c
		case '"', ';', '<', '>', 0:
			return attribute{}, "", 0, false
		case '\\':
			if i++; i == len(value) {
				return attribute{}, "", 0, false
			}
			if pair, err := hex.DecodeString(value[i:min(i+2, len(value))]); err == nil && len(pair) == 1 {
				b.WriteByte(pair[0])
				i++
			} else if strings.IndexByte(` "#+,;<=>\`, value[i]) >= 0 {
				b.WriteByte(value[i])
			} else {
				return attribute{}, "", 0, false
			}
			keep = b.Len()
		default:
			b.WriteByte(c)
			if c != ' ' {
				keep = b.Len()
			}
		}
	}
	raw := value[:i]
	if end != 0 {
		raw = value[:i-1]
	}
	a.value = b.String()[:keep]
	if strings.HasPrefix(raw, "#") {
		// The bytes of the value as certificates write it (RFC 4514 section 2.4).
		der, err := hex.DecodeString(strings.TrimRight(raw[1:], " "))
		var v any
		rest, failed := asn1.Unmarshal(der, &v)
		text, is := v.(string)
		if err != nil || failed != nil || len(rest) > 0 || !is {
			return attribute{}, "", 0, false
		}
		a.value = text
	}
	return a, value[i:], end, a.value != "" && utf8.ValidString(a.value) && !strings.ContainsRune(a.value, 0)
}

// kindOf reads the word for an attribute, or its number with dots.
func kindOf(word string) (string, bool) {
	if number, ok := kinds[strings.ToUpper(word)]; ok {
		return number, true
	}
	parts := strings.Split(word, ".")
	for _, p := range parts {
		if n, err := strconv.ParseUint(p, 10, 31); err != nil || strconv.FormatUint(n, 10) != p {
			return "", false
		}
	}
	return word, len(parts) > 1
}

// nameIn reads the name in a certificate. One with values that are no text is
// nobody's.
func nameIn(raw []byte) (distinguished, bool) {
	var sets []asn1.RawValue
	if rest, err := asn1.Unmarshal(raw, &sets); err != nil || len(rest) > 0 {
		return nil, false
	}
	var out distinguished
	for _, s := range sets {
		var set []attribute
		for rest := s.Bytes; len(rest) > 0; {
			var a struct {
				Kind  asn1.ObjectIdentifier
				Value any
			}
			var err error
			if rest, err = asn1.Unmarshal(rest, &a); err != nil {
				return nil, false
			}
			text, ok := a.Value.(string)
			if !ok {
				return nil, false
			}
			set = append(set, attribute{a.Kind.String(), text})
		}
		out = append(out, ordered(set))
	}
	return out, len(out) > 0
}

func (d distinguished) is(other distinguished) bool {
	return len(d) > 0 && slices.EqualFunc(d, other, func(a, b []attribute) bool { return slices.Equal(a, b) })
}
