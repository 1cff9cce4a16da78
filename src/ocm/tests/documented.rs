//! Objects as OCM's documentation shows them: they are read, and nothing of them is lost.

use super::*;

/// By their pages on open-cluster-management.io.
const DOCUMENTED: &[(&str, &str)] = &[
    (
        "concepts/cluster-inventory/managedcluster",
        "
apiVersion: cluster.open-cluster-management.io/v1
kind: ManagedCluster
metadata: {name: cluster1}
spec:
  hubAcceptsClient: true
  leaseDurationSeconds: 60
  managedClusterClientConfigs:
    - {caBundle: YWJj, url: 'https://127.0.0.1:6443'}
status:
  allocatable: {cpu: '11', memory: 32Gi, pods: '110'}
  conditions:
    - {type: HubAcceptedManagedCluster, status: 'True', reason: HubClusterAdminAccepted, message: Accepted by hub cluster admin, lastTransitionTime: '2023-06-01T00:00:00Z'}
  version: {kubernetes: v1.20.11}
",
    ),
    (
        "concepts/placement: taints of ManagedClusters",
        "
apiVersion: cluster.open-cluster-management.io/v1
kind: ManagedCluster
metadata: {name: cluster1}
spec:
  hubAcceptsClient: true
  taints:
    - {effect: NoSelect, key: gpu, value: 'true', timeAdded: '2022-02-21T08:11:06Z'}
",
    ),
    (
        "concepts/cluster-inventory/managedclusterset",
        "
apiVersion: cluster.open-cluster-management.io/v1beta2
kind: ManagedClusterSet
metadata: {name: example-openshift-clusterset}
spec:
  clusterSelector:
    labelSelector: {matchLabels: {vendor: OpenShift}}
    selectorType: LabelSelector
",
    ),
    (
        "concepts/cluster-inventory/managedclusterset: binding",
        "
apiVersion: cluster.open-cluster-management.io/v1beta2
kind: ManagedClusterSetBinding
metadata: {name: clusterset1, namespace: my-namespace}
spec: {clusterSet: clusterset1}
",
    ),
    (
        "concepts/placement: label and claim selection",
        "
apiVersion: cluster.open-cluster-management.io/v1beta1
kind: Placement
metadata: {name: placement1, namespace: default}
spec:
  numberOfClusters: 3
  clusterSets: [prod]
  predicates:
    - requiredClusterSelector:
        labelSelector: {matchLabels: {purpose: test}}
        claimSelector:
          matchExpressions:
            - {key: platform.open-cluster-management.io, operator: In, values: [aws]}
",
    ),
    (
        "concepts/placement: prioritizers",
        "
apiVersion: cluster.open-cluster-management.io/v1beta1
kind: Placement
metadata: {name: placement1, namespace: default}
spec:
  numberOfClusters: 2
  prioritizerPolicy:
    mode: Exact
    configurations:
      - scoreCoordinate: {type: BuiltIn, builtIn: ResourceAllocatableMemory}
      - scoreCoordinate: {type: AddOn, addOn: {resourceName: default, scoreName: cpuratio}}
        weight: 1
",
    ),
    (
        "concepts/placement: decision groups",
        "
apiVersion: cluster.open-cluster-management.io/v1beta1
kind: Placement
metadata: {name: placement1, namespace: default}
spec:
  clusterSets: [global]
  decisionStrategy:
    groupStrategy:
      clustersPerDecisionGroup: '3'
      decisionGroups:
        - groupName: prod-canary-west
          groupClusterSelector: {labelSelector: {matchExpressions: [{key: prod-canary-west, operator: Exists}]}}
",
    ),
    (
        "concepts/placement: decisions",
        "
apiVersion: cluster.open-cluster-management.io/v1beta1
kind: PlacementDecision
metadata:
  labels: {cluster.open-cluster-management.io/placement: placement1, cluster.open-cluster-management.io/decision-group-index: '0', cluster.open-cluster-management.io/decision-group-name: ''}
  name: placement1-decision-1
  namespace: default
status: {decisions: [{clusterName: cluster1, reason: ''}, {clusterName: cluster2, reason: ''}]}
",
    ),
    (
        "concepts/work-distribution/manifestwork",
        "
apiVersion: work.open-cluster-management.io/v1
kind: ManifestWork
metadata: {namespace: cluster1, name: example-manifestwork}
spec:
  workload:
    manifests:
      - apiVersion: apps/v1
        kind: Deployment
        metadata: {name: hello, namespace: default}
        spec:
          selector: {matchLabels: {app: hello}}
          template: {metadata: {labels: {app: hello}}, spec: {containers: [{name: hello, image: quay.io/asmacdo/busybox, command: [sh, -c, 'sleep 3600']}]}}
  manifestConfigs:
    - resourceIdentifier: {group: apps, resource: deployments, namespace: default, name: hello}
      feedbackRules: [{type: WellKnownStatus}, {type: JSONPaths, jsonPaths: [{name: isAvailable, path: '.status.conditions[?(@.type==\"Available\")].status'}]}]
      updateStrategy: {type: ServerSideApply, serverSideApply: {force: true, fieldManager: work-agent-another}}
  deleteOption: {propagationPolicy: SelectivelyOrphan, selectivelyOrphans: {orphaningRules: [{group: '', resource: configmaps, namespace: default, name: cm}]}}
  executor: {subject: {type: ServiceAccount, serviceAccount: {namespace: default, name: test-sa}}}
",
    ),
    (
        "concepts/work-distribution/manifestworkreplicaset",
        "
apiVersion: work.open-cluster-management.io/v1alpha1
kind: ManifestWorkReplicaSet
metadata: {name: mwrset, namespace: ocm-ns}
spec:
  cascadeDeletionPolicy: Background
  placementRefs:
    - name: placement-rollout-progressive
      rolloutStrategy:
        type: Progressive
        progressive: {minSuccessTime: 5m, progressDeadline: 10m, maxFailures: 5%, maxConcurrency: 2, mandatoryDecisionGroups: [{groupName: prod-canary-west}]}
  manifestWorkTemplate:
    deleteOption: {propagationPolicy: SelectivelyOrphan, selectivelyOrphans: {orphaningRules: [{group: '', name: ocm-ns, namespace: '', resource: Namespace}]}}
    workload: {manifests: [{apiVersion: v1, kind: Namespace, metadata: {name: ocm-ns}}]}
",
    ),
    (
        "concepts/work-distribution: what an agent keeps",
        "
apiVersion: work.open-cluster-management.io/v1
kind: AppliedManifestWork
metadata: {name: 0fcfdd7da9a8-example-manifestwork}
spec: {agentID: 0fcfdd7da9a8, hubHash: 0fcfdd7da9a8, manifestWorkName: example-manifestwork}
status: {appliedResources: [{group: apps, name: hello, namespace: default, resource: deployments, uid: 7a6d08d1, version: v1}]}
",
    ),
];

#[test]
fn documented_objects_are_read_and_kept() {
    for (page, text) in DOCUMENTED {
        let object = yaml(text);
        let sent = through_its_type(&object);
        assert!(holds(&sent, &object), "{page}: {sent}");
    }
}

#[test]
fn a_time_is_written_as_kubernetes_writes_it() {
    let sent = through_its_type(&yaml(DOCUMENTED[1].1));
    assert_eq!(
        sent["spec"]["taints"][0]["timeAdded"],
        "2022-02-21T08:11:06Z"
    );
}

#[test]
fn a_template_is_copied_with_what_we_do_not_know() {
    let text = yaml(
        "{spec: {placementRefs: [], manifestWorkTemplate: {tomorrow: 1, workload: {manifests: [{kind: X}]}}}}",
    );
    let set: ManifestWorkReplicaSet = serde_json::from_value(text).unwrap();
    assert_eq!(set.spec.manifest_work_template["tomorrow"], 1);
    assert_eq!(set.template().unwrap().workload.manifests.len(), 1);
}
