//! One cluster: etcd and an API server; and, when a test wants life in it, the controllers, the scheduler and kwok's
//! fake nodes, on which pods become Running.

use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::json;

use crate::access::{User, allow_viewer, ca_path, kubeconfig_path, tokens_path, write_access};
use crate::api::{Api, sum_samples, trusting_agent};
use crate::binaries::Binaries;
use crate::component::{Component, Program};
use crate::pki::{self, Authority};
use crate::ports;
use crate::spawner::Lifetime;
use crate::state::{ClusterEntry, Record};

/// How many fake nodes a cluster with controllers has.
const NODES: usize = 3;

/// How long waits in a cluster may take before they are an error.
const PATIENCE: Duration = Duration::from_secs(120);

/// What would work against a test: the first two end pods on nodes that nobody serves, whose status must stay as it was
/// written; the others lack what they need here (metrics, volumes), overwrite the status that the fixtures give
/// instead, and say so in an event every 15 seconds, for ever.
const IDLE_CONTROLLERS: [&str; 4] = [
    "node-lifecycle-controller",
    "taint-eviction-controller",
    "horizontal-pod-autoscaler-controller",
    "persistentvolume-binder-controller",
];

/// What a cluster needs from its bed.
#[derive(Clone)]
pub(crate) struct Ground {
    pub(crate) binaries: Binaries,
    pub(crate) authority: Arc<Authority>,
    pub(crate) lifetime: Lifetime,
    pub(crate) record: Arc<Record>,
}

/// A running cluster. What it has started ends when it is dropped.
pub struct Cluster {
    name: String,
    dir: PathBuf,
    ground: Ground,
    server: String,
    api: Api,
    storage: ureq::Agent,
    ports: Ports,
    // Dropped in this order: clients before servers, so that none of them fills its log with complaints.
    controllers: Mutex<Option<Arc<Controllers>>>,
    apiserver: Component,
    etcd: Component,
}

/// What brings life into a cluster.
#[derive(Debug)]
pub struct Controllers {
    /// Fake nodes, on which pods become Running.
    pub kwok: Component,
    /// kube-scheduler.
    pub scheduler: Component,
    /// kube-controller-manager.
    pub manager: Component,
}

#[derive(Clone, Copy)]
struct Ports {
    etcd: u16,
    etcd_peer: u16,
    api: u16,
    manager: u16,
    scheduler: u16,
    kwok: u16,
}

impl Ports {
    fn choose() -> Result<Self> {
        match ports::choose(6)?[..] {
            [etcd, etcd_peer, api, manager, scheduler, kwok] => Ok(Self {
                etcd,
                etcd_peer,
                api,
                manager,
                scheduler,
                kwok,
            }),
            _ => bail!("not six ports"),
        }
    }
}

impl Cluster {
    /// Starts etcd and the API server in `dir`, and waits until the default namespace is there.
    pub(crate) fn start(name: &str, dir: &Path, ground: Ground) -> Result<Self> {
        fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
        let ports = Ports::choose()?;
        let server = format!("https://127.0.0.1:{}", ports.api);
        let authority = ground.authority.certificate().to_owned();
        let quick = Api::new(
            &server,
            &authority,
            &User::Admin.token(),
            Duration::from_secs(2),
        )?;
        let api = Api::new(
            &server,
            &authority,
            &User::Admin.token(),
            Duration::from_secs(60),
        )?;
        write_access(name, dir, &server, &ground.authority)?;

        let etcd = etcd(name, dir, &ground, ports);
        let etcd = Component::start(etcd, ground.lifetime, Arc::clone(&ground.record))?;
        let apiserver = apiserver(name, dir, &ground, ports, quick)?;
        let apiserver = Component::start(apiserver, ground.lifetime, Arc::clone(&ground.record))?;
        allow_viewer(&api)?;

        let cluster = Self {
            name: name.to_owned(),
            dir: dir.to_owned(),
            server,
            api,
            storage: trusting_agent(Duration::from_secs(60)),
            ports,
            controllers: Mutex::new(None),
            apiserver,
            etcd,
            ground,
        };
        let entry = ClusterEntry {
            name: name.to_owned(),
            kubeconfig: cluster.kubeconfig(User::Admin),
            server: cluster.server.clone(),
        };
        cluster
            .ground
            .record
            .update(|state| state.clusters.push(entry))?;
        Ok(cluster)
    }

    /// Its name, which is also the context's name in its kubeconfigs.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The URL of its API server.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.server
    }

    /// A kubeconfig for `user`.
    #[must_use]
    pub fn kubeconfig(&self, user: User) -> PathBuf {
        kubeconfig_path(&self.dir, user)
    }

    /// The administrator's HTTP client.
    #[must_use]
    pub fn api(&self) -> &Api {
        &self.api
    }

    /// Its etcd.
    #[must_use]
    pub fn etcd(&self) -> &Component {
        &self.etcd
    }

    /// Its API server.
    #[must_use]
    pub fn apiserver(&self) -> &Component {
        &self.apiserver
    }

    /// Brings life into it: controllers, scheduler, and fake nodes that are ready. The first call starts them.
    ///
    /// # Errors
    /// When one of them does not come up; the error shows the end of its log.
    pub fn controllers(&self) -> Result<Arc<Controllers>> {
        let mut controllers = self
            .controllers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = &*controllers {
            return Ok(Arc::clone(running));
        }
        let started = Arc::new(self.start_controllers()?);
        *controllers = Some(Arc::clone(&started));
        Ok(started)
    }

    /// Whether controllers have been started.
    pub(crate) fn has_controllers(&self) -> bool {
        self.controllers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_some()
    }

    /// kubectl as the administrator, ready to run: add arguments.
    #[must_use]
    pub fn kubectl_command(&self) -> Command {
        self.kubectl_command_as(User::Admin)
    }

    /// kubectl as `user`, ready to run.
    #[must_use]
    pub fn kubectl_command_as(&self, user: User) -> Command {
        let mut command = Command::new(self.ground.binaries.kubectl());
        // Its cache of the API's description would be shared with other clusters that had the same port before.
        command
            .env("KUBECONFIG", self.kubeconfig(user))
            .env("KUBECACHEDIR", self.dir.join("kubectl-cache"))
            .env_remove("KUBECTL_EXTERNAL_DIFF")
            .stdin(Stdio::null());
        command
    }

    /// Runs kubectl as the administrator and gives what it said, whatever its exit code.
    ///
    /// # Errors
    /// When it cannot be run.
    pub fn kubectl(&self, args: &[&str]) -> Result<Output> {
        self.kubectl_command()
            .args(args)
            .output()
            .context("cannot run kubectl")
    }

    /// Runs kubectl as the administrator and gives its stdout.
    ///
    /// # Errors
    /// With its stderr, when it fails.
    pub fn kubectl_ok(&self, args: &[&str]) -> Result<String> {
        checked(self.kubectl(args)?, args)
    }

    /// Runs kubectl as the administrator with `input` on its stdin, and gives its stdout.
    ///
    /// # Errors
    /// With its stderr, when it fails.
    pub fn kubectl_input(&self, args: &[&str], input: &str) -> Result<String> {
        let mut command = self.kubectl_command();
        command
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().context("cannot run kubectl")?;
        let stdin = child.stdin.take();
        // Written beside the reading: either pipe may be full first.
        let output = thread::scope(|scope| {
            scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(input.as_bytes())));
            child.wait_with_output()
        });
        checked(output?, args)
    }

    /// Applies manifests, server-side: annotations stay as they are written.
    ///
    /// # Errors
    /// With kubectl's words.
    pub fn apply(&self, yaml: &str) -> Result<()> {
        self.kubectl_input(
            &["apply", "--server-side", "--force-conflicts", "-f", "-"],
            yaml,
        )
        .map(drop)
    }

    /// Makes a namespace that no other test has, and gives its name: `<prefix>-<number>`.
    ///
    /// # Errors
    /// With the API server's words.
    pub fn namespace(&self, prefix: &str) -> Result<String> {
        use std::sync::atomic::{AtomicUsize, Ordering};
        static NEXT: AtomicUsize = AtomicUsize::new(1);
        let name = format!("{prefix}-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let body = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        self.api
            .post("/api/v1/namespaces", body.to_string())?
            .success()?;
        Ok(name)
    }

    /// The API server's own metrics, Prometheus text.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn metrics(&self) -> Result<String> {
        Ok(self.api.get_as("/metrics", "text/plain")?.success()?.body)
    }

    /// The sum of the samples of one metric whose labels include all of `labels`.
    ///
    /// # Errors
    /// When the API server does not answer.
    pub fn metric(&self, name: &str, labels: &[(&str, &str)]) -> Result<f64> {
        Ok(sum_samples(&self.metrics()?, name, labels))
    }

    /// How many watches of a resource (`pods`) the API server is serving, controllers' own included: compare two
    /// numbers.
    ///
    /// # Errors
    /// When the API server does not answer.
    pub fn watches(&self, resource: &str) -> Result<f64> {
        self.metric(
            "apiserver_longrunning_requests",
            &[("resource", resource), ("verb", "WATCH")],
        )
    }

    /// Puts a value, which is base64 already, into its etcd, past the API server.
    pub(crate) fn put_base64(&self, key: &str, value: &str) -> Result<()> {
        let body = format!(
            "{{\"key\":\"{}\",\"value\":\"{value}\"}}",
            BASE64.encode(key)
        );
        let url = format!("http://127.0.0.1:{}/v3/kv/put", self.ports.etcd);
        let mut answer = self
            .storage
            .post(url)
            .send(body)
            .with_context(|| format!("etcd refuses {key}"))?;
        // Read to its end: only then is the connection free for the next.
        answer.body_mut().read_to_vec()?;
        Ok(())
    }

    /// The memory of all its running components: name and bytes.
    #[must_use]
    pub fn memory(&self) -> Vec<(String, u64)> {
        let controllers = self
            .controllers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let mut all = vec![&self.etcd, &self.apiserver];
        if let Some(controllers) = &controllers {
            all.extend([
                &controllers.manager,
                &controllers.scheduler,
                &controllers.kwok,
            ]);
        }
        all.into_iter()
            .filter_map(|one| Some((one.name().to_owned(), one.memory()?)))
            .collect()
    }

    /// Polls until `check` gives something.
    ///
    /// # Errors
    /// With the last error of `check`, when two minutes are over.
    pub fn wait_for<T>(&self, what: &str, check: impl Fn() -> Result<Option<T>>) -> Result<T> {
        wait_for(&format!("{} in {}", what, self.name), check)
    }

    fn start_controllers(&self) -> Result<Controllers> {
        let begin = |program| {
            Component::start(
                program,
                self.ground.lifetime,
                Arc::clone(&self.ground.record),
            )
        };
        let manager = begin(self.controller_manager())?;
        let scheduler = begin(self.scheduler())?;
        let kwok = begin(self.kwok())?;
        for number in 1..=NODES {
            self.create_node(&format!("node-{number}"), true)?;
        }
        let ready = |number| {
            let node = self
                .api
                .get(&format!("/api/v1/nodes/node-{number}"))?
                .success()?
                .json()?;
            let conditions = node["status"]["conditions"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            Ok(conditions
                .iter()
                .any(|one| one["type"] == "Ready" && one["status"] == "True")
                .then_some(()))
        };
        for number in 1..=NODES {
            self.wait_for("a ready node", || ready(number))?;
        }
        Ok(Controllers {
            kwok,
            scheduler,
            manager,
        })
    }

    /// Creates a node: one on which kwok makes pods live, or one that nobody serves and no pod is scheduled to, so that
    /// pods with its name in `nodeName` keep the status that a test writes.
    ///
    /// # Errors
    /// With the API server's words. That it is there already is no error.
    pub fn create_node(&self, name: &str, alive: bool) -> Result<()> {
        let mut annotations = json!({"node.alpha.kubernetes.io/ttl": "0"});
        if alive {
            annotations["kwok.x-k8s.io/node"] = json!("fake");
        }
        let resources =
            json!({"cpu": "32", "memory": "256Gi", "pods": "20000", "ephemeral-storage": "1Ti"});
        let body = json!({
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": name,
                "annotations": annotations,
                "labels": {
                    "kubernetes.io/hostname": name,
                    "kubernetes.io/os": "linux",
                    "kubernetes.io/arch": "amd64",
                    "node-role.kubernetes.io/worker": "",
                    "type": if alive { "alive" } else { "still" },
                },
            },
            "spec": {"unschedulable": !alive},
            "status": {"allocatable": resources, "capacity": resources},
        });
        let answer = self.api.post("/api/v1/nodes", body.to_string())?;
        if answer.status != 409 {
            answer.success()?;
        }
        Ok(())
    }

    fn controller_manager(&self) -> Program {
        let port = self.ports.manager;
        let args = args([
            format!("--kubeconfig={}", self.kubeconfig(User::Admin).display()),
            "--bind-address=127.0.0.1".into(),
            format!("--secure-port={port}"),
            format!("--cert-dir={}", self.dir.join("manager").display()),
            "--leader-elect=false".into(),
            format!("--root-ca-file={}", ca_path(&self.dir).display()),
            format!(
                "--controllers=*,{}",
                IDLE_CONTROLLERS.map(|name| format!("-{name}")).join(",")
            ),
        ]);
        self.program(
            "kube-controller-manager",
            args,
            format!("https://127.0.0.1:{port}/healthz"),
        )
    }

    fn scheduler(&self) -> Program {
        let port = self.ports.scheduler;
        let args = args([
            format!("--kubeconfig={}", self.kubeconfig(User::Admin).display()),
            "--bind-address=127.0.0.1".into(),
            format!("--secure-port={port}"),
            format!("--cert-dir={}", self.dir.join("scheduler").display()),
            "--leader-elect=false".into(),
        ]);
        self.program(
            "kube-scheduler",
            args,
            format!("https://127.0.0.1:{port}/readyz"),
        )
    }

    fn kwok(&self) -> Program {
        let port = self.ports.kwok;
        let mut args = args([
            format!("--kubeconfig={}", self.kubeconfig(User::Admin).display()),
            "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake".into(),
            "--node-ip=10.0.0.1".into(),
            "--cidr=10.244.0.0/16".into(),
            "--node-lease-duration-seconds=40".into(),
            format!("--server-address=127.0.0.1:{port}"),
        ]);
        args.extend(self.ground.binaries.stages().map(|stage| {
            let mut arg = OsString::from("--config=");
            arg.push(stage);
            arg
        }));
        self.program("kwok", args, format!("http://127.0.0.1:{port}/healthz"))
    }

    fn program(&self, program: &str, args: Vec<OsString>, url: String) -> Program {
        Program {
            name: format!("{}/{program}", self.name),
            path: self.ground.binaries.program(program),
            args,
            log: self.dir.join(format!("{program}.log")),
            ready: Box::new(move || answers(&url)),
        }
    }
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster")
            .field("name", &self.name)
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

/// Polls until `check` gives something; for tests that wait on more than one cluster.
///
/// # Errors
/// With the last error of `check`, when two minutes are over.
pub fn wait_for<T>(what: &str, check: impl Fn() -> Result<Option<T>>) -> Result<T> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let outcome = check();
        if let Ok(Some(found)) = outcome {
            return Ok(found);
        }
        if Instant::now() > deadline {
            return match outcome {
                Err(error) => Err(error.context(format!("no {what} after {PATIENCE:?}"))),
                Ok(_) => bail!("no {what} after {PATIENCE:?}"),
            };
        }
        thread::sleep(Duration::from_millis(25));
    }
}

fn etcd(name: &str, dir: &Path, ground: &Ground, ports: Ports) -> Program {
    let client = format!("http://127.0.0.1:{}", ports.etcd);
    let peer = format!("http://127.0.0.1:{}", ports.etcd_peer);
    Program {
        name: format!("{name}/etcd"),
        path: ground.binaries.program("etcd"),
        args: args([
            "--name=bed".into(),
            format!("--data-dir={}", dir.join("etcd").display()),
            format!("--listen-client-urls={client}"),
            format!("--advertise-client-urls={client}"),
            format!("--listen-peer-urls={peer}"),
            format!("--initial-advertise-peer-urls={peer}"),
            format!("--initial-cluster=bed={peer}"),
            // What is killed here is a process, never the machine: the page cache is durable enough.
            "--unsafe-no-fsync".into(),
            "--log-level=warn".into(),
        ]),
        log: dir.join("etcd.log"),
        ready: Box::new(move || answers(&format!("{client}/readyz"))),
    }
}

fn apiserver(name: &str, dir: &Path, ground: &Ground, ports: Ports, probe: Api) -> Result<Program> {
    let serving = ground.authority.server(dir, "apiserver")?;
    let (private, public) = pki::signing_key(dir)?;
    let args = args([
        format!("--etcd-servers=http://127.0.0.1:{}", ports.etcd),
        "--bind-address=127.0.0.1".into(),
        "--advertise-address=127.0.0.1".into(),
        format!("--secure-port={}", ports.api),
        format!("--tls-cert-file={}", serving.certificate.display()),
        format!("--tls-private-key-file={}", serving.key.display()),
        format!("--token-auth-file={}", tokens_path(dir).display()),
        "--authorization-mode=RBAC".into(),
        // ServiceAccount wants a controller that a bare cluster lacks; TaintNodesByCondition one that we switch off.
        "--disable-admission-plugins=ServiceAccount,TaintNodesByCondition".into(),
        "--service-account-issuer=https://kubernetes.default.svc".into(),
        format!("--service-account-key-file={}", public.display()),
        format!("--service-account-signing-key-file={}", private.display()),
        "--service-cluster-ip-range=10.96.0.0/16".into(),
        "--endpoint-reconciler-type=none".into(),
        "--allow-privileged=true".into(),
    ]);
    Ok(Program {
        name: format!("{name}/kube-apiserver"),
        path: ground.binaries.program("kube-apiserver"),
        args,
        log: dir.join("kube-apiserver.log"),
        // Ready says nothing about the namespace that everybody needs: it comes a moment later.
        ready: Box::new(move || {
            probe.get("/readyz")?.success()?;
            probe.get("/api/v1/namespaces/default")?.success().map(drop)
        }),
    })
}

/// Whether `url` answers 200.
fn answers(url: &str) -> Result<()> {
    trusting_agent(Duration::from_secs(2))
        .get(url)
        .call()
        .map(drop)
        .with_context(|| url.to_owned())
}

fn checked(output: Output, args: &[&str]) -> Result<String> {
    if !output.status.success() {
        bail!(
            "kubectl {}: {}: {}",
            args.join(" "),
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8(output.stdout)?)
}

fn args<const N: usize>(args: [String; N]) -> Vec<OsString> {
    args.map(OsString::from).into()
}
