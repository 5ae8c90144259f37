//! The small files by which processes hand each other work: uploads, acknowledgements, restarts.

use crate::allocation::bounded;
use crate::fixture::fixture;
use crate::place;
use crate::reader::Reader;
use ors::licence::{hex, sha256, text};
use ors::store::{StateFolder, handover};
use std::path::Path;

const MOST: usize = 1 << 20;

/// A list of steps: what other processes did, or what somebody put there.
pub fn run(data: &[u8]) {
    let place = place::fresh();
    let folder = StateFolder::existing(&place).expect("the folder was just made");
    let uploads = place::folder(&place, handover::UPLOADS);
    let mut reader = Reader(data);
    for _ in 0..40 {
        if reader.is_empty() {
            break;
        }
        step(&mut reader, &folder, &uploads);
    }
    let found = bounded("uploads are read", || handover::uploads(&folder)).expect("uploads can be listed");
    assert!(found.len() <= handover::MOST_UPLOADS);
    for upload in &found {
        assert_eq!(hex(&sha256(&upload.bytes)), upload.digest);
        assert!(text::is_plain(&upload.by, 200) && upload.bytes.len() <= handover::LARGEST_UPLOAD);
        // What the leader does with each.
        bounded("an upload is judged", || {
            let _ = ors::licence::kind_of(&upload.bytes)
                .map(|_| ors::licence::verify(&upload.bytes, &fixture().rings[1], &fixture().product));
        });
        handover::drop_upload(&folder, &upload.digest);
        assert!(!upload.path.exists(), "an upload that was dealt with is gone");
    }
}

fn step(reader: &mut Reader<'_>, folder: &StateFolder, uploads: &Path) {
    match reader.u8() {
        // An upload under the name that it has to have, and one under any name.
        0 => {
            let bytes = reader.expanded(MOST + 1);
            place::put(&uploads.join(format!("{}.lic", hex(&sha256(&bytes)))), &bytes);
        }
        1 => {
            let name = hex(&sha256(&reader.expanded(100)));
            place::put(&uploads.join(format!("{name}.lic")), &reader.expanded(MOST));
        }
        2 => {
            let bytes = reader.expanded(MOST);
            place::put(&uploads.join(format!("{}.by", hex(&sha256(&bytes)))), &reader.expanded(5_000));
        }
        which @ (3 | 4) => {
            let name = if which == 3 { "acknowledged" } else { "restart" };
            let copy = if reader.u8() & 1 == 0 { "a" } else { "b" };
            let (order, revision) = (reader.u64(), reader.u64());
            let sealed = place::sealed(order, revision, &reader.expanded(MOST - 200));
            place::put(&folder.file(&format!("{name}.{copy}")), &sealed);
        }
        5 => {
            let (before, id) = (handover::acknowledged(folder).id, reader.u64());
            let by = reader.text(5_000);
            if bounded("an announcement is acknowledged", || handover::acknowledge(folder, id, &by)).is_ok() {
                let after = bounded("an acknowledgement is read", || handover::acknowledged(folder));
                assert_eq!(after.id, before.max(id), "acknowledgements only grow");
                assert!(before >= id || text::is_plain(&after.by, 200));
            }
        }
        6 => {
            let bytes = reader.expanded(MOST + 1);
            let by = reader.text(5_000);
            if let Ok(digest) = bounded("an upload is kept", || handover::put_upload(folder, &bytes, &by)) {
                assert_eq!(digest, sha256(&bytes));
            } else {
                assert!(bytes.len() > handover::LARGEST_UPLOAD, "there is room for 40 uploads");
            }
        }
        7 => {
            let before = handover::restart_generation(folder);
            if let Ok(after) = bounded("a restart is asked for", || handover::ask_restart(folder)) {
                assert_eq!((after, handover::restart_generation(folder)), (before.saturating_add(1), after));
            }
        }
        8 => handover::drop_upload(folder, &reader.text(200)),
        _ => {}
    }
}
