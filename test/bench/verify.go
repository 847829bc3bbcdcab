package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/sdk"
)

// follower makes a verifier for the API, which reads from this node whatever
// the issuer's name says.
func follower(ctx context.Context, node *server, a api) (*doorward.Verifier, error) {
	var dialer net.Dialer
	transport := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return dialer.DialContext(ctx, network, node.listen)
	}}
	return doorward.New(ctx, node.issuer, doorward.Audience(resource), doorward.Client(a.ID, a.Secret),
		doorward.HTTPClient(&http.Client{Transport: transport}), doorward.Logger(slog.New(slog.DiscardHandler)))
}

// verifications measures what the SDK takes for a token it has not seen and
// for one it has, against the bare signature.
func verifications(ctx context.Context, s settings, srv *server, store string, a api, in []signedIn, out *report) error {
	tokens, err := accessTokens(srv, in, 300)
	if err != nil {
		return err
	}
	key, err := publicKey(srv)
	if err != nil {
		return err
	}
	signatures, err := taken(tokens)
	if err != nil {
		return err
	}
	var raw, first, again []float64
	var allocations float64
	for range max(s.rounds, 3) {
		v, err := follower(ctx, srv, a)
		if err != nil {
			return err
		}
		verify := func(i int) error { _, err := v.Verify(ctx, tokens[i]); return err }
		for _, m := range []struct {
			of   *[]float64
			pass int
			act  func(i int) error
		}{
			{&raw, 1, func(i int) error { return signatures[i].verify(key) }},
			{&first, 1, verify},
			{&again, 50, verify},
		} {
			at := time.Now()
			for range m.pass {
				for i := range tokens {
					if err := m.act(i); err != nil {
						out.wrong(1, err)
					}
				}
			}
			*m.of = append(*m.of, time.Since(at).Seconds()*1e6/float64(m.pass*len(tokens)))
		}
		allocations = testing.AllocsPerRun(100, func() { _ = verify(0) })
		v.Close()
	}
	out.figure(store, "W10 raw ES256 verify", median(raw), "us", "")
	out.figure(store, "W10 SDK verify, first time", median(first), "us", fmt.Sprintf("at most %.0f (1.2 x raw); ratio %.2f", 1.2*median(raw), median(first)/median(raw)))
	out.figure(store, "W10 SDK verify, again", median(again), "us", "under 1")
	out.figure(store, "W10 SDK verify, again: allocations", allocations, "", "at most 2")
	return nil
}

// accessTokens are distinct ones of the server's own making.
func accessTokens(srv *server, in []signedIn, n int) ([]string, error) {
	c, err := dial(srv.listen)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	act := refreshes(srv, in)(0)
	tokens := make([]string, n)
	for i := range tokens {
		if err := act(c); err != nil {
			return nil, err
		}
		tokens[i] = in[0].access
	}
	return tokens, nil
}

// A signature is a token taken apart, as far as the bare arithmetic needs it.
type signature struct {
	signed []byte
	r, s   *big.Int
}

func taken(tokens []string) ([]signature, error) {
	out := make([]signature, len(tokens))
	for i, t := range tokens {
		cut := strings.LastIndexByte(t, '.')
		sig, err := base64.RawURLEncoding.DecodeString(t[cut+1:])
		if err != nil || len(sig) != 64 {
			return nil, errors.New("an access token without an ES256 signature")
		}
		out[i] = signature{[]byte(t[:cut]), new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])}
	}
	return out, nil
}

func (g signature) verify(key *ecdsa.PublicKey) error {
	digest := sha256.Sum256(g.signed)
	if !ecdsa.Verify(key, digest[:], g.r, g.s) {
		return errors.New("an access token's signature does not verify")
	}
	return nil
}

// publicKey is the one that the server signs with.
func publicKey(srv *server) (*ecdsa.PublicKey, error) {
	c, err := dial(srv.listen)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if err := c.do(request("GET", srv.host(), "/oauth/jwks", "")); err != nil {
		return nil, err
	}
	var set struct {
		Keys []struct{ X, Y string } `json:"keys"`
	}
	if err := json.Unmarshal(c.body, &set, json.MatchCaseInsensitiveNames(true)); err != nil || len(set.Keys) == 0 {
		return nil, fmt.Errorf("no keys in %s", c.body)
	}
	x, errX := base64.RawURLEncoding.DecodeString(set.Keys[0].X)
	y, errY := base64.RawURLEncoding.DecodeString(set.Keys[0].Y)
	if err := errors.Join(errX, errY); err != nil {
		return nil, err
	}
	return ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, x, y))
}

// revocations measures how long after a sign-out, acknowledged by one node, a
// verifier that follows another (or the same) still accepts the token.
func revocations(ctx context.Context, s settings, at, followed *server, store string, a api, all []person, out *report) error {
	v, err := follower(ctx, followed, a)
	if err != nil {
		return err
	}
	defer v.Close()
	c, err := dial(at.listen)
	if err != nil {
		return err
	}
	defer c.Close()
	// A hundred in a run of full length; a glance takes fewer.
	n := min(100, max(10, int(s.round/(20*time.Millisecond))))
	var delays []time.Duration
	for i := range n {
		b, err := at.signIn(all[i%len(all)])
		if err != nil {
			return err
		}
		if _, err := v.Verify(ctx, b.access); err != nil {
			return fmt.Errorf("a token of a live session: %w", err)
		}
		c.SetDeadline(time.Now().Add(patience))
		if err := c.do(request("DELETE", at.host(), "/session", "", "Authorization: Bearer "+b.access)); err != nil {
			return err
		}
		ended := time.Now()
		if err := c.expect(204); err != nil {
			return err
		}
		d, err := refused(ctx, v, b.access, ended)
		if err != nil {
			out.wrong(1, err)
			continue
		}
		delays = append(delays, d)
	}
	slices.Sort(delays)
	nodes := "one node"
	if at != followed {
		nodes = "two nodes"
	}
	out.figure(store, "W11 revocation seen, "+nodes+", p50", milliseconds(percentile(delays, 50)), "ms", "under 10")
	out.figure(store, "W11 revocation seen, "+nodes+", p99", milliseconds(percentile(delays, 99)), "ms", "under 100")
	return nil
}

// refused waits until the verifier refuses a token because it was revoked.
func refused(ctx context.Context, v *doorward.Verifier, token string, ended time.Time) (time.Duration, error) {
	for time.Since(ended) < patience {
		_, err := v.Verify(ctx, token)
		if no, ok := errors.AsType[*doorward.Refusal](err); ok && no.Check == "token.revoked" {
			return time.Since(ended), nil
		}
		if err != nil {
			return 0, fmt.Errorf("a revoked token is refused for another reason: %w", err)
		}
		time.Sleep(50 * time.Microsecond)
	}
	return 0, fmt.Errorf("a token is still accepted %s after its session ended", patience)
}
