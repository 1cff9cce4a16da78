// Prints values as kubectl does: the source of printed.jsonl.
//
// Reads lines {"value": ...} from standard input; writes each with kubectl's JSON, YAML and KYAML of its value.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"

	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
	"sigs.k8s.io/yaml/kyaml"
)

type printed struct {
	Value json.RawMessage `json:"value"`
	JSON  string          `json:"json"`
	YAML  string          `json:"yaml"`
	KYAML string          `json:"kyaml"`
	Error string          `json:"error,omitempty"`
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	enc := json.NewEncoder(out)
	for {
		line, err := in.ReadBytes('\n')
		line = bytes.TrimSpace(line)
		if len(line) > 0 {
			var known printed
			if err := json.Unmarshal(line, &known); err != nil {
				panic(err)
			}
			enc.Encode(print(known.Value))
		}
		if err != nil {
			return
		}
	}
}

func print(line []byte) printed {
	var value interface{}
	if err := kjson.UnmarshalCaseSensitivePreserveInts(line, &value); err != nil {
		return printed{Value: []byte("null"), Error: err.Error()}
	}
	result := printed{Value: line}
	data, err := json.MarshalIndent(value, "", "    ")
	if err != nil {
		result.Error = err.Error()
		return result
	}
	result.JSON = string(data) + "\n"
	data, err = yaml.Marshal(value)
	if err != nil {
		result.Error = err.Error()
	}
	result.YAML = string(data)
	var buffer bytes.Buffer
	encoder := kyaml.Encoder{}
	if err := encoder.FromObject(value, &buffer); err == nil {
		result.KYAML = buffer.String()
	}
	return result
}
