package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of CPU times in /proc, the same on every Linux (proc(5)).
const tick = 10 * time.Millisecond

// stat is what the kernel counts of a process.
type stat struct {
	name     string
	parent   int
	own      time.Duration // user and system time
	children time.Duration // of children that ended and were waited for
}

func readStat(pid int) (s stat, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return s, err
	}
	return parseStat(string(text))
}

// parseStat reads proc_pid_stat(5). The name is in parentheses and may hold
// any character, so what follows is counted from the last one.
func parseStat(text string) (s stat, err error) {
	open, shut := strings.IndexByte(text, '('), strings.LastIndexByte(text, ')')
	if open < 0 || shut < open {
		return s, fmt.Errorf("not a stat of a process: %q", text)
	}
	s.name = text[open+1 : shut]
	fields := strings.Fields(text[shut+1:])
	var n [5]int64
	for i, at := range []int{1, 11, 12, 13, 14} { // ppid, utime, stime, cutime, cstime
		if at >= len(fields) {
			return s, fmt.Errorf("a short stat of a process: %q", text)
		}
		if n[i], err = strconv.ParseInt(fields[at], 10, 64); err != nil {
			return s, err
		}
	}
	s.parent, s.own, s.children = int(n[0]), time.Duration(n[1]+n[2])*tick, time.Duration(n[3]+n[4])*tick
	return s, nil
}

// children are the processes that a process started.
func children(parent int) (pids []int) {
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil {
			continue
		}
		if s, err := readStat(pid); err == nil && s.parent == parent {
			pids = append(pids, pid)
		}
	}
	return pids
}

// spent is the CPU time of a process; with family, that of its children too.
func spent(pid int, family bool) time.Duration {
	s, err := readStat(pid)
	if err != nil {
		return 0
	}
	all := s.own
	if family {
		all += s.children
		for _, child := range children(pid) {
			if c, err := readStat(child); err == nil {
				all += c.own
			}
		}
	}
	return all
}

// resident is the memory of a process in bytes.
func resident(pid int) int64 {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			return kib << 10
		}
	}
	return 0
}

// A cost is CPU time since a process began, and its memory now in bytes.
type cost struct {
	server, database time.Duration
	memory           int64
}

func costOf(pid int) cost { return cost{server: spent(pid, false), memory: resident(pid)} }
