package cli

import (
	"strings"
	"testing"
	"time"
)

const jobPath = " /api/v1/jobs/job_1"

func jobIn(state, did string) string {
	return `{"id":"job_1","kind":"sessions.end","query":"net:203.0.113.0/24","state":"` + state + `","matched":3000,"seen":9,"did":` + did + `,"by":"host:0","asked":"2026-11-22T15:02:07Z","changed":"2026-11-22T15:02:09Z"}`
}

// What the server goes on with after its answer is followed to its end.
func TestSessionsEndFollowsItsJob(t *testing.T) {
	answers := func(end string) map[string][]string {
		return map[string][]string{endPath: {`202 {"matched":3000,"ended":1000,"job":` + jobIn("running", "1000") + `}`},
			"GET" + jobPath: {"200 " + jobIn("running", "2000"), "200 " + end}}
	}
	s := newServer(t, answers(jobIn("done", "2999")))
	s.run("", "sessions", "end", "net:203.0.113.0/24", "--yes").want(t, exitYes, "ended 2999\n", "") // one ended by itself
	s.wantAsked(t, endPath+` {"query":"net:203.0.113.0/24","dry_run":false}`, "GET"+jobPath, "GET"+jobPath)

	s = newServer(t, answers(jobIn("done", "3000")))
	r := s.run("", "sessions", "end", "net:203.0.113.0/24", "--yes", "--json")
	r.want(t, exitYes, `{"matched":3000,"ended":3000,"job":`+jobIn("done", "3000")+"}\n", "")
	oneDocument(t, r.out)

	s = newServer(t, answers(jobIn("stopped", "2000")))
	s.run("", "sessions", "end", "net:203.0.113.0/24", "--yes").want(t, exitPartly, "", "Ended 2000 of 3000 sessions.\nGo on: doorward jobs resume job_1\n")
}

func TestJobs(t *testing.T) {
	s := newServer(t, map[string][]string{
		"GET /api/v1/jobs":            {`200 {"jobs":[` + jobIn("done", "3000") + `]}`},
		"POST" + jobPath + "/stop":    {"200 " + jobIn("stopped", "2000"), `409 {"title":"The job is not in a state for that.","check":"job.turnable","ref":"7KQ2-M4"}`},
		"POST" + jobPath + "/resume":  {"200 " + jobIn("running", "2000")},
		"GET" + jobPath:               {"200 " + jobIn("done", "3000"), "200 " + jobIn("stopped", "2000")},
		"GET /api/v1/jobs/..%2Fusers": {`404 {"title":"There is no such job."}`},
	})
	s.run("", "jobs", "list").want(t, exitYes, ""+
		"ID      WHAT           STATE   DONE   OF     BY       ASKED                  QUERY\n"+
		"job_1   sessions.end   done    3000   3000   host:0   2026-11-22T15:02:07Z   net:203.0.113.0/24\n", "")
	shown := func(state, did string) string {
		return "job     job_1\nwhat    sessions.end\nquery   net:203.0.113.0/24\nstate   " + state + "\ndone    " + did + " of 3000\nby      host:0\nasked   2026-11-22T15:02:07Z\n"
	}
	s.run("", "jobs", "stop", "job_1").want(t, exitYes, shown("stopped", "2000"), "")
	s.run("", "jobs", "stop", "job_1").want(t, exitConflict, "", "The job is not in a state for that.\njob.turnable · 7KQ2-M4\n")
	s.run("", "jobs", "resume", "job_1").want(t, exitYes, shown("done", "3000"), "")
	s.run("", "jobs", "watch", "job_1").want(t, exitPartly, shown("stopped", "2000"), "The job is stopped.\nGo on: doorward jobs resume job_1\n")
	s.run("", "jobs", "watch", "../users").want(t, exitNo, "", "There is no such job.\n")
}

// A word with - that is not in quotes looks like a flag; it must not be lost.
func TestAQueryOutsideQuotes(t *testing.T) {
	s := newServer(t, nil)
	s.run("", "sessions", "end", "net:203.0.113.0/24", "-client:notes", "--yes").want(t, exitUsage, "",
		"unknown shorthand flag: 'c' in -client:notes\nA query with - before a word goes in quotes:   doorward sessions end 'state:live -client:notes'\n")
	s.wantAsked(t)
}

func TestProgress(t *testing.T) {
	at := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	var p pace
	j := job{Matched: 20_000}
	for i, want := range []string{
		"ending 0% 0/20000", "ending 1% 200/20000", // before two seconds nobody knows how fast it is
		"ending 2% 400/20000 200/s eta=98s", "ending 3% 600/20000 200/s eta=97s",
	} {
		j.Did = 200 * i
		p.note(at.Add(time.Duration(i)*time.Second), j.Did)
		if got := p.line("ending", j); got != want {
			t.Errorf("%d: %q, want %q", i, got, want)
		}
	}
	for i := range 20 {
		j.Did += 1000
		p.note(at.Add(time.Duration(4+i)*time.Second), min(j.Did, 20_000))
	}
	if len(p.points) > 12 {
		t.Errorf("%d points for ten seconds", len(p.points))
	}
	j.Did = 10_000
	if got := p.bar("ending", j); !strings.HasPrefix(got, "ending "+strings.Repeat("█", 14)+strings.Repeat("·", 14)+" 50% 10000/20000") {
		t.Errorf("%q", got)
	}
	// An unknown length is no bar; more than was counted is no more than all.
	if got := (pace{}).bar("ending", job{Did: 7}); got != "ending 7" {
		t.Errorf("%q", got)
	}
	if got := (pace{}).bar("ending", job{Did: 9, Matched: 3}); got != "ending "+strings.Repeat("█", 28)+" 100% 9/3" {
		t.Errorf("%q", got)
	}
}

func TestEndTokens(t *testing.T) {
	s := newServer(t, map[string][]string{
		"POST /api/v1/users/ana@example.com/end-tokens": {`200 {"matched":3,"ended":3}`, `200 {"matched":3,"ended":3}`},
		"POST /api/v1/clients/notes/end-tokens":         {`200 {"client_id":"notes"}`},
	})
	s.run("", "users", "end-tokens", "ana@example.com").want(t, exitUsage, "", "This ends tokens and nobody is here to ask.\nAdd --yes to end them.\n")
	s.wantAsked(t)
	s.run("", "users", "end-tokens", "ana@example.com", "--yes").want(t, exitYes, "ended 3\n", "")
	s.run("", "clients", "end-tokens", "notes", "--yes", "--json").want(t, exitYes, `{"client_id":"notes"}`+"\n", "")
	question := "This ends every token of ana@example.com at once.\nType ana@example.com to go on: "
	runFrom(typing(t, "ana@example.com\n"), Programs{}, "users", "end-tokens", "ana@example.com", "--data", s.data).want(t, exitYes, "ended 3\n", question)
	runFrom(typing(t, "y\n"), Programs{}, "users", "end-tokens", "ana@example.com", "--data", s.data).want(t, exitNo, "", question+"Nothing was ended.\n")
}
