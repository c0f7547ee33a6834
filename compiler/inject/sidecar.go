package inject

// Arguments are how the sidecar is started from a configuration file, without its program name. Names in the file are
// relative to the folder that it is started in. Hot restart needs shared memory that pods do not have, and is off.
func Arguments(configuration, logLevel string) []string {
	return []string{
		"--config-path", configuration,
		"--log-level", logLevel,
		"--concurrency", "1",
		"--disable-hot-restart",
	}
}
