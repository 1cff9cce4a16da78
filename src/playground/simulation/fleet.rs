//! What the simulated company runs.

use super::workload::Controller::{self, DaemonSet, Deployment, StatefulSet};

pub(super) const NAMESPACES: &[&str] = &[
    "default",
    "kube-node-lease",
    "kube-public",
    "kube-system",
    "cert-manager",
    "data",
    "ingress-nginx",
    "monitoring",
    "payments",
    "shop",
];

/// A workload before it runs.
#[derive(Debug)]
pub(super) struct Blueprint {
    pub(super) namespace: &'static str,
    pub(super) name: &'static str,
    pub(super) controller: Controller,
    pub(super) replicas: u32,
    pub(super) image: &'static str,
    /// Major and minor version of the first release.
    pub(super) version: (u32, u32),
    /// The port of its service; 0 for none.
    pub(super) port: u16,
    /// Crashes now and then.
    pub(super) flaky: bool,
    /// The host of its ingress; empty for none.
    pub(super) host: &'static str,
}

const fn workload(
    namespace: &'static str,
    name: &'static str,
    controller: Controller,
    replicas: u32,
    image: &'static str,
    version: (u32, u32),
    port: u16,
) -> Blueprint {
    Blueprint {
        namespace,
        name,
        controller,
        replicas,
        image,
        version,
        port,
        flaky: false,
        host: "",
    }
}

impl Blueprint {
    const fn flaky(self) -> Self {
        Self {
            flaky: true,
            ..self
        }
    }
    const fn at(self, host: &'static str) -> Self {
        Self { host, ..self }
    }
}

pub(super) const WORKLOADS: &[Blueprint] = &[
    workload(
        "shop",
        "web",
        Deployment,
        6,
        "registry.example.com/shop/web",
        (2, 41),
        8080,
    )
    .at("www.example.com"),
    workload(
        "shop",
        "cart",
        Deployment,
        4,
        "registry.example.com/shop/cart",
        (1, 18),
        8080,
    ),
    workload(
        "shop",
        "checkout",
        Deployment,
        4,
        "registry.example.com/shop/checkout",
        (3, 7),
        8080,
    )
    .flaky(),
    workload(
        "shop",
        "catalog",
        Deployment,
        5,
        "registry.example.com/shop/catalog",
        (1, 93),
        8080,
    ),
    workload(
        "shop",
        "search",
        Deployment,
        3,
        "registry.example.com/shop/search",
        (0, 27),
        9200,
    )
    .flaky(),
    workload(
        "shop",
        "recommendations",
        Deployment,
        2,
        "registry.example.com/shop/recommendations",
        (0, 9),
        8080,
    ),
    workload(
        "shop",
        "sessions",
        StatefulSet,
        3,
        "docker.io/library/redis",
        (8, 2),
        6379,
    ),
    workload(
        "payments",
        "api",
        Deployment,
        4,
        "registry.example.com/payments/api",
        (5, 2),
        8443,
    )
    .at("pay.example.com"),
    workload(
        "payments",
        "ledger",
        StatefulSet,
        3,
        "registry.example.com/payments/ledger",
        (2, 0),
        5432,
    ),
    workload(
        "payments",
        "fraud-detector",
        Deployment,
        3,
        "registry.example.com/payments/fraud-detector",
        (0, 44),
        8080,
    )
    .flaky(),
    workload(
        "payments",
        "settlement",
        Deployment,
        2,
        "registry.example.com/payments/settlement",
        (1, 6),
        8080,
    ),
    workload(
        "data",
        "kafka",
        StatefulSet,
        3,
        "quay.io/strimzi/kafka",
        (4, 1),
        9092,
    ),
    workload(
        "data",
        "postgres",
        StatefulSet,
        2,
        "ghcr.io/cloudnative-pg/postgresql",
        (17, 6),
        5432,
    ),
    workload(
        "data",
        "etl",
        Deployment,
        2,
        "registry.example.com/data/etl",
        (0, 71),
        0,
    )
    .flaky(),
    workload(
        "monitoring",
        "prometheus",
        StatefulSet,
        2,
        "quay.io/prometheus/prometheus",
        (3, 5),
        9090,
    ),
    workload(
        "monitoring",
        "alertmanager",
        StatefulSet,
        3,
        "quay.io/prometheus/alertmanager",
        (0, 28),
        9093,
    ),
    workload(
        "monitoring",
        "grafana",
        Deployment,
        2,
        "docker.io/grafana/grafana",
        (12, 1),
        3000,
    )
    .at("grafana.example.com"),
    workload(
        "monitoring",
        "kube-state-metrics",
        Deployment,
        1,
        "registry.k8s.io/kube-state-metrics",
        (2, 17),
        8080,
    ),
    workload(
        "monitoring",
        "node-exporter",
        DaemonSet,
        0,
        "quay.io/prometheus/node-exporter",
        (1, 9),
        9100,
    ),
    workload(
        "ingress-nginx",
        "controller",
        Deployment,
        3,
        "registry.k8s.io/ingress-nginx/controller",
        (1, 13),
        443,
    ),
    workload(
        "cert-manager",
        "cert-manager",
        Deployment,
        1,
        "quay.io/jetstack/cert-manager-controller",
        (1, 18),
        9402,
    ),
    workload(
        "kube-system",
        "coredns",
        Deployment,
        2,
        "registry.k8s.io/coredns/coredns",
        (1, 12),
        53,
    ),
    workload(
        "kube-system",
        "metrics-server",
        Deployment,
        2,
        "registry.k8s.io/metrics-server/metrics-server",
        (0, 8),
        443,
    ),
    workload(
        "kube-system",
        "kube-proxy",
        DaemonSet,
        0,
        "registry.k8s.io/kube-proxy",
        (1, 36),
        0,
    ),
    workload(
        "kube-system",
        "cilium",
        DaemonSet,
        0,
        "quay.io/cilium/cilium",
        (1, 18),
        0,
    ),
];

/// A cron job before it runs.
#[derive(Debug)]
pub(super) struct Recurring {
    pub(super) namespace: &'static str,
    pub(super) name: &'static str,
    pub(super) schedule: &'static str,
    pub(super) image: &'static str,
}

pub(super) const CRON_JOBS: &[Recurring] = &[
    Recurring {
        namespace: "shop",
        name: "price-import",
        schedule: "*/10 * * * *",
        image: "registry.example.com/shop/import:0.31.2",
    },
    Recurring {
        namespace: "payments",
        name: "reconciliation",
        schedule: "*/15 * * * *",
        image: "registry.example.com/payments/reconcile:1.6.0",
    },
    Recurring {
        namespace: "data",
        name: "nightly-backup",
        schedule: "0 2 * * *",
        image: "registry.example.com/data/backup:2.2.1",
    },
    Recurring {
        namespace: "monitoring",
        name: "report",
        schedule: "0 6 * * 1",
        image: "registry.example.com/ops/report:0.4.0",
    },
];
