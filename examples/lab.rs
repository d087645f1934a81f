//! Stands in for `rplay lab` until the command line dispatches to it.

fn main() -> std::process::ExitCode {
    let args: Vec<String> = std::env::args()
        .skip(1)
        .skip_while(|arg| arg == "lab")
        .collect();
    let status = rplay::lab::run(&args, &mut std::io::stdout());
    std::process::ExitCode::from(u8::try_from(status).unwrap_or(1))
}
