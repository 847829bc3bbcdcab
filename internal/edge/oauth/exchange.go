package oauth

import (
	"slices"

	"github.com/doorward/doorward/internal/core/exchange"
)

// exchange trades a token (RFC 8693). audience and resource both say whom the
// new one is for: here, either is the name of a resource.
func (o *OAuth) exchange(t tokenRequest) (exchange.Granted, error) {
	in := exchange.ExchangeInput{Subject: t.form.Get("subject_token"), SubjectType: t.form.Get("subject_token_type"), Actor: t.form.Get("actor_token"),
		ActorType: t.form.Get("actor_token_type"), Wants: t.form.Get("requested_token_type"), Asked: t.asked()}
	in.Resources = slices.Concat(in.Resources, t.form["audience"])
	return o.Exchange.ExchangeToken(t.Context(), o.Door.Caller(t.Request), t.proof, in)
}

// An actor acts for the subject of a token.
type actor struct {
	Subject string `json:"sub"`
	Act     *actor `json:"act,omitzero"`
}

func acting(chain []string) (out *actor) {
	for _, sub := range slices.Backward(chain) {
		out = &actor{sub, out}
	}
	return out
}
