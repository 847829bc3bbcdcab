package client

import (
	"testing"
	"time"
)

// Attack ENM-03.
func TestASecretProvesOneClientOnlyAndForItsTime(t *testing.T) {
	now := time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)
	a := Client{ID: "a", Secret: Secret{Hash: HashOf("a", "s3cret")}, Former: Secret{Hash: HashOf("a", "before"), Until: now.Add(time.Hour)}}
	b := Client{ID: "b", Secret: a.Secret, Former: a.Former}
	for text, want := range map[string]Secret{"s3cret": a.Secret, "before": a.Former} {
		if got, ok := a.Proves(text, now); !ok || got != want {
			t.Errorf("%q proves %v", text, got)
		}
	}
	for _, text := range []string{"", "s3cres", "Before", "s3cret "} {
		if _, ok := a.Proves(text, now); ok {
			t.Errorf("%q proves an application", text)
		}
	}
	if _, ok := a.Proves("before", now.Add(time.Hour)); ok {
		t.Error("a former secret works when its overlap is over")
	}
	if _, ok := a.Proves("s3cret", now.Add(1000*time.Hour)); !ok {
		t.Error("a secret ends by itself")
	}
	for _, c := range []Client{b, {ID: "c"}, {ID: "a", Former: a.Former}} {
		for _, text := range []string{"s3cret", "before", ""} {
			if _, ok := c.Proves(text, now); ok {
				t.Errorf("%q proves %s", text, c.ID)
			}
		}
	}
}
