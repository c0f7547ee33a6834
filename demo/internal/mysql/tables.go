package mysql

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// A tables is everything that is stored, by database and name.
type tables struct {
	mu   sync.RWMutex
	here map[string]map[string]*table
}

// A table has its rows in the order in which they came.
type table struct {
	columns []column
	key     int // the column of the primary key, or -1
	rows    [][]any
}

type column struct {
	name     string
	required bool
	text     bool
	longest  int // of a text, in characters
}

func newTables(database string) *tables {
	t := &tables{here: map[string]map[string]*table{}}
	if database != "" {
		t.here[database] = map[string]*table{}
	}
	return t
}

func (t *tables) has(database string) error {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.find(database)
}

func (t *tables) find(database string) error {
	switch _, ok := t.here[database]; {
	case ok:
		return nil
	case database == "":
		return mistake(1046, "3D000", "No database selected")
	}
	return mistake(1049, "42000", "Unknown database '%s'", database)
}

func (t *tables) databases() []string {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return slices.Sorted(maps.Keys(t.here))
}

func (t *tables) in(database string) ([]string, error) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return slices.Sorted(maps.Keys(t.here[database])), t.find(database)
}

func (t *tables) createDatabase(name string, ifNotExists bool) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.find(name) != nil {
		t.here[name] = map[string]*table{}
		return nil
	}
	if ifNotExists {
		return nil
	}
	return mistake(1007, "HY000", "Can't create database '%s'; database exists", name)
}

func (t *tables) create(name tableName, new *table, ifNotExists bool) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.find(name.database); err != nil {
		return err
	}
	switch _, ok := t.here[name.database][name.name]; {
	case !ok:
		t.here[name.database][name.name] = new
	case !ifNotExists:
		return mistake(1050, "42S01", "Table '%s' already exists", name.name)
	}
	return nil
}

func (t *tables) view(name tableName, look func(*table) error) error {
	t.mu.RLock()
	defer t.mu.RUnlock()
	here, err := t.table(name)
	if err != nil {
		return err
	}
	return look(here)
}

// change changes a table wholly, or leaves it as it was if do returns an error.
func (t *tables) change(name tableName, do func(*table) error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	here, err := t.table(name)
	if err != nil {
		return err
	}
	changed := *here
	changed.rows = slices.Clone(here.rows)
	if err := do(&changed); err != nil {
		return err
	}
	*here = changed
	return nil
}

func (t *tables) table(name tableName) (*table, error) {
	if err := t.find(name.database); err != nil {
		return nil, err
	}
	if here, ok := t.here[name.database][name.name]; ok {
		return here, nil
	}
	return nil, mistake(1146, "42S02", "Table '%s.%s' doesn't exist", name.database, name.name)
}

// put stores one row and returns how many rows MySQL calls changed by that: 1 for a new row, 2 for one that was there.
func (t *table) put(s insert, values []any) (uint64, error) {
	row, err := t.row(s.columns, values)
	if err != nil {
		return 0, err
	}
	at := -1
	if t.key >= 0 {
		at = slices.IndexFunc(t.rows, func(other []any) bool { return other[t.key] == row[t.key] })
	}
	switch {
	case at < 0:
		t.rows = append(t.rows, row)
		return 1, nil
	case s.column == "":
		return 0, mistake(1062, "23000", "Duplicate entry '%v' for key 'PRIMARY'", row[t.key])
	}
	changed, err := t.updated(s, t.rows[at], row)
	if err != nil {
		return 0, err
	}
	t.rows[at] = changed
	return 2, nil
}

// row returns values in the order of the table's columns.
func (t *table) row(columns []string, values []any) ([]any, error) {
	if len(columns) != len(values) {
		return nil, mistake(1136, "21S01", "Column count doesn't match value count")
	}
	row := make([]any, len(t.columns))
	for i, name := range columns {
		at, err := t.column(name)
		if err != nil {
			return nil, err
		}
		if row[at], err = t.columns[at].convert(values[i]); err != nil {
			return nil, err
		}
	}
	for i, c := range t.columns {
		if row[i] == nil && (c.required || i == t.key) {
			return nil, mistake(1048, "23000", "Column '%s' cannot be null", c.name)
		}
	}
	return row, nil
}

func (t *table) updated(s insert, here, incoming []any) ([]any, error) {
	at, err := t.column(s.column)
	if err != nil {
		return nil, err
	}
	if at == t.key {
		return nil, mistake(1235, "42000", "The embedded database of the demo does not change a key")
	}
	value, err := t.sum(s.update, here, incoming)
	if err != nil {
		return nil, err
	}
	if value, err = t.columns[at].convert(value); err != nil {
		return nil, err
	}
	if value == nil && t.columns[at].required {
		return nil, mistake(1048, "23000", "Column '%s' cannot be null", t.columns[at].name)
	}
	changed := slices.Clone(here)
	changed[at] = value
	return changed, nil
}

// sum adds operands. A single one may be a text; NULL makes the sum NULL.
func (t *table) sum(operands []operand, here, incoming []any) (any, error) {
	values := make([]any, len(operands))
	for i, o := range operands {
		var err error
		if values[i], err = t.operand(o, here, incoming); err != nil {
			return nil, err
		}
	}
	if len(values) == 1 {
		return values[0], nil
	}
	var total int64
	for i, value := range values {
		n, ok := value.(int64)
		if value == nil {
			return nil, nil
		}
		if !ok {
			return nil, mistake(1235, "42000", "The embedded database of the demo adds numbers only")
		}
		var err error
		if total, err = operands[i].addTo(total, n); err != nil {
			return nil, err
		}
	}
	return total, nil
}

func (t *table) operand(o operand, here, incoming []any) (any, error) {
	if o.column == "" {
		return o.value, nil
	}
	at, err := t.column(o.column)
	if err != nil {
		return nil, err
	}
	if o.incoming {
		return incoming[at], nil
	}
	return here[at], nil
}

// addTo adds n to a total, or takes it away.
func (o operand) addTo(total, n int64) (int64, error) {
	if !o.minus {
		return add(total, n)
	}
	if n == math.MinInt64 {
		return 0, mistake(1690, "22003", "BIGINT value is out of range") // It has no opposite.
	}
	return add(total, -n)
}

// read selects items from all rows: one row each, or a single one of counts and sums.
func (t *table) read(items []item, database string) (result, error) {
	items, totals, err := t.expand(items)
	if err != nil {
		return result{}, err
	}
	var out result
	for _, i := range items {
		out.columns = append(out.columns, i.label)
	}
	if totals {
		row, err := t.totals(items)
		out.rows = [][]any{row}
		return out, err
	}
	for _, here := range t.rows {
		row := make([]any, len(items))
		for i, item := range items {
			switch item.kind {
			case columnItem:
				at, _ := t.column(item.column) // expand has seen to it.
				row[i] = here[at]
			case databaseItem:
				if database != "" {
					row[i] = database
				}
			default:
				row[i] = item.value
			}
		}
		out.rows = append(out.rows, row)
	}
	return out, nil
}

// expand writes * out and says whether the items are counts and sums.
func (t *table) expand(items []item) (out []item, totals bool, err error) {
	var rows bool
	for _, i := range items {
		switch i.kind {
		case everyColumn:
			rows = true
			if len(t.columns) == 0 {
				return nil, false, mistake(1096, "HY000", "No tables used")
			}
			for _, c := range t.columns {
				out = append(out, item{kind: columnItem, label: c.name, column: c.name})
			}
			continue
		case columnItem:
			rows = true
			_, err = t.column(i.column)
		case sumItem:
			totals = true
			var at int
			if at, err = t.column(i.column); err == nil && t.columns[at].text {
				err = mistake(1235, "42000", "The embedded database of the demo adds numbers only")
			}
		case countItem:
			totals = true
		default:
			rows = true
		}
		if err != nil {
			return nil, false, err
		}
		out = append(out, i)
	}
	if rows && totals {
		return nil, false, mistake(1140, "42000", "The embedded database of the demo does not mix COUNT and SUM with anything else")
	}
	return out, totals, nil
}

func (t *table) totals(items []item) ([]any, error) {
	out := make([]any, len(items))
	for i, item := range items {
		if item.kind == countItem {
			out[i] = int64(len(t.rows))
			continue
		}
		at, err := t.column(item.column)
		if err != nil {
			return nil, err
		}
		for _, row := range t.rows {
			n, ok := row[at].(int64)
			if !ok {
				continue // NULL is no part of a sum.
			}
			before, _ := out[i].(int64)
			if out[i], err = add(before, n); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

func (t *table) column(name string) (int, error) {
	at := slices.IndexFunc(t.columns, func(c column) bool { return strings.EqualFold(c.name, name) })
	if at < 0 {
		return 0, mistake(1054, "42S22", "Unknown column '%s'", name)
	}
	return at, nil
}

// convert returns a value as the column stores it.
func (c column) convert(value any) (any, error) {
	switch v := value.(type) {
	case int64:
		if c.text {
			return c.convert(strconv.FormatInt(v, 10))
		}
	case string:
		if !c.text {
			n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
			if err != nil {
				return nil, mistake(1366, "HY000", "Incorrect integer value: '%s' for column '%s'", v, c.name)
			}
			return n, nil
		}
		if utf8.RuneCountInString(v) > c.longest {
			return nil, mistake(1406, "22001", "Data too long for column '%s'", c.name)
		}
	}
	return value, nil
}

func add(a, b int64) (int64, error) {
	sum := a + b
	if (a^sum)&(b^sum) < 0 {
		return 0, mistake(1690, "22003", "BIGINT value is out of range")
	}
	return sum, nil
}

func mistake(code uint16, state, format string, arguments ...any) error {
	return &Error{Code: code, State: state, Message: fmt.Sprintf(format, arguments...)}
}
