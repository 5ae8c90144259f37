//! cbindgen's text, taken apart into declarations and laid out as the header wants them: sections, trailing comments in structs,
//! and the calling convention, which cbindgen has no place for.

use crate::Problem;
use crate::comment;
use crate::source::Source;

const LINE: usize = 120;

/// Types and functions as C text, each part ending with a newline.
pub struct Declarations {
    pub types: String,
    pub functions: String,
}

/// Sorts what cbindgen wrote.
pub fn declarations(raw: &str, source: &Source) -> Result<Declarations, Problem> {
    let mut out = Declarations { types: format!("{}\n", comment::heading("types")), functions: String::new() };
    let mut section = None;
    for item in items(raw)? {
        // cbindgen breaks long declarations behind the prefix already.
        if item.code.first().is_some_and(|line| line.starts_with("ORS_API")) {
            let (declaration, name) = function(&item.code)?;
            let heading = source.section(&name);
            if heading != section {
                out.functions.push_str(&heading.map(|text| comment::heading(text) + "\n").unwrap_or_default());
                section = heading;
            }
            out.functions.push_str(&comment::block(&item.doc, ""));
            out.functions.push_str(&declaration);
            out.functions.push('\n');
        } else {
            out.types.push_str(&comment::block(&item.doc, ""));
            out.types.push_str(&type_definition(&item.code)?);
            out.types.push('\n');
        }
    }
    Ok(out)
}

struct Piece {
    doc: Vec<String>,
    code: Vec<String>,
}

/// Splits at top-level semicolons; every item may have one comment in front.
fn items(raw: &str) -> Result<Vec<Piece>, Problem> {
    let mut all = Vec::new();
    let mut lines = raw.lines().peekable();
    while let Some(line) = lines.next() {
        if line.trim().is_empty() {
            continue;
        }
        let mut doc = Vec::new();
        let mut line = line;
        if line.trim_start().starts_with("/**") {
            doc = read_comment(&mut lines);
            line = lines.next().ok_or_else(|| Problem("a comment without a declaration".into()))?;
        }
        let mut code = vec![line.to_owned()];
        let mut depth = braces(line);
        let mut last = line;
        while depth > 0 || !last.trim_end().ends_with(';') {
            last = lines.next().ok_or_else(|| Problem(format!("no end of: {}", code.join(" "))))?;
            depth += braces(last);
            code.push(last.to_owned());
        }
        all.push(Piece { doc, code });
    }
    Ok(all)
}

fn braces(line: &str) -> isize {
    if line.trim_start().starts_with('*') || line.trim_start().starts_with("/*") {
        return 0; // prose
    }
    line.matches('{').count() as isize - line.matches('}').count() as isize
}

/// The lines of a comment whose `/**` has been read.
fn read_comment<'a>(lines: &mut impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut doc = Vec::new();
    for line in lines {
        let text = line.trim_start();
        if text == "*/" {
            break;
        }
        let text = text.strip_prefix('*').unwrap_or(text);
        doc.push(text.strip_prefix(' ').unwrap_or(text).to_owned());
    }
    doc
}

/// The lines as one; our types by their typedef, which C and C++ both know.
fn one_line(code: &[String]) -> String {
    code.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ").replace("( ", "(").replace("struct ors_", "ors_")
}

/// One line, or wrapped after the opening parenthesis; with `ORS_CALL` before the name.
fn function(code: &[String]) -> Result<(String, String), Problem> {
    let joined = one_line(code);
    let odd = || Problem(format!("not a function as expected: {joined}"));
    let (front, arguments) = joined.split_once('(').ok_or_else(odd)?;
    let (result, name) = front.rsplit_once(' ').ok_or_else(odd)?;
    let stars = name.len() - name.trim_start_matches('*').len();
    let (stars, name) = name.split_at(stars);
    let start = format!("{result} {stars}ORS_CALL {name}(");
    let arguments: Vec<&str> = arguments.split(", ").map(str::trim).collect();
    let mut out = start.clone();
    let mut column = start.len();
    for (index, argument) in arguments.iter().enumerate() {
        let last = index + 1 == arguments.len();
        let text = if last { (*argument).to_owned() } else { format!("{argument},") };
        if index > 0 {
            if column + 1 + text.len() > LINE {
                out.push('\n');
                out.push_str(&" ".repeat(start.len()));
                column = start.len();
            } else {
                out.push(' ');
                column += 1;
            }
        }
        out.push_str(&text);
        column += text.len();
    }
    out.push('\n');
    Ok((out, name.to_owned()))
}

/// A struct with its one-line comments behind the fields, or a typedef.
fn type_definition(code: &[String]) -> Result<String, Problem> {
    if !code.first().is_some_and(|line| line.trim_end().ends_with('{')) {
        // A pointer to a function of the host's is called by the library: the same convention.
        return Ok(format!("{}\n", one_line(code).replace("(*ors_", "(ORS_CALL *ors_")));
    }
    let (Some(open), Some(close)) = (code.first(), code.last()) else { return Ok(String::new()) };
    let mut fields: Vec<(Vec<String>, String)> = Vec::new();
    let mut lines = code[1..code.len() - 1].iter().map(String::as_str);
    let mut doc = Vec::new();
    while let Some(line) = lines.next() {
        if line.trim_start().starts_with("/**") {
            doc = read_comment(&mut lines);
        } else {
            fields.push((comment::clean(&std::mem::take(&mut doc)), line.trim().replace("struct ors_", "ors_")));
        }
    }
    let width = fields.iter().map(|(_, field)| field.len()).max().unwrap_or(0);
    let mut out = format!("{open}\n");
    for (doc, field) in fields {
        match doc.as_slice() {
            [] => out.push_str(&format!("  {field}\n")),
            [line] if width + line.len() + 11 <= LINE + 20 => {
                out.push_str(&format!("  {field:width$} /**< {line} */\n"))
            }
            lines => {
                out.push_str(&comment::block(lines, "  "));
                out.push_str(&format!("  {field}\n"));
            }
        }
    }
    out.push_str(close);
    out.push('\n');
    Ok(out)
}
