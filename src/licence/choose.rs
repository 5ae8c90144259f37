//! Which of the files found is the licence in use. A function of what was found and what is known; it reads nothing.

use super::{Digest, Genuine, Reason, Refusal, Serial};

/// A file of the licence folder after verification.
#[derive(Clone, Debug)]
pub struct Candidate {
    pub file: String,
    pub outcome: Result<Genuine, Refusal>,
}

/// What was known before the folder was read.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The serial this installation is fixed to.
    pub serial: Option<Serial>,
    /// A serial that an administrator confirmed: it takes over as soon as a genuine licence with it is found.
    pub confirmed: Option<Serial>,
    /// An administrator changed the path: a genuine licence with another serial may take over.
    pub serial_may_change: bool,
    /// The path names one file of the folder: it settles which serial is meant.
    pub named: Option<String>,
    /// Nothing below this sequence is taken (for the fixed serial).
    pub floor: u64,
    /// What the licence that made the floor held, when that is known.
    pub floor_digest: Option<Digest>,
    /// The verified copy of the licence last in use.
    pub copy: Option<Genuine>,
}

/// Where the licence in use was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    Folder(String),
    Copy,
}

/// What became of one file, for diagnostics and the licence page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileState {
    InUse,
    Superseded,
    Refused,
}

impl FileState {
    /// The word in JSON.
    pub fn token(self) -> &'static str {
        match self {
            FileState::InUse => "in_use",
            FileState::Superseded => "superseded",
            FileState::Refused => "refused",
        }
    }
}

/// One row of diagnostics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileReport {
    pub file: String,
    pub state: FileState,
    pub reason: Reason,
    pub text: String,
    pub serial: Option<String>,
    pub sequence: Option<u64>,
}

/// The decision.
#[derive(Clone, Debug)]
pub struct Choice {
    pub in_use: Option<(Genuine, Source)>,
    pub files: Vec<FileReport>,
    /// Why there is none, when there is none: that of the refused file with the highest readable sequence.
    pub reason: Reason,
}

/// Chooses. The highest sequence wins; the floor, the fixed serial and the verified copy guard against what a writer of
/// the folder might try. Deterministic: every process that sees the same files says the same.
pub fn choose(candidates: Vec<Candidate>, known: &Known) -> Choice {
    let mut files = Vec::with_capacity(candidates.len());
    let mut genuine: Vec<(String, Genuine)> = Vec::new();
    for Candidate { file, outcome } in candidates {
        match outcome {
            Ok(found) => genuine.push((file, found)),
            Err(refusal) => files.push(refused(file, refusal)),
        }
    }
    let serial = match pick_serial(&genuine, known) {
        Ok(serial) => serial,
        Err(Ambiguous) => {
            files.extend(genuine.into_iter().map(|(file, found)| refuse(file, &found, Reason::Ambiguous, AMBIGUOUS)));
            files.sort_by(|a, b| a.file.cmp(&b.file));
            return Choice { in_use: None, files, reason: Reason::Ambiguous };
        }
    };
    let same_serial = serial.is_some() && serial == known.serial;
    let copy = known.copy.as_ref().filter(|copy| Some(&copy.licence().serial) == serial.as_ref());
    let (floor, floor_digest) = if same_serial { (known.floor, known.floor_digest) } else { (0, None) };
    let mut in_use: Option<(Genuine, Source)> = copy.cloned().map(|copy| (copy, Source::Copy));

    // Highest sequence first; of one sequence the copy's own bytes first, then the smallest digest, then the name.
    let copy_digest = copy.map(Genuine::digest);
    genuine.sort_by(|(a_file, a), (b_file, b)| {
        let key = |g: &Genuine| (std::cmp::Reverse(g.licence().sequence), Some(g.digest()) != copy_digest, g.digest());
        key(a).cmp(&key(b)).then_with(|| a_file.cmp(b_file))
    });
    for (file, found) in genuine {
        let licence = found.licence();
        if Some(&licence.serial) != serial.as_ref() {
            files.push(refuse(
                file,
                &found,
                Reason::Serial,
                "This licence is for another serial number than this installation's.",
            ));
            continue;
        }
        let sequence = licence.sequence.get();
        let row = match &in_use {
            Some((current, _))
                if sequence == current.licence().sequence.get() && found.digest() != current.digest() =>
            {
                refuse(file, &found, Reason::SequenceConflict, CONFLICT)
            }
            Some((current, Source::Copy)) if found.digest() == current.digest() => {
                let row = report(&file, &found, FileState::InUse);
                in_use = Some((found, Source::Folder(file)));
                row
            }
            Some((current, Source::Folder(name))) if found.digest() == current.digest() => FileReport {
                text: format!("This is the licence in use, also found as {name}."),
                ..report(&file, &found, FileState::Superseded)
            },
            Some((current, Source::Folder(_))) if sequence < current.licence().sequence.get() => {
                report(&file, &found, FileState::Superseded)
            }
            Some((current, Source::Copy)) if sequence < current.licence().sequence.get() => older(file, &found),
            _ if sequence < floor => older(file, &found),
            _ if sequence == floor && floor_digest.is_some_and(|known| known != found.digest()) => {
                refuse(file, &found, Reason::SequenceConflict, CONFLICT)
            }
            _ => {
                let row = report(&file, &found, FileState::InUse);
                in_use = Some((found, Source::Folder(file)));
                row
            }
        };
        files.push(row);
    }
    let reason = if in_use.is_some() { Reason::None } else { worst(&files) };
    files.sort_by(|a, b| a.file.cmp(&b.file));
    Choice { in_use, files, reason }
}

const CONFLICT: &str = "A licence with this sequence number is known with other content.";
const AMBIGUOUS: &str =
    "The folder holds licences with more than one serial number. Set the licence path to the file that is meant.";

struct Ambiguous;

fn pick_serial(genuine: &[(String, Genuine)], known: &Known) -> Result<Option<Serial>, Ambiguous> {
    let mut serials: Vec<&Serial> = genuine.iter().map(|(_, found)| &found.licence().serial).collect();
    serials.sort();
    serials.dedup();
    if let Some(confirmed) = known.confirmed.as_ref().filter(|confirmed| serials.contains(confirmed)) {
        return Ok(Some(confirmed.clone()));
    }
    let named = known.named.as_ref().and_then(|name| genuine.iter().find(|(file, _)| file == name));
    if let Some(fixed) = &known.serial {
        if !known.serial_may_change || serials.is_empty() {
            return Ok(Some(fixed.clone()));
        }
        if let Some((_, found)) = named {
            return Ok(Some(found.licence().serial.clone()));
        }
        if serials.contains(&fixed) {
            return Ok(Some(fixed.clone()));
        }
    } else if let Some((_, found)) = named {
        return Ok(Some(found.licence().serial.clone()));
    }
    match serials.as_slice() {
        [] => Ok(known.copy.as_ref().map(|copy| copy.licence().serial.clone())),
        [one] => Ok(Some((*one).clone())),
        _ => Err(Ambiguous),
    }
}

fn worst(files: &[FileReport]) -> Reason {
    let refused = files.iter().filter(|file| file.state == FileState::Refused);
    refused
        .max_by_key(|file| (file.sequence, std::cmp::Reverse(&file.file)))
        .map_or(Reason::NoLicence, |file| file.reason)
}

fn older(file: String, found: &Genuine) -> FileReport {
    refuse(file, found, Reason::Sequence, "This licence is older than the one in use.")
}

fn report(file: &str, found: &Genuine, state: FileState) -> FileReport {
    let text = match state {
        FileState::InUse => "This licence is in use.",
        FileState::Superseded => "A newer licence is in use.",
        FileState::Refused => "This licence was refused.",
    };
    FileReport {
        file: file.to_owned(),
        state,
        reason: Reason::None,
        text: text.to_owned(),
        serial: Some(found.licence().serial.as_str().to_owned()),
        sequence: Some(found.licence().sequence.get()),
    }
}

fn refuse(file: String, found: &Genuine, reason: Reason, text: &str) -> FileReport {
    FileReport { state: FileState::Refused, reason, text: text.to_owned(), ..report(&file, found, FileState::Refused) }
}

fn refused(file: String, refusal: Refusal) -> FileReport {
    FileReport {
        file,
        state: FileState::Refused,
        reason: refusal.reason,
        text: refusal.detail,
        serial: refusal.serial,
        sequence: refusal.sequence,
    }
}
