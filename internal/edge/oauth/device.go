package oauth

import (
	"net/http"
	"net/url"

	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/edge/door"
)

// A deviceAnswer is RFC 8628 section 3.2.
type deviceAnswer struct {
	DeviceCode string `json:"device_code"`
	UserCode   string `json:"user_code"`
	At         string `json:"verification_uri"`
	Complete   string `json:"verification_uri_complete"`
	ExpiresIn  int64  `json:"expires_in"`
	Interval   int64  `json:"interval"`
}

// deviceBegin gives a device its two codes (RFC 8628 section 3.1).
func (o *OAuth) deviceBegin(w http.ResponseWriter, r *http.Request) error {
	f, err := door.OAuthForm(w, r, append([]string{"scope", "resource"}, clientFields...)...)
	if err != nil {
		return err
	}
	proof, err := o.clientProof(r, f)
	if err != nil {
		return err
	}
	d, err := o.Exchange.DeviceBegin(r.Context(), o.Door.Caller(r), proof, exchange.Asked{Scope: f.Get("scope"), Resources: f["resource"]})
	if err != nil {
		return err
	}
	at := o.Exchange.Policy().Issuer + "/device"
	door.WriteJSON(w, "application/json", http.StatusOK, deviceAnswer{DeviceCode: d.DeviceCode, UserCode: d.UserCode, At: at,
		Complete: at + "?" + url.Values{"user_code": {d.UserCode}}.Encode(), ExpiresIn: int64(d.Until.Sub(o.Door.Now()).Seconds()), Interval: int64(d.Interval.Seconds())})
	return nil
}

func (o *OAuth) device(t tokenRequest) (exchange.Granted, error) {
	return o.Exchange.DeviceRedeem(t.Context(), o.Door.Caller(t.Request), t.proof, t.form.Get("device_code"), t.asked())
}
