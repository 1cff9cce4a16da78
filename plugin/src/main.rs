//! `kubectl mqinformer`.

/// A third of the time of a large `get` is spent with glibc's; musl's, in static builds, is slower still.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    kubectl_mqinformer::main(std::env::args_os())
}
