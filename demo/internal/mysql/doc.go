// Package mysql is the database of the demo: the wire protocol of MySQL, complete enough for its drivers and command-line clients, over a few tables in
// memory.
//
// The protocol is what the demo needs a database for: the server speaks first, so that a sidecar which waits for the client's first bytes would wait for
// ever. The SQL behind it is small: CREATE DATABASE, CREATE TABLE, INSERT … ON DUPLICATE KEY UPDATE, SELECT of columns, COUNT(*) and SUM, SHOW and
// USE. What it does not know it refuses; it never guesses. Server runs that; Real runs a MySQL or MariaDB that is installed.
//
//	packet.go     bytes on the wire
//	handshake.go  greeting and passwords
//	server.go     connections and commands
//	token.go, parse.go, statement.go, tables.go   the SQL
//	real.go       the real thing
package mysql
