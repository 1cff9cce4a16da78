// Runs templates as kubectl does: the source of jsonpath.jsonl.
//
// Reads one object, the first line of standard input; writes it, and then a line for each template that is made here:
// what `-o jsonpath` prints of the object, or the error. Go visits a map by chance, so no template goes through one
// that has several keys.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/cli-runtime/pkg/printers"
	kjson "sigs.k8s.io/json"
)

type line struct {
	Template string `json:"template"`
	Strict   bool   `json:"strict,omitempty"`
	AsJSON   bool   `json:"json,omitempty"`
	Out      string `json:"out,omitempty"`
	Syntax   string `json:"syntax,omitempty"`
	Error    string `json:"error,omitempty"`
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	first, err := in.ReadBytes('\n')
	if err != nil {
		panic(err)
	}
	var object map[string]interface{}
	if err := kjson.UnmarshalCaseSensitivePreserveInts(first, &object); err != nil {
		panic(err)
	}
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	out.Write(first)
	enc := json.NewEncoder(out)
	for i, template := range templates() {
		enc.Encode(run(object, template, i%5 == 4, i%7 == 6))
	}
}

func run(object map[string]interface{}, template string, strict, asJSON bool) line {
	result := line{Template: template, Strict: strict, AsJSON: asJSON}
	printer, err := printers.NewJSONPathPrinter(template)
	if err != nil {
		result.Syntax = err.Error()
		return result
	}
	printer.AllowMissingKeys(!strict)
	printer.EnableJSONOutput(asJSON)
	var buffer bytes.Buffer
	if err := printer.PrintObj(&unstructured.Unstructured{Object: object}, &buffer); err != nil {
		result.Error = err.Error()
		return result
	}
	result.Out = buffer.String()
	return result
}

func templates() []string {
	all := []string{}
	for _, list := range []string{
		".items[*]", ".items[0]", ".items[-1]", ".items[9]", ".items[-9]", ".items[0:2]", ".items[:-1]", ".items[::2]",
		".items[1:0]", ".items[0:0]", ".items[0:2:0]", ".items[2:9]", ".items[0,1]", ".items[]", ".items['0']", "['items'][1]",
		`.items[?(@.n==1)]`, `.items[?(@.n>1)]`, `.items[?(@.n>=1.5)]`, `.items[?(@.f<2.5)]`, `.items[?(@.s=="b")]`,
		`.items[?(@.s!="b")]`, `.items[?(@.s<='b')]`, `.items[?(@.t==true)]`, `.items[?(@.t<true)]`, `.items[?(@.none)]`,
		`.items[?(@.labels)]`, `.items[?(@.labels.a\.b/c=="x")]`, `.items[?(@.list[0]=="x")]`, `.items[?(@.list[7])]`,
		`.items[?(@.list[*]=="x")]`, `.items[?(@.labels=="x")]`, `.items[?(@.s=="a)b")]`, `.items[?(@.nil==1)]`,
		`.items[?(@.s<>"b")]`, `.items[?("b"==@.s)]`, `.items[?(@.s==@.s)]`, `.items[?( @.n == 1 )]`, `.none[*]`, `.none[?(@.a)]`,
		`.items.s`, `.items[*].list[*]`, `.items[*]['s','n']`, `.items[0].list[?(@>"x")]`, `.items[?(@.n==1 )].list[?(@=="x")]`,
		`.items[*]..s`, `..list`, `..[0]`, `...s`, `.`, `$`, `@`, `.items[*].s.*`, `$.items[*]`, `.items[*].list[?(@.a)]`,
		`.kind[0]`, `.kind[?(@.a)]`, `.items[0].nil`, `.items[0].nil[0]`, `.items[0].nil.x`, `.items[0].nil[?(@.a)]`,
	} {
		for _, tail := range []string{"", ".s", ".n", ".f", ".t", ".nil", ".none", ".list", ".list[0]", `.labels.a\.b/c`, `.labels['a\.b/c']`, ".list[-1:]"} {
			all = append(all, "{"+list+tail+"}")
		}
		all = append(all, "{range "+list+"}{.s}{\"\\t\"}{.n}{'\\n'}{end}", "a{"+list+"} {.kind}b", "{range "+list+"}{range .list[*]}{@},{end};{end}.")
	}
	return append(all,
		"", "text", "{}", "{ }", "{", "}", "{}}", "{{}}", "a}b", "{.kind", "{.kind\n}", "{.kind\t}", "{#}", "{%}", "{.items[}", "{.items[x]}",
		"{.items[1:2:3:4]}", "{.items[-]}", "{.items[1:-]}", "{.items[99999999999999999999]}", "{.items['a]}", "{.items[a'b']}",
		"{.items[1\n]}", "{.items[?(@.a]}", "{.items[?(@.a)}", "{.items[?(@.a=='b)]}", "{.items[?()]}", "{.items[?(==1)]}", "{.items[?(@.a==)]}",
		"{.items[?(@.n==#)]}", "{.items[?(@.a=b)]}", "{.items[?(@.a===1)]}", "{.items[?(@.n<==1)].s}", `{"a`, `{"a\qb"}`, `{'a"b'}`, `{"a'b"}`, `{"\u00e9\x41\101"}`,
		`{'it\'s'}`, `{"a\"b"}`, `{"a` + "\n" + `"}`, "{1}", "{-1}", "{+2}", "{1.5}", "{1e3}", "{1.2.3}", "{.5}", "{+}", "{true}", "{false}", "{hello}", "{range}",
		"{end}", "{range .items[*]}{.s}", "{range .items[*]}{.s}{end}{end}", "{range .items[*]}{range .list[*]}{@}{end}{.s}{end}{.kind}",
		"{range .none[*]}{.s}{end}{.kind}", "{range .none[*]}x{range .y[*]}z{end}{end}w", "{range .items[*]}{end}", "{range .items[*]}[{.s}]{end} {range .items[*]}({.n}){end}",
		"{range .items[0].nil}{@}x{end}", "{range .items[*].nil}{@}x{end}", "{......s}", "{.... }", "{.items[0].list.*}", "{.items[0].s.*}",
		"{.items[0] .s}", "{.items[0]@.s}", "{.items[0]$.s}", "{.items[0].s,.n}", `{.items[0].labels.a\.b/c}`, "{.items[0].labels.a.b/c}", `{.it\ems[0].s}`,
		"{.items[0]['labels']['a\\.b/c']}", "{.items[0]['s' , 'n']}", "{.items[0][s,n]}", "{.items[*].s}{\"\\n\"}", "{é}", "{.é}", "{٣}", "{.items[?(@.s=='é')].n}",
		"{.items[*].html}", "{.items[*].big}", "{.items}", "{.items[0]}", "{.items[0:2].n}", "{.items[0].n}{.items[1].n}", "  {.kind}  ", "{.kind}{.none}{.kind}",
		`{.items[?(@.s=="\"")].n}`, `{.items[?(@.s=='"')].n}`, "{range .items[*]}{range .list[*]}{range @.*}{@} {end}{end}{end}", "{.items[?(@.n>0)].n}", "{.items[?(@.n)].n}",
		"{.items[?(@.f>1)].f}", "{.items[?(@.f>1.0)].f}", "{.items[?(1==1)].n}", "{.items[?(true)].n}", "{.items[?(range)].n}", "{.items[?(@.n=='1')].n}",
	)
}
