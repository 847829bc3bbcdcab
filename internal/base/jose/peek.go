package jose

import "strings"

// Peek returns what a token says of itself before anybody verified it: the key
// that it names, and its claims. It is for finding whose keys to verify it
// with; nothing else of it may be believed.
func Peek(token string) (claims []byte, kid string, err error) {
	h, err := readHeader(token)
	if err != nil {
		return nil, "", err
	}
	_, rest, _ := strings.Cut(token, ".")
	payload, _, _ := strings.Cut(rest, ".")
	claims, err = decode(payload)
	return claims, h.Kid, err
}

// Has says whether a set has a key of this id, or is asked for none.
func (s KeySet) Has(kid string) bool {
	if kid == "" {
		return len(s.keys) > 0
	}
	for _, k := range s.keys {
		if k.kid == kid {
			return true
		}
	}
	return false
}
