//! Every command of `issuer`, run as its user runs it, in a folder of its own.

mod desk;
mod journal;
mod key;
mod keys;
mod licence;
mod show;
mod time;

use desk::Desk;

#[test]
fn every_command_has_help_and_the_first_page_shows_how_to_begin() {
    let desk = Desk::new();
    let first = desk.run(&["--help"]).ok();
    assert!(first.contains("issuer licence new") && first.contains("Exit codes"), "{first}");
    for words in [
        "key",
        "key new",
        "key show",
        "key passwd",
        "keys",
        "keys new",
        "keys next",
        "keys sign",
        "keys host-line",
        "licence",
        "licence new",
        "licence next",
        "show",
        "time",
        "time new",
        "journal",
        "journal verify",
    ] {
        let page = desk.run(&words.split(' ').chain(["--help"]).collect::<Vec<_>>()).ok();
        assert!(page.contains("Usage: issuer"), "{words}: {page}");
    }
}

#[test]
fn a_command_line_without_sense_exits_2() {
    let desk = Desk::new();
    for words in
        ["", "licences", "key new", "key new --role king --id a --out a.key", "licence new --key a.key", "show"]
    {
        let words: Vec<_> = words.split_whitespace().collect();
        assert_eq!(desk.run(&words).code, 2, "{words:?}");
    }
}
