package doorward

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

const (
	// beatWithin is how long a stream may say nothing. The server speaks at least
	// each second; what is silent for longer than this is broken, or held up by
	// something in between, and the view must not grow old over it.
	beatWithin = 3 * time.Second
	// streamRest and streamRestMost bound how long polls do instead after a
	// stream failed.
	streamRest     = time.Second
	streamRestMost = time.Minute
	// frameMost bounds one event of a stream, in bytes.
	frameMost = 64 << 10
)

// A beat says as of when a stream's reader knows everything.
type beat struct {
	Next uint64 `json:"next"`
	Head uint64 `json:"head"`
	Held int64  `json:"held_ms"`
	Age  int64  `json:"age_ms"`
}

// check refuses a heartbeat that would make the view look newer than it is.
func (b beat) check(after uint64) error {
	return (&page{Next: b.Next, Head: b.Head, Held: b.Held, Age: b.Age}).check(after)
}

// listen follows the server's stream of events until it ends. Like a poll it
// makes a view from durations alone, anew with each heartbeat; unlike a held
// poll it does not make it old meanwhile. nil means that the server ended it.
func (f *feed) listen(ctx context.Context, address string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	quiet := time.AfterFunc(f.patience, func() { cancel(fmt.Errorf("the stream was silent for %v", f.patience)) })
	defer quiet.Stop()
	after := f.state.Load().position
	start := f.server.now()
	body, err := f.server.stream(ctx, address, after)
	if err != nil {
		return errors.Join(context.Cause(ctx), err)
	}
	defer body.Close()
	in := bufio.NewReaderSize(body, frameMost)
	for beats := 0; ; {
		kind, data, err := readFrame(in)
		if err == io.EOF && beats > 0 && ctx.Err() == nil {
			return nil
		}
		if err != nil {
			return errors.Join(context.Cause(ctx), err)
		}
		switch kind {
		case "revocation":
			var e event
			if err := f.read(data, &e); err != nil {
				return err
			}
			if err := e.check(); err != nil {
				return err
			}
			f.apply([]event{e})
		case "heartbeat":
			var b beat
			if err := f.read(data, &b); err != nil {
				return err
			}
			if err := b.check(after); err != nil {
				return err
			}
			quiet.Reset(f.patience)
			beats++
			if after = b.Next; b.Next >= b.Head {
				f.settle(b.Next, asOf(start, f.server.now(), b.Held, b.Age), f.server.now())
			}
		default:
			// It could be a loss of trust in words of a later version.
			return &shapeError{fmt.Sprintf("the stream has an event of the unknown kind %q", kind)}
		}
	}
}

func (f *feed) read(data []byte, into any) error {
	if err := json.Unmarshal(data, into); err != nil {
		return &shapeError{"the stream: " + err.Error()}
	}
	return nil
}

// asOf is the instant whose truth an answer tells: the request's start, later
// by what the server held it and earlier by how old its own reading was. What
// was held is never longer than it took, by either reading of the clock: on a
// machine that slept the two differ.
func asOf(start, end time.Time, held, age int64) time.Time {
	took := max(end.Sub(start), end.Round(0).Sub(start.Round(0)))
	return start.Add(min(time.Duration(held)*time.Millisecond, took)).Add(-time.Duration(age) * time.Millisecond)
}

// stream opens a stream of the events after a position.
func (s *server) stream(ctx context.Context, address string, after uint64) (io.ReadCloser, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	q := u.Query()
	q.Set("after", strconv.FormatUint(after, 10))
	u.RawQuery = q.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "text/event-stream")
	req.SetBasicAuth(url.QueryEscape(s.client), url.QueryEscape(s.secret))
	endless := *s.http
	endless.Timeout = 0 // silence bounds a stream, not its length
	res, err := endless.Do(req)
	if err != nil {
		return nil, err
	}
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	switch {
	case res.StatusCode != http.StatusOK:
		err = &statusError{u.Path, res.StatusCode}
	case kind != "text/event-stream":
		err = &shapeError{u.Path + " did not answer with events"}
	default:
		return res.Body, nil
	}
	res.Body.Close()
	return nil, err
}

// readFrame reads one server-sent event (WHATWG HTML section 9.2.6). Comments
// and fields that it has no use for are skipped; an event that the end cuts off
// is none.
func readFrame(in *bufio.Reader) (kind string, data []byte, err error) {
	some := false
	for {
		line, err := in.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			return "", nil, &shapeError{"the stream has a line that is too long"}
		case err != nil:
			return "", nil, err
		}
		line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
		if len(line) == 0 {
			if some {
				return kind, data, nil
			}
			continue
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(name) {
		case "event":
			kind, some = string(value), true
		case "data":
			if data = append(append(data, value...), '\n'); len(data) > frameMost {
				return "", nil, &shapeError{"the stream has an event that is too long"}
			}
			some = true
		}
	}
}
