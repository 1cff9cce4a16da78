//! The real parts, built once per machine from Go modules, and found again by everybody after that.
//!
//! They live in `$BED_CACHE`, else `$XDG_CACHE_HOME/mqtt-informer/bed`, else `~/.cache/mqtt-informer/bed`, in a folder
//! named after a hash of the recipe: another version, or another flag, is another folder. A build works in a folder of
//! its own under a lock and is renamed when it is whole, so a folder that exists is complete.

use std::env;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

/// The version of Kubernetes that the bed runs.
pub const KUBERNETES: &str = "v1.36.3";

const GO_MOD: &str = include_str!("../go/go.mod");
const GO_SUM: &str = include_str!("../go/go.sum");

/// What is built, in this order: what a bare cluster needs comes first.
const PROGRAMS: [(&str, &str); 6] = [
    ("etcd", "go.etcd.io/etcd/server/v3"),
    ("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver"),
    ("kubectl", "k8s.io/kubernetes/cmd/kubectl"),
    (
        "kube-controller-manager",
        "k8s.io/kubernetes/cmd/kube-controller-manager",
    ),
    ("kube-scheduler", "k8s.io/kubernetes/cmd/kube-scheduler"),
    ("kwok", "sigs.k8s.io/kwok/cmd/kwok"),
];

/// Clients read the server's version to decide what to ask for, so it must be the real one.
const LDFLAGS: &str = "-s -w \
    -X k8s.io/component-base/version.gitVersion=v1.36.3 \
    -X k8s.io/component-base/version.gitMajor=1 \
    -X k8s.io/component-base/version.gitMinor=36 \
    -X sigs.k8s.io/kwok/pkg/consts.Version=v0.8.0";

const KWOK: &str = "sigs.k8s.io/kwok";

/// What kwok does to nodes and pods, copied out of its module.
const STAGES: [&str; 5] = [
    "node/fast/node-initialize.yaml",
    "node/heartbeat/node-heartbeat.yaml",
    "pod/fast/pod-ready.yaml",
    "pod/fast/pod-complete.yaml",
    "pod/fast/pod-delete.yaml",
];

/// The folder with all programs, built.
#[derive(Clone, Debug)]
pub struct Binaries {
    dir: PathBuf,
}

impl Binaries {
    /// Finds the programs, or builds them: minutes the first time, milliseconds after that.
    ///
    /// Any number of processes may call it at once: one builds, the others wait for it. Progress goes to stderr.
    ///
    /// # Errors
    /// When Go is missing, a module cannot be fetched, or does not compile.
    pub fn ensure() -> Result<Self> {
        Self::ensure_in(&cache()?, &build)
    }

    fn ensure_in(cache: &Path, build: &dyn Fn(&Path) -> Result<()>) -> Result<Self> {
        let dir = cache.join(recipe_hash());
        if dir.is_dir() {
            return Ok(Self { dir });
        }
        fs::create_dir_all(cache).with_context(|| format!("cannot create {}", cache.display()))?;
        let _lock = lock(&cache.join("lock"))?;
        if dir.is_dir() {
            return Ok(Self { dir });
        }
        // Under the lock, a partial folder can only be what an interrupted build has left.
        let partial = dir.with_extension("partial");
        if partial.exists() {
            fs::remove_dir_all(&partial)
                .with_context(|| format!("cannot remove {}", partial.display()))?;
        }
        fs::create_dir_all(&partial)
            .with_context(|| format!("cannot create {}", partial.display()))?;
        build(&partial)?;
        fs::rename(&partial, &dir)
            .with_context(|| format!("cannot rename {} to {}", partial.display(), dir.display()))?;
        Ok(Self { dir })
    }

    /// The folder, fit for `PATH`.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// kubectl of the bed's own version: the machine's may be another.
    #[must_use]
    pub fn kubectl(&self) -> PathBuf {
        self.program("kubectl")
    }

    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Files that tell kwok how nodes and pods live.
    pub(crate) fn stages(&self) -> impl Iterator<Item = PathBuf> + '_ {
        STAGES
            .iter()
            .map(|stage| self.dir.join("stages").join(file_name(stage)))
    }
}

/// One line of progress on stderr. Nothing can be done about a stderr that is gone.
pub(crate) fn progress(line: &str) {
    let _: io::Result<()> = writeln!(io::stderr(), "bed: {line}");
}

fn cache() -> Result<PathBuf> {
    if let Some(dir) = env::var_os("BED_CACHE").filter(|dir| !dir.is_empty()) {
        return Ok(dir.into());
    }
    let base = env::var_os("XDG_CACHE_HOME")
        .filter(|dir| !dir.is_empty())
        .map(PathBuf::from);
    let base = base.or_else(|| Some(env::home_dir()?.join(".cache")));
    Ok(base
        .context("neither BED_CACHE, XDG_CACHE_HOME nor HOME is set")?
        .join("mqtt-informer/bed"))
}

/// Locks `path` against other processes; the kernel gives it free when we end, however we end.
fn lock(path: &Path) -> Result<File> {
    let file = File::create(path).with_context(|| format!("cannot create {}", path.display()))?;
    if let Err(fs::TryLockError::WouldBlock) = file.try_lock() {
        progress("another process builds the real parts: waiting for it");
    }
    file.lock()
        .with_context(|| format!("cannot lock {}", path.display()))?;
    Ok(file)
}

/// Everything that the result depends on, but for the Go version: that changes the code, not what it does.
fn recipe_hash() -> String {
    let programs = PROGRAMS
        .map(|(name, package)| format!("{name}={package}"))
        .join(" ");
    let parts = [
        GO_MOD,
        GO_SUM,
        LDFLAGS,
        &programs,
        &STAGES.join(" "),
        env::consts::OS,
        env::consts::ARCH,
    ];
    format!("{:016x}", fnv1a(parts.join("\0").as_bytes()))
}

/// FNV-1a, 64 bits: the same for every compiler, which std's hasher does not promise.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn build(dir: &Path) -> Result<()> {
    let module = dir.join("module");
    fs::create_dir_all(&module)?;
    fs::write(module.join("go.mod"), GO_MOD)?;
    fs::write(module.join("go.sum"), GO_SUM)?;
    progress(&format!(
        "building the real parts, once for this machine, into {}",
        dir.display()
    ));
    let begin = Instant::now();
    step("fetching Go modules", || {
        go(&module, &["mod", "download"]).map(drop)
    })?;
    for (name, package) in PROGRAMS {
        let out = dir.join(name).to_string_lossy().into_owned();
        let args = [
            "build",
            "-mod=readonly",
            "-trimpath",
            "-buildvcs=false",
            "-ldflags",
            LDFLAGS,
            "-o",
            &out,
            package,
        ];
        step(&format!("building {name}"), || go(&module, &args).map(drop))?;
    }
    let kwok = go(&module, &["list", "-m", "-f", "{{.Dir}}", KWOK])?;
    copy_stages(
        &Path::new(kwok.trim()).join("kustomize/stage"),
        &dir.join("stages"),
    )?;
    progress(&format!(
        "the real parts are built, {:.0} s in all",
        begin.elapsed().as_secs_f64()
    ));
    Ok(())
}

fn step(what: &str, run: impl FnOnce() -> Result<()>) -> Result<()> {
    progress(&format!("{what} ..."));
    let begin = Instant::now();
    run().with_context(|| format!("{what} failed"))?;
    progress(&format!("{what}: {:.1} s", begin.elapsed().as_secs_f64()));
    Ok(())
}

/// Runs `go` in the module; its stderr is ours. Gives its stdout.
fn go(module: &Path, args: &[&str]) -> Result<String> {
    let output = Command::new("go")
        .args(args)
        .current_dir(module)
        .env("CGO_ENABLED", "0")
        .env("GOWORK", "off")
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output();
    let output = match output {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            bail!("the bed builds its parts with Go 1.26 or newer, and `go` is not on PATH")
        }
        other => other.context("cannot run go")?,
    };
    if !output.status.success() {
        bail!(
            "go {} ended with {}",
            args.first().unwrap_or(&""),
            output.status
        );
    }
    Ok(String::from_utf8(output.stdout)?)
}

fn copy_stages(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for stage in STAGES {
        // Read and written, not copied: files of the module cache are read-only, and ours must be removable.
        let text =
            fs::read(from.join(stage)).with_context(|| format!("kwok's module has no {stage}"))?;
        fs::write(to.join(file_name(stage)), text)?;
    }
    Ok(())
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn the_versions_of_the_flags_are_those_of_the_module() {
        assert!(LDFLAGS.contains(&format!("gitVersion={KUBERNETES} ")));
        assert!(GO_MOD.contains(&format!("k8s.io/kubernetes {KUBERNETES}")));
        let kwok = LDFLAGS.rsplit_once("consts.Version=").unwrap().1;
        assert!(GO_MOD.contains(&format!("{KWOK} {kwok}")));
        let minor = format!("gitMinor={} ", KUBERNETES.split('.').nth(1).unwrap());
        assert!(LDFLAGS.contains(&minor));
    }

    #[test]
    fn many_at_once_build_once_and_all_see_the_whole() {
        let cache = tempfile::tempdir().unwrap();
        let built = AtomicUsize::new(0);
        let build = |dir: &Path| {
            built.fetch_add(1, Ordering::SeqCst);
            fs::write(dir.join("first"), "")?;
            std::thread::sleep(std::time::Duration::from_millis(50));
            Ok(fs::write(dir.join("last"), "")?)
        };
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let found = Binaries::ensure_in(cache.path(), &build).unwrap();
                    assert!(
                        found.dir().join("first").exists() && found.dir().join("last").exists()
                    );
                });
            }
        });
        assert_eq!(built.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_build_that_failed_leaves_nothing_that_looks_whole() {
        let cache = tempfile::tempdir().unwrap();
        let fail = |dir: &Path| {
            fs::write(dir.join("rubbish"), "")?;
            bail!("no network")
        };
        assert!(Binaries::ensure_in(cache.path(), &fail).is_err());
        let found =
            Binaries::ensure_in(cache.path(), &|dir| Ok(fs::write(dir.join("good"), "")?)).unwrap();
        assert!(found.dir().join("good").exists() && !found.dir().join("rubbish").exists());
    }
}
