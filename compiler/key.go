package compiler

import (
	"encoding/binary"
	"fmt"
	"math"
	"reflect"
)

// keyOf is the canonical form of a spec: two specs have one key exactly if they are equal in every field. It walks the
// value, so that a field added to a spec cannot be forgotten here.
//
// Specs consist of strings, numbers, booleans, structs, slices and built parts, which stand for themselves by the hash
// of their bytes. Anything else is a bug in this program.
func keyOf(spec any) string { return string(appendSpec(nil, spec)) }

func appendSpec(b []byte, spec any) []byte {
	v := reflect.ValueOf(spec)
	return appendKey(appendString(b, v.Type().Name()), v)
}

var partType = reflect.TypeFor[*part]()

func appendKey(b []byte, v reflect.Value) []byte {
	switch v.Kind() {
	case reflect.String:
		return appendString(b, v.String())
	case reflect.Bool:
		if v.Bool() {
			return append(b, 1)
		}
		return append(b, 0)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return binary.AppendVarint(b, v.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return binary.AppendUvarint(b, v.Uint())
	case reflect.Float64:
		return binary.AppendUvarint(b, math.Float64bits(v.Float()))
	case reflect.Struct:
		for i := range v.NumField() {
			b = appendKey(b, v.Field(i))
		}
		return b
	case reflect.Slice:
		b = binary.AppendUvarint(b, uint64(v.Len()))
		for i := range v.Len() {
			b = appendKey(b, v.Index(i))
		}
		return b
	case reflect.Pointer:
		if v.Type() == partType {
			return appendPart(b, v)
		}
	}
	panic(fmt.Sprintf("compiler: a spec cannot hold a %s", v.Type()))
}

func appendPart(b []byte, v reflect.Value) []byte {
	if v.IsNil() {
		return append(b, 0)
	}
	b = append(b, 1)
	return append(b, v.Interface().(*part).hash...)
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}
