package files

import ("testing";"os";"path/filepath";"fmt")

func TestShow(t *testing.T) {
	dirs, _ := filepath.Glob(os.Getenv("SHOW"))
	for _, f := range dirs {
		data, _ := os.ReadFile(f)
		r := ReadBytes("input.yaml", data)
		fmt.Println("==", f, r.Documents, r.Objects.Broken)
		for _, d := range r.Diagnostics {
			fmt.Printf("%s:%d:%d %s %s [%s] %s; %s (%s)\n", d.Position.File, d.Position.Line, d.Position.Column, d.Level, d.Code, d.At, d.Message, d.Instead, d.Fix)
			l, _ := r.Positions.Line(d.Position.File, d.Position.Line)
			fmt.Printf("    %s\n    %*s^\n", l, max(0,d.Position.Column-1), "")
		}
	}
}
