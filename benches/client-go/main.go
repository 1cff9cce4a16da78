// A client-go dynamic shared informer over pods: what a viewer or a syncer in Go would hold. It lists and watches,
// prints one line of JSON when it has synced, and ends when its stdin does.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

// report is what the harness reads; sizes in bytes, times in seconds.
type report struct {
	Objects      int     `json:"objects"`
	SyncSeconds  float64 `json:"sync_seconds"`
	RSS          int64   `json:"rss"`
	PeakRSS      int64   `json:"peak_rss"`
	RSSCollected int64   `json:"rss_collected"`
	Heap         int64   `json:"heap"`
}

func main() {
	kubeconfig := flag.String("kubeconfig", os.Getenv("KUBECONFIG"), "path of a kubeconfig")
	namespace := flag.String("namespace", "", "one namespace, or empty for all")
	flag.Parse()
	if err := run(*kubeconfig, *namespace); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(kubeconfig, namespace string) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	pods := schema.GroupVersionResource{Version: "v1", Resource: "pods"}
	factory := dynamicinformer.NewFilteredDynamicSharedInformerFactory(client, 0, namespace, nil)
	informer := factory.ForResource(pods).Informer()
	begin := time.Now()
	factory.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
		return fmt.Errorf("the informer did not sync: %w", ctx.Err())
	}
	result := report{Objects: len(informer.GetStore().ListKeys()), SyncSeconds: time.Since(begin).Seconds()}
	// What a process holds that runs for a while: as it is, and after a collection that gives back what it can.
	if result.RSS, err = status("VmRSS:"); err != nil {
		return err
	}
	debug.FreeOSMemory()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	result.Heap = int64(memory.HeapAlloc)
	if result.RSSCollected, err = status("VmRSS:"); err != nil {
		return err
	}
	if result.PeakRSS, err = status("VmHWM:"); err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// status reads a size of this process, in bytes.
func status(name string) (int64, error) {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	for _, line := range strings.Split(string(text), "\n") {
		if rest, found := strings.CutPrefix(line, name); found {
			kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kib << 10, err
		}
	}
	return 0, fmt.Errorf("no %s in /proc/self/status", name)
}
