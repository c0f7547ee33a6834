package mysql

import (
	"fmt"
	"strconv"
	"strings"
)

// A statement is one that is understood.
type statement interface {
	run(*session) (result, error)
}

// parse understands a statement whole or not at all.
func parse(text string) (statement, error) {
	all, err := tokens(text)
	if err != nil {
		return nil, err
	}
	if len(all) == 1 {
		return nil, &Error{Code: 1065, State: "42000", Message: "Query was empty"}
	}
	p := &parser{text: text, tokens: all}
	s := p.statement()
	p.accept(";")
	if p.err == nil && p.peek().kind != end {
		p.unsupported()
	}
	return s, p.err
}

// A parser reads tokens from left to right. The first error stays, and ends every loop.
type parser struct {
	text   string
	tokens []token
	err    error
}

func (p *parser) statement() statement {
	switch {
	case p.accept("CREATE"):
		if p.accept("DATABASE") || p.accept("SCHEMA") {
			return createDatabase{ifNotExists: p.ifNotExists(), name: p.name()}
		}
		p.expect("TABLE")
		return p.createTable()
	case p.accept("INSERT"):
		p.expect("INTO")
		return p.insert()
	case p.accept("SELECT"):
		return p.selection()
	case p.accept("USE"):
		return use{p.name()}
	case p.accept("SHOW"):
		if p.accept("DATABASES") || p.accept("SCHEMAS") {
			return showDatabases{}
		}
		p.expect("TABLES")
		return showTables{}
	case p.accept("SET"):
		// Clients set their time zone, their character set and the like. Nothing here depends on it.
		p.tokens = p.tokens[len(p.tokens)-1:]
		return nothing{}
	}
	p.unsupported()
	return nil
}

func (p *parser) ifNotExists() bool {
	if !p.accept("IF") {
		return false
	}
	p.expect("NOT")
	p.expect("EXISTS")
	return true
}

func (p *parser) createTable() statement {
	s := createTable{ifNotExists: p.ifNotExists(), table: p.tableName()}
	p.list(func() {
		if p.accept("PRIMARY") {
			p.expect("KEY")
			p.expect("(")
			s.key = p.name()
			p.expect(")")
			return
		}
		c := column{name: p.name()}
		c.text, c.longest = p.columnType()
		for p.err == nil && !p.peek().is(",") && !p.peek().is(")") {
			switch {
			case p.accept("PRIMARY"):
				p.expect("KEY")
				s.key = c.name
			case p.accept("NOT"):
				p.expect("NULL")
				c.required = true
			case !p.accept("NULL"):
				p.unsupported()
			}
		}
		s.columns = append(s.columns, c)
	})
	return s
}

// columnType says whether a column has texts, and of how many characters at most.
func (p *parser) columnType() (text bool, longest int) {
	switch {
	case p.accept("BIGINT"):
		return false, 0
	case p.accept("TEXT"):
		return true, 65535
	}
	if !p.accept("VARCHAR") {
		p.unsupported()
	}
	p.expect("(")
	n := p.number()
	p.expect(")")
	return true, int(n)
}

func (p *parser) insert() statement {
	s := insert{table: p.tableName()}
	p.list(func() { s.columns = append(s.columns, p.name()) })
	p.expect("VALUES")
	for {
		var row []any
		p.list(func() { row = append(row, p.value()) })
		s.rows = append(s.rows, row)
		if !p.accept(",") {
			break
		}
	}
	if p.accept("ON") {
		for _, text := range []string{"DUPLICATE", "KEY", "UPDATE"} {
			p.expect(text)
		}
		s.column = p.name()
		p.expect("=")
		s.update = p.sum()
	}
	return s
}

// sum reads operands with + or - between them.
func (p *parser) sum() []operand {
	out := []operand{p.operand()}
	for p.err == nil {
		switch {
		case p.accept("+"):
			out = append(out, p.operand())
		case p.accept("-"):
			o := p.operand()
			o.minus = true
			out = append(out, o)
		default:
			return out
		}
	}
	return out
}

func (p *parser) operand() operand {
	if p.accept("VALUES") {
		p.expect("(")
		defer p.expect(")")
		return operand{column: p.name(), incoming: true}
	}
	if k := p.peek().kind; k == word || k == quoted {
		return operand{column: p.name()}
	}
	return operand{value: p.value()}
}

func (p *parser) selection() statement {
	s := selection{limit: -1}
	for {
		s.items = append(s.items, p.item())
		if !p.accept(",") {
			break
		}
	}
	if p.accept("FROM") {
		table := p.tableName()
		s.from = &table
	}
	if p.accept("LIMIT") {
		s.limit = p.number()
	}
	return s
}

func (p *parser) item() item {
	began := p.peek().at
	i := p.bareItem()
	i.label = strings.TrimSpace(p.text[began:p.peek().at])
	if i.kind == columnItem {
		i.label = i.column
	}
	if p.accept("AS") {
		i.label = p.name()
	}
	return i
}

func (p *parser) bareItem() item {
	t := p.peek()
	call := len(p.tokens) > 1 && p.tokens[1].is("(")
	switch {
	case p.accept("*"):
		return item{kind: everyColumn}
	case t.kind == variable:
		p.next()
		return item{kind: valueItem, value: settings(t.text)}
	case call && p.accept("COUNT"):
		p.expect("(")
		p.expect("*")
		p.expect(")")
		return item{kind: countItem}
	case call && p.accept("SUM"):
		p.expect("(")
		defer p.expect(")")
		return item{kind: sumItem, column: p.name()}
	case call && p.accept("DATABASE"):
		p.expect("(")
		p.expect(")")
		return item{kind: databaseItem}
	case call && p.accept("VERSION"):
		p.expect("(")
		p.expect(")")
		return item{kind: valueItem, value: Version}
	case call:
		p.unsupported()
		return item{}
	case (t.kind == word || t.kind == quoted) && !t.is("NULL"):
		return item{kind: columnItem, column: p.name()}
	}
	return item{kind: valueItem, value: p.value()}
}

// settings answers the questions that clients ask when they connect.
func settings(name string) any {
	name = strings.ToLower(name)
	for _, scope := range []string{"session.", "global."} {
		name = strings.TrimPrefix(name, scope)
	}
	switch name {
	case "version":
		return Version
	case "version_comment":
		return "the embedded database of the fsm demo"
	case "max_allowed_packet":
		return int64(largest)
	case "autocommit":
		return int64(1)
	}
	return nil
}

// list reads ( one, two, … ).
func (p *parser) list(one func()) {
	p.expect("(")
	for p.err == nil {
		one()
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
}

func (p *parser) tableName() tableName {
	first := p.name()
	if p.accept(".") {
		return tableName{database: first, name: p.name()}
	}
	return tableName{name: first}
}

func (p *parser) name() string {
	t := p.peek()
	if t.kind != word && t.kind != quoted {
		p.wrong()
		return ""
	}
	p.next()
	return t.text
}

// value reads a number, a text or NULL.
func (p *parser) value() any {
	t := p.peek()
	switch {
	case t.kind == literal:
		p.next()
		return t.text
	case p.accept("NULL"):
		return nil
	case p.accept("-"):
		return -p.number()
	}
	return p.number()
}

func (p *parser) number() int64 {
	t := p.peek()
	n, err := strconv.ParseInt(t.text, 10, 64)
	if t.kind != number || err != nil {
		p.wrong()
		return 0
	}
	p.next()
	return n
}

func (p *parser) peek() token { return p.tokens[0] }

func (p *parser) next() {
	if len(p.tokens) > 1 {
		p.tokens = p.tokens[1:]
	}
}

func (p *parser) accept(text string) bool {
	if p.err != nil || !p.peek().is(text) {
		return false
	}
	p.next()
	return true
}

func (p *parser) expect(text string) {
	if !p.accept(text) {
		p.wrong()
	}
}

func (p *parser) wrong() {
	if p.err == nil {
		p.err = syntaxError(p.text[p.peek().at:])
	}
}

// unsupported is the error of what is probably right and not understood here.
func (p *parser) unsupported() {
	if p.err == nil {
		p.err = &Error{Code: 1235, State: "42000", Message: fmt.Sprintf(
			"The embedded database of the demo does not know '%.80s'; fsm-demo mysql --engine mysqld runs one that does", p.text[p.peek().at:])}
	}
}
