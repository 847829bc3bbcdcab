package app

import (
	"context"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"github.com/doorward/doorward/internal/core/settle"
)

// tellSetup shows whoever started the server how to become its first
// administrator: on their terminal and never in a log, which others read and
// which is kept (security defaults 3.7).
func (s *server) tellSetup(ctx context.Context, at *os.File) {
	if !terminal(at) {
		return
	}
	if err := s.offerSetup(ctx, at); err != nil {
		s.log.Warn("the setup link could not be made; doorward setup-link makes one", "cause", err)
	}
}

// offerSetup writes the setup link when there is no administrator yet.
func (s *server) offerSetup(ctx context.Context, to io.Writer) error {
	waits, err := s.exchange.SetupOpen(ctx)
	if err != nil || !waits {
		return err
	}
	o, err := s.exchange.OfferSetup(ctx, settle.Caller{Actor: fmt.Sprintf("host:%d", os.Getuid())})
	if err == nil {
		fmt.Fprintf(to, "\nThis server has no administrator yet. Until %s this link makes one:\n\n  %s%s\n\n", o.Until.UTC().Format("15:04 MST"), s.config.Issuer, o.Link)
	}
	return err
}

// terminal says whether somebody sits at the other end of a file.
func terminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}
