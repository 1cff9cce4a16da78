// A client-go informer over one resource. For each line on its stdin it prints one line of JSON: all that its cache
// has, by key, without what differs between an API server and a copy of it. It ends when its stdin does.
//
// With -union, a Reflector whose store is keyed by cluster as well: of all clusters, two may have the same names.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

const (
	clusterAnnotation = "mqinformer.io/cluster"
	versionAnnotation = "mqinformer.io/resource-version"
)

func main() {
	kubeconfig := flag.String("kubeconfig", "", "path of a kubeconfig")
	resource := flag.String("resource", "pods.v1.", "resource.version.group")
	selector := flag.String("l", "", "label selector")
	onlyMetadata := flag.Bool("metadata", false, "a metadata informer")
	union := flag.Bool("union", false, "keyed by cluster, too")
	flag.Parse()
	if err := run(*kubeconfig, *resource, *selector, *onlyMetadata, *union); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(kubeconfig, resource, selector string, onlyMetadata, union bool) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	parts := strings.SplitN(resource, ".", 3)
	gvr := schema.GroupVersionResource{Resource: parts[0], Version: parts[1], Group: parts[2]}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	tweak := func(options *metav1.ListOptions) { options.LabelSelector = selector }
	var store cache.Store
	switch {
	case union:
		store, err = reflector(ctx, config, gvr, tweak)
	case onlyMetadata:
		var client metadata.Interface
		if client, err = metadata.NewForConfig(config); err == nil {
			factory := metadatainformer.NewFilteredSharedInformerFactory(client, 0, "", tweak)
			store = synced(ctx, factory.ForResource(gvr).Informer())
		}
	default:
		var client dynamic.Interface
		if client, err = dynamic.NewForConfig(config); err == nil {
			factory := dynamicinformer.NewFilteredDynamicSharedInformerFactory(client, 0, "", tweak)
			store = synced(ctx, factory.ForResource(gvr).Informer())
		}
	}
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		text, err := dump(store)
		if err != nil {
			return err
		}
		fmt.Println(text)
	}
	return lines.Err()
}

func synced(ctx context.Context, informer cache.SharedIndexInformer) cache.Store {
	go informer.Run(ctx.Done())
	cache.WaitForCacheSync(ctx.Done(), informer.HasSynced)
	return informer.GetStore()
}

// byCluster is what kcp's clients do with kcp's annotation.
func byCluster(object any) (string, error) {
	if deleted, ok := object.(cache.DeletedFinalStateUnknown); ok {
		return deleted.Key, nil
	}
	key, err := cache.MetaNamespaceKeyFunc(object)
	if err != nil {
		return "", err
	}
	accessor, err := meta.Accessor(object)
	if err != nil {
		return "", err
	}
	return accessor.GetAnnotations()[clusterAnnotation] + "|" + key, nil
}

func reflector(ctx context.Context, config *rest.Config, gvr schema.GroupVersionResource, tweak func(*metav1.ListOptions)) (cache.Store, error) {
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	source := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			tweak(&options)
			return client.Resource(gvr).List(ctx, options)
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			tweak(&options)
			return client.Resource(gvr).Watch(ctx, options)
		},
	}
	store := cache.NewStore(byCluster)
	reflector := cache.NewReflector(source, &unstructured.Unstructured{}, store, 0)
	go reflector.Run(ctx.Done())
	return store, nil
}

// dump is one line of JSON: objects by key.
func dump(store cache.Store) (string, error) {
	all := map[string]any{}
	for _, key := range store.ListKeys() {
		object, exists, err := store.GetByKey(key)
		if err != nil {
			return "", err
		}
		if !exists {
			continue
		}
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
		if err != nil {
			return "", err
		}
		copied := unstructured.Unstructured{Object: runtime.DeepCopyJSON(content)}
		copied.SetManagedFields(nil)
		copied.SetResourceVersion("")
		annotations := copied.GetAnnotations()
		delete(annotations, clusterAnnotation)
		delete(annotations, versionAnnotation)
		if len(annotations) == 0 {
			annotations = nil
		}
		copied.SetAnnotations(annotations)
		all[key] = copied.Object
	}
	text, err := json.Marshal(all)
	return string(text), err
}
