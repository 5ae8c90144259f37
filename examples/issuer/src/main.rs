//! The command `issuer`. Everything it can do is in the library beside it; `command` reads the arguments, asks for
//! passphrases and words the answers.
#![forbid(unsafe_code)]

mod command;

fn main() -> std::process::ExitCode {
    command::run()
}
