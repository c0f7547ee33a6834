package disk

import (
	"bytes"
	"encoding/json"
	"fmt"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// YAML writes a protobuf message, or any value that encoding/json can write, as one YAML document with sorted keys.
// Equal values give equal bytes, in every build of the program.
func YAML(value any) ([]byte, error) { return appendValue(nil, value) }

func appendValue(b []byte, value any) ([]byte, error) {
	if message, ok := value.(proto.Message); ok {
		return newShapes().appendMessage(b, message, spot{})
	}
	decoded, err := decode(value)
	if err != nil {
		return nil, err
	}
	return appendYAML(b, decoded), nil
}

// JSON writes the same as YAML does, as indented JSON.
func JSON(value any) ([]byte, error) {
	decoded, err := decode(value)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err = encoder.Encode(decoded)
	return b.Bytes(), err
}

// decode brings a value into the form of decoded JSON. The detour takes the random spaces out of what protojson writes.
func decode(value any) (any, error) {
	text, err := marshal(value)
	if err != nil {
		return nil, fmt.Errorf("write %T: %w", value, err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var decoded any
	if err := decoder.Decode(&decoded); err != nil {
		return nil, fmt.Errorf("write %T: %w", value, err)
	}
	return decoded, nil
}

// marshal writes fields of messages as Envoy's own documents spell them, such as load_assignment.
func marshal(value any) ([]byte, error) {
	if message, ok := value.(proto.Message); ok {
		return protojson.MarshalOptions{UseProtoNames: true}.Marshal(message)
	}
	return json.Marshal(value)
}
