// Prints tables as kubectl does: the source of tables.jsonl.
//
// Reads lines {"case": ...} from standard input; writes each with the text that kubectl's printer makes of it.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/printers"
)

// One printer, and the tables that it prints one after the other.
type description struct {
	Wide, NoHeaders, Labels, Namespace bool
	Kind                               string
	Columns                            []struct {
		Name, Format string
		Priority     int32
	}
	Tables [][]struct {
		Cells  []string
		NS     string
		Labels map[string]string
	}
}

func main() {
	r := bufio.NewReaderSize(os.Stdin, 1<<20)
	enc := json.NewEncoder(os.Stdout)
	for {
		line, err := r.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			var known struct{ Case json.RawMessage }
			if e := json.Unmarshal(line, &known); e != nil {
				panic(e)
			}
			var c description
			if e := json.Unmarshal(known.Case, &c); e != nil {
				panic(e)
			}
			o := printers.PrintOptions{Wide: c.Wide, NoHeaders: c.NoHeaders, ShowLabels: c.Labels, WithNamespace: c.Namespace}
			if c.Kind != "" {
				o.WithKind = true
				o.Kind.Kind = c.Kind
			}
			p := printers.NewTablePrinter(o)
			var buf bytes.Buffer
			w := printers.GetNewTabWriter(&buf)
			for _, rows := range c.Tables {
				t := &metav1.Table{}
				for _, col := range c.Columns {
					t.ColumnDefinitions = append(t.ColumnDefinitions, metav1.TableColumnDefinition{Name: col.Name, Type: "string", Format: col.Format, Priority: col.Priority})
				}
				for _, row := range rows {
					tr := metav1.TableRow{Object: runtime.RawExtension{Object: &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Namespace: row.NS, Labels: row.Labels}}}}
					for _, cell := range row.Cells {
						tr.Cells = append(tr.Cells, cell)
					}
					t.Rows = append(t.Rows, tr)
				}
				if err := p.PrintObj(t, w); err != nil {
					panic(err)
				}
				w.Flush()
			}
			enc.Encode(map[string]interface{}{"case": known.Case, "out": buf.String()})
		}
		if err != nil {
			return
		}
	}
}
