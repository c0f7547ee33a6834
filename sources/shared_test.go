package sources

import (
	"reflect"
	"testing"
)

// Every list of Objects is looked at: one that is forgotten would be a change that nobody is told of.
func TestSharedAndSame(t *testing.T) {
	fields := reflect.TypeFor[Objects]().NumField()
	for i := range fields {
		name := reflect.TypeFor[Objects]().Field(i).Name
		if name == "MeshName" {
			continue
		}
		a, b := one(i), one(i)
		previous := reflect.ValueOf(&a).Elem().Field(i)
		// The same object in another list.
		reflect.ValueOf(&b).Elem().Field(i).Index(0).Set(previous.Index(0))
		if !Same(a, b) {
			t.Errorf("%s: two lists of one object are not the same", name)
		}
		shared := Shared(b, a)
		if reflect.ValueOf(&shared).Elem().Field(i).Pointer() != previous.Pointer() {
			t.Errorf("%s is not shared", name)
		}
		if Same(a, Objects{}) {
			t.Errorf("%s is not compared", name)
		}
		empty := Shared(Objects{}, a)
		if reflect.ValueOf(&empty).Elem().Field(i).Len() != 0 {
			t.Errorf("%s is shared with one that is empty", name)
		}
	}
	if Same(Objects{MeshName: "a"}, Objects{MeshName: "b"}) {
		t.Error("the name of the mesh is not compared")
	}
}

// one is Objects with one object, in the list that is a field.
func one(field int) Objects {
	var o Objects
	list := reflect.ValueOf(&o).Elem().Field(field)
	item := reflect.New(list.Type().Elem()).Elem()
	if item.Kind() == reflect.Pointer {
		item.Set(reflect.New(item.Type().Elem()))
	}
	list.Set(reflect.Append(list, item))
	return o
}
