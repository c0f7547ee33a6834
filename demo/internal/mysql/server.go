package mysql

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"time"
)

// A Server is the embedded database. Every user name is let in with its password, and may do everything.
type Server struct {
	Password string
	// Database exists from the start.
	Database string
	Log      *slog.Logger
}

// patience is how long a client may take to say who it is.
const patience = 10 * time.Second

// Serve answers clients until ctx ends; then it closes their connections and returns nil.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	var clients sync.WaitGroup
	defer clients.Wait()
	defer cancel()
	context.AfterFunc(ctx, func() { _ = listener.Close() })
	s.Log.Info("listening", "address", listener.Addr().String())
	tables := newTables(s.Database)
	for id := uint32(1); ; id++ {
		connection, err := listener.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				_ = connection.Close()
			}
			return nil
		case err != nil:
			return err
		}
		clients.Go(func() {
			closed := make(chan struct{})
			stop := context.AfterFunc(ctx, func() {
				_ = connection.Close()
				close(closed)
			})
			if err := s.attend(connection, id, tables); err != nil && !errors.Is(err, io.EOF) && ctx.Err() == nil {
				s.Log.Debug("connection ended", "client", connection.RemoteAddr().String(), "reason", err.Error())
			}
			if stop() {
				_ = connection.Close()
				return
			}
			<-closed // Serve returns when the clients know.
		})
	}
}

// attend serves one client until it leaves.
func (s *Server) attend(connection net.Conn, id uint32, tables *tables) error {
	if err := connection.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	w := &wire{ReadWriter: connection}
	database, err := shake(w, id, s.Password)
	if err != nil {
		return fail(w, err)
	}
	session := &session{tables: tables}
	if database != "" {
		if err := session.use(database); err != nil {
			return fail(w, err)
		}
	}
	if err := w.write(okPacket(0)); err != nil {
		return err
	}
	if err := connection.SetDeadline(time.Time{}); err != nil {
		return err
	}
	for {
		command, err := w.read()
		if err != nil {
			return err
		}
		if len(command) == 0 || command[0] == quit {
			return nil
		}
		if err := session.obey(w, command); err != nil {
			return err
		}
	}
}

// fail tells the client an error that is meant for it, and returns it.
func fail(w *wire, err error) error {
	var said *Error
	if errors.As(err, &said) {
		_ = w.write(said.packet())
	}
	return err
}

// The commands, by their bytes in the protocol.
const (
	quit    = 0x01
	initDB  = 0x02
	query   = 0x03
	ping    = 0x0e
	prepare = 0x16
	reset   = 0x1f
)

// A session is what a client has chosen so far.
type session struct {
	tables   *tables
	database string
}

// obey carries out one command. It returns an error only if the connection is no longer of use.
func (s *session) obey(w *wire, command []byte) error {
	argument := string(command[1:])
	var answer result
	var err error
	switch command[0] {
	case ping:
	case reset:
		s.database = ""
	case initDB:
		err = s.use(argument)
	case query:
		answer, err = s.run(argument)
	case prepare:
		err = &Error{Code: 1295, State: "HY000", Message: "This command is not supported in the prepared statement protocol yet"}
	default:
		err = &Error{Code: 1047, State: "08S01", Message: "Unknown command"}
	}
	var said *Error
	switch {
	case errors.As(err, &said):
		return w.write(said.packet())
	case err != nil:
		return err
	}
	return w.write(answer.packets()...)
}

func (s *session) use(database string) error {
	if err := s.tables.has(database); err != nil {
		return err
	}
	s.database = database
	return nil
}

func (s *session) run(text string) (result, error) {
	statement, err := parse(text)
	if err != nil {
		return result{}, err
	}
	return statement.run(s)
}

// An Error is one that a client is told, with the numbers MySQL gives it.
type Error struct {
	Code    uint16
	State   string
	Message string
}

func (e *Error) Error() string { return fmt.Sprintf("%d (%s): %s", e.Code, e.State, e.Message) }

func (e *Error) packet() []byte {
	b := binary.LittleEndian.AppendUint16([]byte{0xff}, e.Code)
	b = append(b, '#')
	b = append(b, e.State...)
	return append(b, e.Message...)
}

// A result is what a statement answers: rows, or how many rows it changed where there are no columns.
type result struct {
	columns []string
	rows    [][]any // int64, string or nil
	changed uint64
}

func (r result) packets() [][]byte {
	if len(r.columns) == 0 {
		return [][]byte{okPacket(r.changed)}
	}
	packets := [][]byte{appendLength(nil, uint64(len(r.columns)))}
	for i, name := range r.columns {
		packets = append(packets, columnPacket(name, r.number(i)))
	}
	packets = append(packets, endPacket())
	for _, row := range r.rows {
		packets = append(packets, rowPacket(row))
	}
	return append(packets, endPacket())
}

// number says whether a column has numbers: its first value that is not null decides.
func (r result) number(column int) bool {
	for _, row := range r.rows {
		switch row[column].(type) {
		case int64:
			return true
		case string:
			return false
		}
	}
	return false
}

func okPacket(changed uint64) []byte {
	b := appendLength([]byte{0}, changed)
	b = append(b, 0)
	b = binary.LittleEndian.AppendUint16(b, autocommit)
	return append(b, 0, 0)
}

func endPacket() []byte { return []byte{0xfe, 0, 0, autocommit, 0} }

func columnPacket(name string, number bool) []byte {
	charset, kind, width := uint16(utf8mb4), byte(0xfd), uint32(1024) // VARCHAR
	if number {
		charset, kind, width = binary8, 0x08, 20 // BIGINT
	}
	b := appendText(nil, "def")
	for range 3 {
		b = appendText(b, "") // database, table, table's own name
	}
	b = appendText(b, name)
	b = appendText(b, name)
	b = append(b, 0x0c)
	b = binary.LittleEndian.AppendUint16(b, charset)
	b = binary.LittleEndian.AppendUint32(b, width)
	return append(b, kind, 0, 0, 0, 0, 0)
}

func rowPacket(row []any) []byte {
	var b []byte
	for _, value := range row {
		switch v := value.(type) {
		case nil:
			b = append(b, 0xfb)
		case int64:
			b = appendText(b, strconv.FormatInt(v, 10))
		case string:
			b = appendText(b, v)
		}
	}
	return b
}
