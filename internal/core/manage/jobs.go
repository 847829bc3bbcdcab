package manage

import (
	"context"
	"errors"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/job"
	"github.com/doorward/doorward/internal/core/settle"
)

var (
	stopJob   = check.Declare(124, "job.stop", job.Found, job.Turnable)
	resumeJob = check.Declare(125, "job.resume", job.Found, job.Turnable)
)

const jobsAtMost = 100

// Job shows one job.
func (m *Manage) Job(ctx context.Context, id job.ID) (job.Job, error) {
	v := m.pipe.Store.View(ctx)
	j := v.Job(id)
	if err := v.Err(); err != nil {
		return job.Job{}, err
	}
	if !j.Exists() {
		return job.Job{}, check.Refuse(job.Found)
	}
	return j, nil
}

// Jobs lists the newest jobs.
func (m *Manage) Jobs(ctx context.Context) ([]job.Job, error) {
	v := m.pipe.Store.View(ctx)
	all := v.Jobs(jobsAtMost)
	return all, v.Err()
}

// StopJob stops a job between two of its parts: what is done stays done.
func (m *Manage) StopJob(ctx context.Context, by settle.Caller, id job.ID) error {
	return m.turn(ctx, stopJob, by, id, job.Running, job.Stopped)
}

// ResumeJob lets a stopped job go on from where it was.
func (m *Manage) ResumeJob(ctx context.Context, by settle.Caller, id job.ID) error {
	return m.turn(ctx, resumeJob, by, id, job.Stopped, job.Running)
}

func (m *Manage) turn(ctx context.Context, of *check.Exchange, by settle.Caller, id job.ID, from, to job.State) error {
	return m.pipe.Run(ctx, of, by, func(j *settle.Judgement) core.Unit {
		jb := j.View.Job(id)
		if !j.Hold(job.Found, jb.Exists()) || !j.Hold(job.Turnable, jb.State == from) {
			return nil
		}
		return core.Unit{job.Turn{ID: id, From: from, To: to, At: j.Now}}
	}, nil)
}

// Work goes on with every running job that nobody else works on, a part of
// each in turn, until there is none or ctx ends.
func (m *Manage) Work(ctx context.Context) error {
	for going := true; going && ctx.Err() == nil; {
		going = false
		v := m.pipe.Store.View(ctx)
		for _, j := range v.JobsIn(job.Running, jobsAtMost) {
			more, err := m.part(ctx, j.ID)
			var refusal *check.Refusal
			if err != nil && !errors.As(err, &refusal) { // refused: it was stopped meanwhile
				return err
			}
			going = going || more
		}
		if err := v.Err(); err != nil {
			return err
		}
	}
	return nil
}
