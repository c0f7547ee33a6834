package mysql

import (
	"strings"
)

// The statements, as they were written.
type (
	createDatabase struct {
		ifNotExists bool
		name        string
	}
	createTable struct {
		ifNotExists bool
		table       tableName
		columns     []column
		key         string
	}
	insert struct {
		table   tableName
		columns []string
		rows    [][]any
		// column becomes the sum of update where the key is there already; empty where that is an error.
		column string
		update []operand
	}
	selection struct {
		items []item
		from  *tableName
		limit int64 // -1 for none
	}
	use           struct{ database string }
	showDatabases struct{}
	showTables    struct{}
	nothing       struct{}
)

// A tableName without a database means the session's.
type tableName struct{ database, name string }

// An operand is a value, a column of the row that is there, or of the one that comes in.
type operand struct {
	minus    bool
	value    any
	column   string
	incoming bool
}

type itemKind int

const (
	valueItem itemKind = iota
	columnItem
	everyColumn
	countItem
	sumItem
	databaseItem
)

// An item is one of the things that are selected.
type item struct {
	kind   itemKind
	label  string
	column string
	value  any
}

func (s createDatabase) run(session *session) (result, error) {
	return result{changed: 1}, session.tables.createDatabase(s.name, s.ifNotExists)
}

func (s createTable) run(session *session) (result, error) {
	key := -1
	for i, c := range s.columns {
		if s.key != "" && strings.EqualFold(c.name, s.key) {
			key = i
		}
		for _, other := range s.columns[:i] {
			if strings.EqualFold(c.name, other.name) {
				return result{}, mistake(1060, "42S21", "Duplicate column name '%s'", c.name)
			}
		}
	}
	if s.key != "" && key < 0 {
		return result{}, mistake(1072, "42000", "Key column '%s' doesn't exist in table", s.key)
	}
	return result{}, session.tables.create(session.place(s.table), &table{columns: s.columns, key: key}, s.ifNotExists)
}

func (s insert) run(session *session) (result, error) {
	var out result
	err := session.tables.change(session.place(s.table), func(t *table) error {
		for _, values := range s.rows {
			changed, err := t.put(s, values)
			if err != nil {
				return err
			}
			out.changed += changed
		}
		return nil
	})
	return out, err
}

func (s selection) run(session *session) (result, error) {
	var out result
	var err error
	if s.from == nil {
		out, err = (&table{key: -1, rows: [][]any{{}}}).read(s.items, session.database)
	} else {
		err = session.tables.view(session.place(*s.from), func(t *table) error {
			out, err = t.read(s.items, session.database)
			return err
		})
	}
	if s.limit >= 0 && s.limit < int64(len(out.rows)) {
		out.rows = out.rows[:s.limit]
	}
	return out, err
}

func (s use) run(session *session) (result, error) { return result{}, session.use(s.database) }

func (showDatabases) run(session *session) (result, error) {
	return listing("Database", session.tables.databases()), nil
}

func (showTables) run(session *session) (result, error) {
	names, err := session.tables.in(session.database)
	return listing("Tables_in_"+session.database, names), err
}

func (nothing) run(*session) (result, error) { return result{}, nil }

// place completes a table's name.
func (s *session) place(name tableName) tableName {
	if name.database == "" {
		name.database = s.database
	}
	return name
}

func listing(column string, names []string) result {
	out := result{columns: []string{column}}
	for _, name := range names {
		out.rows = append(out.rows, []any{name})
	}
	return out
}
