package doorward

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"net/url"
	"time"
)

// PublicURL is where clients send their requests: scheme, host and, where a
// proxy takes it off, the path in front. DPoP proofs name the whole address, so
// an API behind a proxy must know it. Default: as the request arrives here.
func PublicURL(base string) Option {
	return func(s *settings) error {
		u, err := url.Parse(base)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Opaque != "" {
			return errors.New("the public URL is not like https://api.example.com")
		}
		if u.Path == "/" {
			u.Path = ""
		}
		s.public = u.String()
		return nil
	}
}

// DPoPNonces demands of every DPoP proof a nonce that this API gave in the
// last minutes (RFC 9449 section 9), so that none can be made in advance. The
// nonces are made from the secret: give every node of the API the same one, of
// 32 random bytes or more. Clients need to know how to answer use_dpop_nonce.
func DPoPNonces(secret []byte) Option {
	return func(s *settings) error {
		if len(secret) < sha256.Size {
			return errors.New("the secret of nonces has fewer than 32 bytes")
		}
		s.nonces = append([]byte(nil), secret...)
		return nil
	}
}

// nonces makes and knows nonces without keeping any: a nonce is a minute and a
// MAC of it. None are demanded without a secret.
type nonces []byte

// A nonce is good for its minute, the four after it and the one before.
const (
	nonceBehind = 4
	nonceAhead  = 1
)

func (n nonces) of(minute uint32) string {
	at := binary.BigEndian.AppendUint32(nil, minute)
	m := hmac.New(sha256.New, n)
	m.Write([]byte("dpop nonce"))
	m.Write(at)
	return base64.RawURLEncoding.EncodeToString(m.Sum(at)[:16])
}

func (n nonces) now(now time.Time) string { return n.of(uint32(now.Unix() / 60)) }

// holds says whether a proof's nonce will do.
func (n nonces) holds(nonce string, now time.Time) bool {
	if n == nil {
		return true // one that the server gave for its own endpoints says nothing here
	}
	b, err := strict.DecodeString(nonce)
	if err != nil || len(b) != 16 {
		return false
	}
	minute, current := binary.BigEndian.Uint32(b), uint32(now.Unix()/60)
	return minute <= current+nonceAhead && minute+nonceBehind >= current && hmac.Equal([]byte(n.of(minute)), []byte(nonce))
}
