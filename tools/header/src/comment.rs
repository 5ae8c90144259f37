//! Doc comments as C comments: Rust's own notation goes, the words stay.

/// The widest line of a comment.
const WIDTH: usize = 140;

/// Without `# Safety` sections (they speak to Rust callers), other headings as plain words, links as plain names.
pub fn clean(doc: &[String]) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut skipping = false;
    for line in doc {
        if let Some(title) = line.strip_prefix("# ") {
            skipping = title.trim() == "Safety";
            if !skipping {
                out.push(format!("{}:", title.trim()));
            }
            continue;
        }
        if !skipping {
            // A comment that ends inside itself would turn words into code.
            out.push(line.replace("[`", "`").replace("`]", "`").replace("*/", "* /").trim_end().to_owned());
        }
    }
    while out.last().is_some_and(String::is_empty) {
        out.pop();
    }
    out.dedup_by(|a, b| a.is_empty() && b.is_empty());
    out
}

/// A doc comment above a declaration, indented; one line when it fits.
pub fn block(doc: &[String], indent: &str) -> String {
    match clean(doc).as_slice() {
        [] => String::new(),
        [line] if line.len() + indent.len() + 7 <= WIDTH => format!("{indent}/** {line} */\n"),
        lines => {
            let body: Vec<String> =
                lines.iter().map(|line| format!("{indent} * {line}").trim_end().to_owned()).collect();
            format!("{indent}/**\n{}\n{indent} */\n", body.join("\n"))
        }
    }
}

/// A line that parts two sections.
pub fn heading(text: &str) -> String {
    let start = format!("/* ---- {} ", text.trim());
    format!("{start}{} */", "-".repeat(WIDTH.saturating_sub(20 + start.len()).max(4)))
}
