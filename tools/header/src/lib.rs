//! Writes `include/ors.h` from the declarations in `src/ffi`, so that header and library cannot disagree.
//!
//! `cbindgen` turns types and functions into C; this crate reads the same files for what it leaves out: constants in C's own spelling
//! ([`constants`]), the calling convention, sections and compact comments ([`layout`]). It never compiles or runs the library.

mod comment;
mod constants;
mod layout;
mod source;

use std::fmt;
use std::path::Path;

pub use source::Source;

/// Why no header could be made: a sentence that names the file or the item.
#[derive(Debug)]
pub struct Problem(pub String);

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Problem {}

/// The text of the header for the crate in `crate_dir`: its `src/ffi` folder, framed by its `cbindgen.toml`.
pub fn generate(crate_dir: &Path) -> Result<String, Problem> {
    let mut config = cbindgen::Config::from_file(crate_dir.join("cbindgen.toml"))
        .map_err(|error| Problem(format!("{}: {error}", crate_dir.join("cbindgen.toml").display())))?;
    let source = Source::read(crate_dir)?;

    // The frame is ours to place: macros come before, the language guard around what cbindgen writes.
    let first = config.header.take().unwrap_or_default();
    let macros = config.after_includes.take().unwrap_or_default();
    config.export.include.extend(source.types().iter().cloned());
    config.export.exclude.extend(source.left_out().iter().cloned());

    // One file is enough: cbindgen follows its `mod` lines, and would otherwise meet every function twice.
    let builder = cbindgen::Builder::new().with_config(config).with_src(source.entry());
    let bindings = builder.generate().map_err(|error| Problem(error.to_string()))?;
    let mut raw = Vec::new();
    bindings.write(&mut raw);
    let raw = String::from_utf8(raw).map_err(|error| Problem(error.to_string()))?;

    let declarations = layout::declarations(&raw, &source)?;
    Ok(format!(
        "{first}\n#ifndef ORS_H\n#define ORS_H\n\n#include <stddef.h>\n#include <stdint.h>\n#include <string.h>\n\n{macros}\n\n\
         #ifdef __cplusplus\nextern \"C\" {{\n#endif\n\n{constants}\n{types}\n{functions}\n\
         #ifdef __cplusplus\n}}\n#endif\n\n#endif\n",
        first = first.trim(),
        macros = macros.trim(),
        constants = constants::block(source.constants())?,
        types = declarations.types,
        functions = declarations.functions,
    ))
}

/// Where `old` and `new` differ, as lines with `-` and `+` in front and the first line's number; empty when they are equal.
pub fn difference(old: &str, new: &str) -> String {
    if old == new {
        return String::new();
    }
    let (old, new): (Vec<&str>, Vec<&str>) = (old.split('\n').collect(), new.split('\n').collect());
    let head = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let rest = old.len().min(new.len()) - head;
    let tail = old.iter().rev().zip(new.iter().rev()).take(rest).take_while(|(a, b)| a == b).count();
    let mut out = format!("from line {}:\n", head + 1);
    for (sign, lines) in [('-', &old[head..old.len() - tail]), ('+', &new[head..new.len() - tail])] {
        for line in lines {
            out.push(sign);
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

#[cfg(test)]
mod tests;
