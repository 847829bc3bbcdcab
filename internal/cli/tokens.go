package cli

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

const tokenWords = "The token is read from stdin, so that it stands in no shell's history and no list of processes."

// tokenCommand is a command about a token on stdin.
func tokenCommand(use, short string, run func(cmd *cobra.Command) error) *cobra.Command {
	return &cobra.Command{
		Use: use + " [-]", Short: short, Long: short + ". " + tokenWords, Example: "  doorward tokens " + use + " < token",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 && (len(args) > 1 || args[0] != "-") {
				return tokenOnCommandLine(use)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd) },
	}
}

func tokenOnCommandLine(command string) *failure {
	return &failure{Title: "A token on the command line stays in the shell's history.", Detail: "Give it on stdin:   doorward " + command + " < token", exit: exitUsage}
}

// secretLine reads one line from stdin: typed unseen, or piped.
func (r *root) secretLine(ask string) (string, error) {
	const most = 16 << 10
	var text []byte
	var err error
	if tty, ok := r.terminal(); ok {
		fmt.Fprint(r.stderr, ask)
		text, err = term.ReadPassword(int(tty.Fd()))
		fmt.Fprintln(r.stderr)
	} else {
		text, err = io.ReadAll(io.LimitReader(r.stdin, most+1))
	}
	s := strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r")
	switch {
	case err != nil:
		return "", &failure{Title: "Stdin could not be read.", Detail: err.Error(), exit: exitUsage}
	case s == "":
		return "", &failure{Title: "There was nothing on stdin.", exit: exitUsage}
	case len(s) > most:
		return "", &failure{Title: "That is too long for a token.", exit: exitUsage}
	}
	return s, nil
}

func (r *root) tokensVerify() *cobra.Command {
	var audience string
	cmd := tokenCommand("verify", "Have the server run every check of a token", func(cmd *cobra.Command) error {
		text, err := r.secretLine("Paste a token, then Enter: ")
		if err != nil {
			return err
		}
		e, err := r.examine(cmd.Context(), text, audience)
		if err == nil && e.Verdict != "good" {
			err = &failure{Title: "The token is not good.", Check: e.Check, exit: exitNo, documented: true}
		}
		return err
	})
	cmd.Flags().StringVar(&audience, "audience", "", "the API that is asked with it")
	return cmd
}

func (r *root) tokensRevoke() *cobra.Command {
	return tokenCommand("revoke", "End a token for good: an access token by itself, a refresh token with its family, a session's secret with its session", func(cmd *cobra.Command) error {
		text, err := r.secretLine("Paste a token, then Enter: ")
		if err != nil {
			return err
		}
		var out struct {
			Kind    string `json:"kind"`
			JTI     string `json:"jti"`
			Session string `json:"session"`
			Already bool   `json:"already"`
		}
		answer, err := r.call(cmd.Context(), http.MethodPost, "/api/v1/tokens/revoke", nil, tokenIn{Token: text}, &out)
		if err != nil {
			return err
		}
		return r.print(answer, func(w io.Writer) {
			if out.Already {
				fmt.Fprintln(w, "had ended before")
			} else {
				fmt.Fprintln(w, "revoked")
			}
			row(w, "kind", out.Kind)
			if out.JTI != "" {
				row(w, "token", out.JTI)
			}
			row(w, "session", out.Session)
		})
	})
}

type tokenIn struct {
	Token    string `json:"token"`
	Audience string `json:"audience,omitzero"`
}

// inspected is what a token says of itself. Nobody has checked any of it.
type inspected struct {
	Verified   bool                      `json:"verified"`
	Kind       string                    `json:"kind"`
	Header     map[string]jsontext.Value `json:"header,omitempty"`
	Claims     map[string]jsontext.Value `json:"claims,omitempty"`
	Version    int                       `json:"version,omitzero"`
	Key        string                    `json:"key,omitzero"` // tag of the key
	Generation *uint32                   `json:"generation,omitzero"`
}

func (r *root) tokensInspect() *cobra.Command {
	return tokenCommand("inspect", "Decode a token here, without asking whether it is good", func(*cobra.Command) error {
		text, err := r.secretLine("Paste a token, then Enter: ")
		if err != nil {
			return err
		}
		in, ok := inspect(text)
		if !ok {
			return &failure{Title: "This is no token: it is cut, changed, or something else.", exit: exitNo}
		}
		return r.print(in, func(w io.Writer) { showInspected(w, in) })
	})
}

// inspect decodes what can be read of a token without any key. Signatures,
// secrets and what is sealed are left out.
func inspect(text string) (inspected, bool) {
	kinds := map[string]string{"dw_at_": "opaque", "dw_rt_": "refresh", "dw_st_": "session"}
	if len(text) > 6 && kinds[text[:6]] != "" {
		in := inspected{Kind: kinds[text[:6]]}
		b, err := base64.RawURLEncoding.Strict().DecodeString(text[6:])
		if err != nil || strings.ContainsAny(text, "\r\n") || len(b) < 10 || crc32.ChecksumIEEE(b[:len(b)-4]) != binary.BigEndian.Uint32(b[len(b)-4:]) {
			return inspected{}, false
		}
		in.Version = int(b[0])
		if in.Kind != "session" {
			in.Key = fmt.Sprintf("%x", b[1:5])
		}
		if in.Kind == "refresh" && len(b) > 25 {
			n := binary.BigEndian.Uint32(b[21:25])
			in.Generation = &n
		}
		return in, true
	}
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return inspected{}, false
	}
	in := inspected{Kind: "jwt"}
	return in, decodePart(parts[0], &in.Header) && decodePart(parts[1], &in.Claims)
}

func decodePart(part string, into *map[string]jsontext.Value) bool {
	b, err := base64.RawURLEncoding.Strict().DecodeString(part)
	return err == nil && json.Unmarshal(b, into) == nil && len(*into) > 0
}

func showInspected(w io.Writer, in inspected) {
	fmt.Fprintf(w, "UNVERIFIED  %s: nobody has checked who made it, or whether it still counts\n\n", in.Kind)
	if in.Kind != "jwt" {
		row(w, "version", fmt.Sprint(in.Version))
		if in.Key != "" {
			row(w, "key", in.Key)
		}
		if in.Generation != nil {
			row(w, "generation", fmt.Sprint(*in.Generation))
		}
		fmt.Fprintln(w, "\nOnly the server can read the rest:   doorward tokens verify")
		return
	}
	for _, part := range []struct {
		name string
		of   map[string]jsontext.Value
	}{{"header", in.Header}, {"claims", in.Claims}} {
		fmt.Fprintln(w, part.name)
		for _, name := range slices.Sorted(maps.Keys(part.of)) {
			row(w, "  "+name, member(name, part.of[name]))
		}
	}
}

// member is a claim for people: instants are said in words as well.
func member(name string, v jsontext.Value) string {
	var seconds int64
	if slices.Contains([]string{"exp", "iat", "nbf", "auth_time"}, name) && json.Unmarshal(v, &seconds) == nil && seconds >= 0 && seconds < 1<<37 {
		return fmt.Sprintf("%d  %s", seconds, time.Unix(seconds, 0).UTC().Format(time.RFC3339))
	}
	return string(v)
}
