package sql

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/internal/core"
)

// A kind is one line of the table of writes: the statement that a write of
// this type runs, and how many rows it must change. A write's fields are the
// statement's parameters, in order: the first field is $1.
type kind struct {
	sample core.Write
	rows   rows
	text   string
}

// rows is how many rows a write must change, or the unit is lost.
type rows int

const (
	any_  rows = iota // as many as there are
	one               // exactly one
	exact             // as many as the write says (Rows)
)

// A counted write says how many rows it must change.
type counted interface{ Rows() int }

func (k kind) want(w core.Write) (int64, bool) {
	switch k.rows {
	case one:
		return 1, true
	case exact:
		return int64(w.(counted).Rows()), true
	}
	return 0, false
}

// bind turns a write's fields into driver values: instants to microseconds,
// identifiers and hashes to bytes, lists to lines.
func bind(w core.Write) []any {
	v := reflect.ValueOf(w)
	out := make([]any, v.NumField())
	for i := range out {
		out[i] = bindValue(v.Field(i))
	}
	return out
}

func bindValue(v reflect.Value) any {
	switch x := v.Interface().(type) {
	case time.Time:
		return micros(x)
	case []string:
		return strings.Join(x, "\n")
	case []byte:
		if x == nil {
			return []byte{}
		}
		return x
	}
	switch v.Kind() {
	case reflect.Bool:
		if v.Bool() {
			return int64(1)
		}
		return int64(0)
	case reflect.String:
		return v.String()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return v.Int()
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return int64(v.Uint())
	case reflect.Array:
		b := make([]byte, v.Len())
		reflect.Copy(reflect.ValueOf(b), v)
		return b
	case reflect.Slice:
		return hexList(v)
	case reflect.Struct:
		return document(v.Interface())
	}
	panic(fmt.Sprintf("sql: no column holds a %s", v.Type()))
}

// document is a struct in one column, as a JSON object that is the same for
// equal values.
func document(v any) string {
	b, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		panic(fmt.Sprintf("sql: %T is no document: %v", v, err))
	}
	return string(b)
}

// compareBound orders what bindValue made of two values of one field.
func compareBound(a, b any) int {
	switch a := a.(type) {
	case int64:
		return cmp.Compare(a, b.(int64))
	case string:
		return strings.Compare(a, b.(string))
	}
	return bytes.Compare(a.([]byte), b.([]byte))
}

// hexList is a list of identifiers as JSON, the one form that both engines
// can unfold inside a statement.
func hexList(v reflect.Value) string {
	var b strings.Builder
	b.WriteByte('[')
	for i := range v.Len() {
		if i > 0 {
			b.WriteByte(',')
		}
		raw := bindValue(v.Index(i)).([]byte)
		b.WriteString(`"` + hex.EncodeToString(raw) + `"`)
	}
	b.WriteByte(']')
	return b.String()
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func instant(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

func lines(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, "\n")
}
