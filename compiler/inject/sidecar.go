package inject

import "strconv"

// DrainSeconds is how long connections stay that were made under a configuration that changed since. Connections to a
// port that is not HTTP are judged when they are made: who may not make them any more loses the open ones after this
// time. Envoy's default is ten minutes.
const DrainSeconds = 30

// Arguments are how the sidecar is started from a configuration file, without its program name. Names in the file are
// relative to the folder that it is started in. Hot restart needs shared memory that pods do not have, and is off.
func Arguments(configuration, logLevel string) []string {
	return []string{
		"--config-path", configuration,
		"--log-level", logLevel,
		"--concurrency", "1",
		"--disable-hot-restart",
		"--drain-time-s", strconv.Itoa(DrainSeconds),
		"--drain-strategy", "immediate",
	}
}
