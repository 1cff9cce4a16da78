// Sorts numbers by their tens with Go's sort.Sort, which is not stable: the source of sorted.jsonl.
package main

import (
	"encoding/json"
	"math/rand"
	"os"
	"sort"
)

type byTens []int

func (b byTens) Len() int           { return len(b) }
func (b byTens) Less(i, j int) bool { return b[i]/10 < b[j]/10 }
func (b byTens) Swap(i, j int)      { b[i], b[j] = b[j], b[i] }

func main() {
	random := rand.New(rand.NewSource(1))
	enc := json.NewEncoder(os.Stdout)
	for _, length := range []int{0, 1, 2, 12, 13, 20, 49, 50, 51, 64, 100, 200, 400} {
		for shape := 0; shape < 6; shape++ {
			numbers := make([]int, length)
			for i := range numbers {
				switch shape {
				case 0:
					numbers[i] = random.Intn(1000)
				case 1:
					numbers[i] = random.Intn(40)
				case 2:
					numbers[i] = i
				case 3:
					numbers[i] = length - i
				case 4:
					numbers[i] = (i % 2) * 500 + i
				case 5:
					numbers[i] = (i * i) % 97
				}
			}
			sorted := append(byTens{}, numbers...)
			sort.Sort(sorted)
			enc.Encode([][]int{numbers, sorted})
		}
	}
}
