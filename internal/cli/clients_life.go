package cli

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// aboutClient is a command about one application: it asks and shows it as it
// stands afterwards.
func (r *root) aboutClient(use, short, long, method, act string) *cobra.Command {
	return &cobra.Command{
		Use: use + " CLIENT", Short: short, Long: long, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return r.onClient(cmd, method, args[0], act, nil) },
	}
}

// onClient makes one call about an application and shows what came of it.
func (r *root) onClient(cmd *cobra.Command, method, id, act string, body any) error {
	var answer jsontext.Value
	var c client
	if _, err := r.call(cmd.Context(), method, "/api/v1/clients/"+url.PathEscape(id)+act, nil, body, &answer); err != nil {
		return err
	}
	if err := json.Unmarshal(answer, &c); err != nil {
		return &failure{Title: "The server's answer cannot be read.", Detail: err.Error(), exit: exitNo}
	}
	return r.showClient(answer, c)
}

func (r *root) clientsShow() *cobra.Command {
	return r.aboutClient("show", "Show one application, and when its secrets were last used", "", http.MethodGet, "")
}

func (r *root) clientsPause() *cobra.Command {
	return r.aboutClient("pause", "Stop an application from everything: its tokens end at once", "", http.MethodPost, "/pause")
}

func (r *root) clientsResume() *cobra.Command {
	return r.aboutClient("resume", "Let a paused application ask again", "Let a paused application ask again. What the pause ended stays ended: people sign in to it anew.", http.MethodPost, "/resume")
}

func (r *root) clientsRetireSecret() *cobra.Command {
	return r.aboutClient("retire-secret", "End an application's former secret before its time", "", http.MethodPost, "/retire-secret")
}

func (r *root) clientsRotateSecret() *cobra.Command {
	var overlap time.Duration
	cmd := &cobra.Command{
		Use: "rotate-secret CLIENT", Short: "Make an application's next secret", Args: cobra.ExactArgs(1),
		Long: "Make an application's next secret, which is shown this once. The one it has goes on working for the overlap, so that\n" +
			"every node of the application can be given the new one. With --overlap 0s it ends at once, and so does an older one.",
		Example: "  doorward clients rotate-secret notes --overlap 24h",
		RunE: func(cmd *cobra.Command, args []string) error {
			var in struct {
				Overlap *int64 `json:"overlap,omitzero"`
			}
			if cmd.Flags().Changed("overlap") {
				in.Overlap = new(int64(overlap / time.Second))
			}
			return r.onClient(cmd, http.MethodPost, args[0], "/rotate-secret", in)
		},
	}
	cmd.Flags().DurationVar(&overlap, "overlap", 7*24*time.Hour, "how long the secret before goes on working, at most 2160h")
	return cmd
}

func (r *root) clientsEdit() *cobra.Command {
	var in registering
	var metadata string
	var more []string
	cmd := &cobra.Command{
		Use: "edit CLIENT", Short: "Change what an application is registered with", Args: cobra.ExactArgs(1),
		Long: "Change what an application is registered with. A flag replaces everything of its kind; what is not named stays.\n" +
			"What the application may no longer have ends at once: its access tokens when scopes, resources, addresses or grants are\n" +
			"taken away, everything when it no longer proves itself or is ours no longer.",
		Example: "  doorward clients edit notes --redirect https://notes.example.com/callback --scope openid --scope notes:read",
		RunE: func(cmd *cobra.Command, args []string) error {
			var body any
			if metadata != "" {
				text, err := r.source(metadata)
				if err != nil {
					return err
				}
				value := jsontext.Value(text)
				if !value.IsValid() || value.Kind() != '{' {
					return &failure{Title: "The metadata is no JSON object.", exit: exitUsage}
				}
				body = value
			} else {
				if err := in.complete(r); err != nil {
					return err
				}
				if len(more) > 0 {
					if err := r.addRedirects(cmd, args[0], more, &in); err != nil {
						return err
					}
				}
				patch, err := in.patch(cmd.Flags())
				if err != nil {
					return err
				}
				body = patch
			}
			return r.onClient(cmd, http.MethodPatch, args[0], "", body)
		},
	}
	cmd.Flags().StringVar(&metadata, "metadata", "", "a JSON merge patch of its metadata, from a file or stdin")
	in.flags(cmd.Flags())
	cmd.Flags().StringArrayVar(&more, "add-redirect", nil, "one more address to come back to after sign-in")
	cmd.MarkFlagsMutuallyExclusive("jwks", "jwks-uri")
	cmd.MarkFlagsMutuallyExclusive("redirect", "add-redirect")
	cmd.MarkFlagsMutuallyExclusive("metadata", "add-redirect")
	for flag := range members {
		cmd.MarkFlagsMutuallyExclusive("metadata", flag)
	}
	return cmd
}

// addRedirects makes the patch hold the addresses that an application has and
// more, for the version that has them: nobody's change meanwhile is undone.
func (r *root) addRedirects(cmd *cobra.Command, id string, more []string, in *registering) error {
	var has client
	if _, err := r.call(cmd.Context(), http.MethodGet, "/api/v1/clients/"+url.PathEscape(id), nil, nil, &has); err != nil {
		return err
	}
	in.Redirects, in.Version = has.Redirects, has.Version
	for _, address := range more {
		if !slices.Contains(in.Redirects, address) {
			in.Redirects = append(in.Redirects, address)
		}
	}
	return nil
}

// patch is what the flags that were given say, and nothing of the others: one
// that was given as nothing takes away.
func (in registering) patch(flags *pflag.FlagSet) (map[string]jsontext.Value, error) {
	text, err := json.Marshal(in.client)
	if err != nil {
		return nil, err
	}
	var all, out map[string]jsontext.Value
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, err
	}
	if in.Version != nil {
		out = map[string]jsontext.Value{"redirect_uris": all["redirect_uris"], "doorward_version": all["doorward_version"]}
	}
	flags.Visit(func(f *pflag.Flag) {
		if member := members[f.Name]; member != "" {
			if out == nil {
				out = map[string]jsontext.Value{}
			}
			if out[member] = all[member]; out[member] == nil || strings.TrimSpace(f.Value.String()) == "[]" {
				out[member] = jsontext.Value("null")
			}
		}
	})
	if out == nil {
		return nil, &failure{Title: "Say what to change.", Detail: "See doorward clients edit --help", exit: exitUsage}
	}
	return out, nil
}
