//! `kubectl mqinformer`.

fn main() -> std::process::ExitCode {
    kubectl_mqinformer::main(std::env::args_os())
}
