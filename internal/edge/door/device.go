package door

import "github.com/mileusna/useragent"

// Device names the browser behind a user agent, in words. What it says of
// itself is not proof of anything; it helps people recognise their own.
func Device(agent string) string {
	if agent == "" {
		return "an app or a tool"
	}
	ua := useragent.Parse(agent)
	switch {
	case ua.Name != "" && ua.OS != "":
		return ua.Name + " on " + ua.OS
	case ua.Name != "":
		return ua.Name
	}
	return "an unknown browser"
}
