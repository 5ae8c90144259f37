//! Explains what holds keys: chain files, key lists that wait for signatures, key files.

use ors::licence::text::clean;
use ors::licence::{Advance, Envelope, KeyChain, KeyStatus, Keyring, Role, hex, sha256};

use super::{Against, Page};
use crate::key_file::{KeyFile, KeyFileError};
use crate::key_list::KeyListDraft;
use crate::pending::{Need, Pending, PendingError, ring_of_chain};

pub(super) fn key_file(page: &mut Page, read: Result<KeyFile, KeyFileError>) {
    page.title("A signing key, sealed under a passphrase");
    let file = match read {
        Ok(file) => file,
        Err(problem) => return page.wrong(problem.to_string()),
    };
    page.line("Id", file.id());
    page.line("Role", format!("{}: {}", file.role().token(), may(file.role())));
    page.line("Fingerprint", fingerprint(&file.public_bytes()));
    page.line("Public", file.trusted_line());
    page.note("The private half was not looked at: that takes the passphrase (`key show --check`).");
}

pub(super) fn pending(page: &mut Page, read: Result<Pending, PendingError>) {
    page.title("A key list that waits for signatures of root keys");
    let pending = match read {
        Ok(pending) => pending,
        Err(problem) => return page.wrong(problem.to_string()),
    };
    list(page, pending.list());
    match pending.needs() {
        Err(problem) => page.wrong(problem.to_string()),
        Ok(needs) => needs.iter().for_each(|need| page.line("Signed", need_in_words(need))),
    }
}

/// "by 1 of the 2 roots that version 3 asks for: root-a; could still sign: root-b".
pub fn need_in_words(need: &Need) -> String {
    let mut text =
        format!("by {} of the {} root keys that version {} asks for", need.signed.len(), need.threshold, need.version);
    if !need.signed.is_empty() {
        text.push_str(&format!(": {}", need.signed.join(", ")));
    }
    if need.missing() > 0 && !need.open.is_empty() {
        text.push_str(&format!("; could still sign: {}", need.open.join(", ")));
    }
    text
}

pub(super) fn chain(page: &mut Page, bytes: &[u8], against: Against<'_>) {
    page.title("Key lists: which keys a product trusts");
    let chain = match KeyChain::parse(bytes) {
        Ok(chain) => chain,
        Err(refusal) => return page.refused(&refusal),
    };
    match against.keys {
        Some(keys) => judged(page, keys, &chain),
        None => match ring_of_chain(&chain) {
            Ok(_) => page.line("Verified", "each list by its own roots and those of the one before; but not against a product's keys (--keys FILE)"),
            Err(problem) => {
                page.line("Verified", "NO: see below");
                page.wrong(problem.to_string());
            }
        },
    }
    for list in &chain.lists {
        told(page, list);
    }
}

fn judged(page: &mut Page, keys: &Keyring, chain: &KeyChain) {
    let mut ring = keys.clone();
    for list in &chain.lists {
        match ring.advance(list) {
            Ok(Advance::Next(next)) => {
                page.line(
                    "Verified",
                    format!(
                        "version {} follows version {} and is signed by enough roots of both",
                        next.version(),
                        ring.version()
                    ),
                );
                ring = next;
            }
            Ok(Advance::Present) => {
                page.line("Verified", format!("version {} is the list that the given keys are", ring.version()))
            }
            Ok(Advance::Older) => page.line(
                "Verified",
                format!("not looked at: a list before version {}, which the given keys have", ring.version()),
            ),
            Err(refusal) => {
                page.line(
                    "Verified",
                    format!("NO: the list after version {} is refused, and all after it", ring.version()),
                );
                return page.refused(&refusal);
            }
        }
    }
}

fn told(page: &mut Page, envelope: &Envelope) {
    match KeyListDraft::parse(&envelope.payload) {
        Err(problem) => page.wrong(problem),
        Ok(draft) => {
            list(page, &draft);
            page.envelope(envelope);
        }
    }
}

fn list(page: &mut Page, draft: &KeyListDraft) {
    page.line("Version", format!("{}; {} root keys must sign the next", draft.version, draft.threshold));
    for (id, role, public, status) in &draft.keys {
        let id = clean(id, 128);
        page.line("", format!("{id}: {} key, {}, fingerprint {}", role.token(), what(*status), fingerprint(public)));
    }
}

fn may(role: Role) -> &'static str {
    match role {
        Role::Root => "signs key lists, nothing else",
        Role::Licence => "signs licences",
        Role::Statement => "signs what the back office says, and time files",
    }
}

fn what(status: KeyStatus) -> &'static str {
    match status {
        KeyStatus::Active => "active",
        KeyStatus::Retired => "retired (what is installed stays good, nothing new)",
        KeyStatus::Revoked => "revoked (nothing by it counts)",
    }
}

/// The first 16 hexadecimal digits of a public half's SHA-256, as diagnostics show it.
pub fn fingerprint(public: &[u8; 32]) -> String {
    let mut digits = hex(&sha256(public));
    digits.truncate(16);
    digits
}
