//! The command `back_office`; see [`back_office::command`].
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    back_office::command::run()
}
