package doorward

import (
	"context"
	"encoding/binary"
	"hash/crc32"
	"slices"
	"strings"
	"time"
)

// opaquePrefix begins every access token that the server alone can read.
const opaquePrefix = "dw_at_"

// verifyOpaque judges an opaque token. What a signature and a view say of a
// JWT only the server can say of it: it is asked, once in 5 s for all who bring
// the token, and what the feed tells meanwhile counts at once. When the server
// cannot be reached, a token that it has vouched for before goes on like a JWT.
func (v *Verifier) verifyOpaque(ctx context.Context, token string, now time.Time) (*verified, standing, error) {
	if err := opaqueForm(token); err != nil {
		return nil, standing{}, err
	}
	if v.asker == nil {
		return nil, standing{}, refuse(checkKey, "the token is opaque; a stateless verifier has nobody to ask")
	}
	t := v.cache.get(token)
	if t != nil && t.strict {
		if err := checkTimes(&t.claims, now); err != nil {
			return nil, standing{}, signed(err)
		}
		s, err := v.strictly(ctx, t, token)
		return t, s, err
	}
	ans, err := v.asker.ask(ctx, token)
	if ctx.Err() != nil {
		return nil, standing{}, ctx.Err()
	}
	switch {
	case err != nil && t == nil:
		return nil, standing{}, unsure(checkReach, "the server was not asked about this token: "+err.Error())
	case err == nil && !ans.active:
		return nil, standing{}, refuse(checkRevoked, "the server says that the token is not active")
	case err == nil && t == nil:
		if t, err = v.vouched(ans.said); err != nil {
			return nil, standing{}, err
		}
		v.cache.put(token, t)
	}
	if err := checkTimes(&t.claims, now); err != nil {
		return nil, standing{}, signed(err)
	}
	if unit, dead := v.feed.kills(t); dead {
		return nil, standing{}, revoked(unit)
	}
	if err != nil {
		s, err := v.unreached(err, v.now())
		return t, s, err
	}
	return t, standing{age: max(v.now().Sub(ans.at), 0)}, nil
}

// opaqueForm refuses what is no token without asking anybody: the checksum is
// there for that. It proves nothing.
func opaqueForm(token string) error {
	if len(token) > maxToken || strings.ContainsAny(token, "\r\n") {
		return refuse(checkForm, "the token is longer than 8 KiB or has a line break")
	}
	b, err := strict.DecodeString(token[len(opaquePrefix):])
	if n := len(b) - 4; err != nil || n < 1 || crc32.ChecksumIEEE(b[:n]) != binary.BigEndian.Uint32(b[n:]) {
		return refuse(checkForm, "the token is cut or changed: its checksum does not fit")
	}
	return nil
}

// vouched reads what the server said of an active token (RFC 7662 section
// 2.2). Issuer and audience are judged here as well: a client may own more
// than this API.
func (v *Verifier) vouched(said []byte) (*verified, error) {
	c, err := readClaims(said)
	switch {
	case err != nil:
		return nil, unsure(checkReach, "the server's answer about the token cannot be read")
	case c.issuer != v.issuer:
		return nil, signed(refuse(checkIssuer, "issuer is "+quoted(c.issuer)+", this API trusts "+quoted(v.issuer)))
	case !slices.Contains(c.audience, v.audience):
		return nil, signed(refuse(checkAudience, "audience is "+quoted(c.audience...)+", this API is "+quoted(v.audience)))
	}
	return &verified{claims: c, key: new(key)}, nil
}
