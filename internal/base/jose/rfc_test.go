package jose

import (
	"bytes"
	"crypto/x509"
	"testing"

	gojose "github.com/go-jose/go-jose/v4"
)

// The claims of the examples of RFC 7515 appendix A, in their own spelling.
const (
	rfc7515Claims  = "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}"
	rfc7515Payload = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
)

// RFC 7515 appendices A.1 to A.3 and RFC 8037 appendix A.4. Their tokens name no
// key and have no type, so their keys are sets of one. Left out: A.4, ES512, is
// not on the list; A.5 has no signature; A.6 is no compact form.
func TestSignaturesOfTheRFCs(t *testing.T) {
	for name, c := range map[string]struct{ jwk, alg, header, payload, signature, want string }{
		"RFC 7515 A.2": {
			`{"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"}`,
			"RS256", "eyJhbGciOiJSUzI1NiJ9", rfc7515Payload,
			"cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
			rfc7515Claims,
		},
		"RFC 7515 A.3": {
			`{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}`,
			"ES256", "eyJhbGciOiJFUzI1NiJ9", rfc7515Payload,
			"DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
			rfc7515Claims,
		},
		"RFC 8037 A.4": {
			`{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`,
			"EdDSA", "eyJhbGciOiJFZERTQSJ9", "RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
			"hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
			"Example of Ed25519 signing",
		},
	} {
		set, err := ReadJWKS([]byte(`{"keys":[` + c.jwk + `]}`))
		if err != nil {
			t.Fatal(name, err)
		}
		claims, by, err := set.Verify(c.header+"."+c.payload+"."+c.signature, []string{""}, OthersAlgs())
		if err != nil || string(claims) != c.want || string(by.Alg()) != c.alg {
			t.Errorf("%s: %q by %s, %v", name, claims, by.Alg(), err)
		}
		if claims, _, err := set.Verify(c.header+"."+"Q"+c.payload[1:]+"."+c.signature, []string{""}, OthersAlgs()); err == nil {
			t.Errorf("%s: other claims too: %q", name, claims)
		}
	}

	// A.1 is by a secret, and its header has line breaks.
	secret, err := decode("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewShared("kid", HS256, secret)
	if err != nil {
		t.Fatal(err)
	}
	token := "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." + rfc7515Payload + ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	h, err := readHeader(token)
	if err != nil {
		t.Fatal(err)
	}
	if claims, err := h.open(token, string(s.alg), s.secret); err != nil || string(claims) != rfc7515Claims {
		t.Errorf("RFC 7515 A.1: %q, %v", claims, err)
	}
}

// RFC 8037 appendix A.3 and RFC 9449 section 6.1, beside that of RFC 7638.
func TestThumbprintsOfTheRFCs(t *testing.T) {
	for jwk, want := range map[string]string{
		`{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`:                                                                       "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
		`{"kty":"EC","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA","crv":"P-256"}`:                        "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I",
		`{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"whatever","use":"sig","alg":"EdDSA","key_ops":["verify"],"a":1}`: "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
	} {
		k, err := ReadJWK([]byte(jwk))
		if err != nil || k.Thumbprint() != want {
			t.Errorf("%s: %q, %v", jwk, k.Thumbprint(), err)
		}
	}
}

// RFC 7520 section 5.5: agreement on P-256, used as it is. The others of section
// 5 are by algorithms or curves that are not on the list (RSA1_5, RSA-OAEP with
// SHA-1, PBES2, P-384, keys that are shared), compress, or are no compact form.
func TestEncryptionOfRFC7520(t *testing.T) {
	const (
		jwk = `{"kty":"EC","kid":"meriadoc.brandybuck@buckland.example","use":"enc","crv":"P-256","x":"Ze2loSV3wrroKUN_4zhwGhCqo3Xhu1td4QjeQ5wIVR0",` +
			`"y":"HlLtdXARY_f55A3fnzQbPcm6hgr34Mp8p-nuzQCE0Zw","d":"r_kHyZ-a06rmxM3yESK84r1otSg-aQcVStkRhA-iCM8"}`
		token = "eyJhbGciOiJFQ0RILUVTIiwia2lkIjoibWVyaWFkb2MuYnJhbmR5YnVja0BidWNrbGFuZC5leGFtcGxlIiwiZXBrIjp7Imt0eSI6IkVDIiwiY3J2IjoiUC0yNTYiLCJ4IjoibVBVS1RfYkFXR0hJaGcwVHBqanFWc1AxclhXUXVfdndWT0hIdE5rZFlvQSIsInkiOiI4QlFBc0ltR2VBUzQ2ZnlXdzVNaFlmR1RUMElqQnBGdzJTUzM0RHY0SXJzIn0sImVuYyI6IkExMjhDQkMtSFMyNTYifQ." +
			"." +
			"yc9N8v5sYyv3iGQT926IUg." +
			"BoDlwPnTypYq-ivjmQvAYJLb5Q6l-F3LIgQomlz87yW4OPKbWE1zSTEFjDfhU9IPIOSA9Bml4m7iDFwA-1ZXvHteLDtw4R1XRGMEsDIqAYtskTTmzmzNa-_q4F_evAPUmwlO-ZG45Mnq4uhM1fm_D9rBtWolqZSF3xGNNkpOMQKF1Cl8i8wjzRli7-IXgyirlKQsbhhqRzkv8IcY6aHl24j03C-AR2le1r7URUhArM79BY8soZU0lzwI-sD5PZ3l4NDCCei9XkoIAfsXJWmySPoeRb2Ni5UZL4mYpvKDiwmyzGd65KqVw7MsFfI_K767G9C9Azp73gKZD0DyUn1mn0WW5LmyX_yJ-3AROq8p1WZBfG-ZyJ6195_JGG2m9Csg." +
			"WCCkNa-x4BeB9hIDIfFuhg"
	)
	k := decryptionKey(t, ECDHES, jwk)
	k.kid = "meriadoc.brandybuck@buckland.example" // theirs, not ours, which would be the thumbprint
	plain, err := Decrypt(token, k)
	if err != nil || !bytes.HasPrefix(plain, []byte("You can trust us to stick with you through thick and thin")) {
		t.Errorf("%q, %v", plain, err)
	}
}

// decryptionKey is a private key from somebody's JWK.
func decryptionKey(t *testing.T, alg KeyAlg, jwk string) *DecryptionKey {
	t.Helper()
	var j gojose.JSONWebKey
	if err := j.UnmarshalJSON([]byte(jwk)); err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(j.Key)
	if err != nil {
		t.Fatal(err)
	}
	k, err := ParseDecryptionKey(alg, der)
	if err != nil {
		t.Fatal(err)
	}
	return k
}
