package main

import (
	"fmt"
	"io"

	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sinks/disk"
)

// writeStage writes one stage of a compilation. Stages that are one value are one document. Of the others, YAML is a
// stream of documents; in JSON, objects are one List as kubectl takes it, and configurations are values in a row.
func writeStage(w io.Writer, stage, format string, c compilation, chosen func(model.ProxyID) bool) error {
	switch stage {
	case "objects":
		return writeObjects(w, format, c)
	case "mesh":
		return writeValue(w, format, c.Mesh)
	case "diagnostics":
		return writeValue(w, format, model.ListOf(c.Diagnostics...))
	}
	if format == "json" {
		return writeConfigsJSON(w, c, chosen)
	}
	return writeConfigs(w, c, chosen)
}

func writeValue(w io.Writer, format string, value any) error {
	write := disk.YAML
	if format == "json" {
		write = disk.JSON
	}
	text, err := write(value)
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
}

// writeObjects writes the objects that the mesh was made of, those included that were assumed.
func writeObjects(w io.Writer, format string, c compilation) error {
	objects, err := manifests(c.objects)
	if err != nil {
		return err
	}
	if format == "json" {
		return writeValue(w, format, map[string]any{"apiVersion": "v1", "kind": "List", "items": objects})
	}
	for i, object := range objects {
		if err := separate(w, i); err != nil {
			return err
		}
		if err := writeValue(w, format, object); err != nil {
			return err
		}
	}
	return nil
}

func writeConfigs(w io.Writer, c compilation, chosen func(model.ProxyID) bool) error {
	i := 0
	for file, err := range disk.Configs(c.Output, chosen) {
		if err != nil {
			return err
		}
		if err := separate(w, i); err != nil {
			return err
		}
		if _, err := w.Write(file.Bytes); err != nil {
			return err
		}
		i++
	}
	return nil
}

func writeConfigsJSON(w io.Writer, c compilation, chosen func(model.ProxyID) bool) error {
	for class := range c.Output.Classes.Values() {
		for id := range class.Proxies.Values() {
			if !chosen(id) {
				continue
			}
			if err := writeValue(w, "json", c.Output.Standalone(id)); err != nil {
				return err
			}
		}
	}
	return nil
}

// separate writes what stands between two documents.
func separate(w io.Writer, i int) error {
	if i == 0 {
		return nil
	}
	_, err := fmt.Fprintln(w, "---")
	return err
}
