package doorward

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/big"
	"strings"
	"testing"
)

// BenchmarkRawES256 is the floor: one signature, nothing parsed.
func BenchmarkRawES256(b *testing.B) {
	_, s, _, token := good(b)
	cut := strings.LastIndex(token, ".")
	sig, _ := base64.RawURLEncoding.DecodeString(token[cut+1:])
	hash := sha256.Sum256([]byte(token[:cut]))
	r, sv := new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])
	public := &s.key.(*ecdsa.PrivateKey).PublicKey
	b.ReportAllocs()
	for b.Loop() {
		if !ecdsa.Verify(public, hash[:], r, sv) {
			b.Fatal("bad signature")
		}
	}
}

func BenchmarkVerifyFirst(b *testing.B) {
	_, _, v, token := good(b)
	b.ReportAllocs()
	for b.Loop() {
		v.cache.now = nil
		if _, err := v.Verify(b.Context(), token); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerifyAgain(b *testing.B) {
	i, _, v, token := good(b)
	for n := range 90 {
		i.revoke("session", fmt.Sprint("other_", n))
	}
	if err := v.feed.poll(b.Context(), 0); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Verify(b.Context(), token); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerifyAgainParallel(b *testing.B) {
	_, _, v, token := good(b)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := v.Verify(b.Context(), token); err != nil {
				b.Error(err)
			}
		}
	})
}

// TestAgainAllocatesTwice holds what the benchmark shows: the identity and its
// lists, nothing else.
func TestAgainAllocatesTwice(t *testing.T) {
	_, _, v, token := good(t)
	wantAccepted(t, v, token)
	if n := testing.AllocsPerRun(100, func() { _, _ = v.Verify(t.Context(), token) }); n > 2 {
		t.Errorf("%v allocations", n)
	}
}
