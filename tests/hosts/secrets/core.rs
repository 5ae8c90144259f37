//! A core dump of a running host by gdb's gcore, and where in the process its bytes were.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::rig::output;

pub struct Core {
    pub bytes: Vec<u8>,
    /// Offset in the file, length, and the address in the process; of the segments that are memory.
    segments: Vec<(usize, usize, u64)>,
    maps: String,
}

impl Core {
    /// Dumps all memory of the process, what a core dump of the kernel would leave out included.
    pub fn of(process: u32, folder: &Path) -> Core {
        let maps = fs::read_to_string(format!("/proc/{process}/maps")).expect("the maps of a running child");
        let prefix = folder.join("core");
        output(Command::new("gcore").args(["-a", "-o"]).arg(&prefix).arg(process.to_string()));
        let file = prefix.with_extension(process.to_string());
        let bytes = fs::read(&file).expect("the dump");
        fs::remove_file(file).expect("the dump is ours");
        let segments = segments(&bytes).expect("an ELF file of 64 bits");
        assert!(segments.len() > 10, "a process has more memory than that");
        Core { bytes, segments, maps }
    }

    /// For people: the mapping, or the registers of a thread.
    pub fn place(&self, at: usize) -> String {
        let Some(segment) = self.segments.iter().find(|(from, length, _)| (*from..from + length).contains(&at)) else {
            return "registers or notes".to_owned();
        };
        let address = segment.2 + (at - segment.0) as u64;
        let line = self.maps.lines().find(|line| {
            let range = line.split([' ', '-']).take(2).map(|text| u64::from_str_radix(text, 16).unwrap_or(0));
            let range: Vec<u64> = range.collect();
            range.len() == 2 && (range[0]..range[1]).contains(&address)
        });
        format!("{address:#x} in {}", line.unwrap_or("no mapping"))
    }
}

/// The PT_LOAD entries of an ELF file (System V gABI, chapter 5).
fn segments(bytes: &[u8]) -> Option<Vec<(usize, usize, u64)>> {
    const PT_LOAD: u32 = 1;
    let half = |at: usize| Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
    let word = |at: usize| Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
    let long = |at: usize| Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
    if !bytes.starts_with(b"\x7fELF\x02\x01") {
        return None;
    }
    let (first, size, count) = (usize::try_from(long(32)?).ok()?, half(54)?, half(56)?);
    let mut found = Vec::new();
    for index in 0..count {
        let at = first + usize::from(size) * usize::from(index);
        if word(at)? == PT_LOAD {
            found.push((usize::try_from(long(at + 8)?).ok()?, usize::try_from(long(at + 32)?).ok()?, long(at + 16)?));
        }
    }
    Some(found)
}
