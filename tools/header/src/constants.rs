//! Constants as `#define`s: the value as a C programmer would write it, with the suffix of its type and its parentheses.

use syn::{BinOp, Expr, Lit, UnOp};

use crate::Problem;
use crate::comment;
use crate::source::Constant;

/// All constants: those of one family (the same first two words) under each other, a heading where the first one's doc has one
/// (lines up to an empty one, of which the first begins with `# `).
pub fn block(constants: &[Constant]) -> Result<String, Problem> {
    let mut out = String::new();
    let mut rest = constants;
    while let Some(first) = rest.first() {
        let size = rest.iter().take_while(|constant| family(&constant.name) == family(&first.name)).count();
        let (group, others) = rest.split_at(size);
        rest = others;
        let mut rows = Vec::new();
        for constant in group {
            let (heading, doc) = split_heading(&constant.doc);
            if let Some(heading) = heading {
                rows.push(Row::Heading(heading));
            }
            rows.push(Row::Define {
                name: &constant.name,
                value: value(constant)?,
                doc: comment::clean(&doc).join(" ").trim().to_owned(),
            });
        }
        write(&rows, &mut out);
        out.push('\n');
    }
    Ok(out)
}

enum Row<'a> {
    Heading(String),
    Define { name: &'a str, value: String, doc: String },
}

fn write(rows: &[Row], out: &mut String) {
    let widest = |measure: fn(&Row) -> usize| rows.iter().map(measure).max().unwrap_or(0);
    let name_width = widest(|row| if let Row::Define { name, .. } = row { name.len() } else { 0 });
    let value_width = widest(|row| if let Row::Define { value, .. } = row { value.len() } else { 0 });
    for row in rows {
        match row {
            Row::Heading(text) => {
                out.push_str(&comment::heading(text));
                out.push('\n');
            }
            Row::Define { name, value, doc } if doc.is_empty() => {
                out.push_str(&format!("#define {name:name_width$} {value}\n"));
            }
            Row::Define { name, value, doc } => {
                out.push_str(&format!("#define {name:name_width$} {value:value_width$} /* {doc} */\n"));
            }
        }
    }
}

/// `ORS_E_NULL` is of the family `ORS_E`.
fn family(name: &str) -> &str {
    match name.match_indices('_').nth(1) {
        Some((at, _)) => &name[..at],
        None => name,
    }
}

fn split_heading(doc: &[String]) -> (Option<String>, Vec<String>) {
    let Some(title) = doc.first().and_then(|line| line.strip_prefix("# ")) else { return (None, doc.to_vec()) };
    let end = doc.iter().position(|line| line.is_empty()).unwrap_or(doc.len());
    let mut heading = vec![title.to_owned()];
    heading.extend(doc[1..end].iter().cloned());
    (Some(heading.join(" ")), doc.get(end + 1..).unwrap_or_default().to_vec())
}

fn value(constant: &Constant) -> Result<String, Problem> {
    expression(&constant.value, &constant.rust_type).map_err(|why| {
        Problem(format!(
            "{}: {why}; a constant of the header is a number, T::MAX, or built from those with | << + -",
            constant.name
        ))
    })
}

fn expression(value: &Expr, rust_type: &str) -> Result<String, String> {
    match value {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Int(number) => Ok(with_suffix(&digits(number)?, rust_type)),
            _ => Err("not an integer".into()),
        },
        Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => {
            Ok(format!("(-{})", expression(&unary.expr, rust_type)?))
        }
        Expr::Paren(inner) => expression(&inner.expr, rust_type),
        Expr::Path(path) => {
            let words: Vec<String> = path.path.segments.iter().map(|part| part.ident.to_string()).collect();
            match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
                ["usize", "MAX"] => Ok("((size_t)-1)".into()),
                ["i32", "MAX"] => Ok("INT32_MAX".into()),
                ["u32", "MAX"] => Ok("UINT32_MAX".into()),
                ["i64", "MAX"] => Ok("INT64_MAX".into()),
                ["u64", "MAX"] => Ok("UINT64_MAX".into()),
                ["i32", "MIN"] => Ok("INT32_MIN".into()),
                ["i64", "MIN"] => Ok("INT64_MIN".into()),
                [.., name] if name.starts_with("ORS_") => Ok(name.into()),
                _ => Err(format!("{} has no C spelling", words.join("::"))),
            }
        }
        Expr::Binary(pair) => {
            let sign = match pair.op {
                BinOp::BitOr(_) => "|",
                BinOp::Shl(_) => "<<",
                BinOp::Add(_) => "+",
                BinOp::Sub(_) => "-",
                _ => return Err("an operator that is not one of | << + -".into()),
            };
            Ok(format!("({} {sign} {})", expression(&pair.left, rust_type)?, expression(&pair.right, rust_type)?))
        }
        _ => Err("not a constant that can be written in C".into()),
    }
}

/// As it stands in the source, so that bits stay hexadecimal; C99 has neither `0b` nor `_`.
fn digits(number: &syn::LitInt) -> Result<String, String> {
    let written = number.to_string();
    let bare = written.strip_suffix(number.suffix()).unwrap_or(&written).replace('_', "");
    Ok(if bare.starts_with("0x") { bare } else { number.base10_digits().to_owned() })
}

fn with_suffix(digits: &str, rust_type: &str) -> String {
    match rust_type {
        "u32" | "u16" | "u8" => format!("{digits}u"),
        "i64" => format!("INT64_C({digits})"),
        "u64" => format!("UINT64_C({digits})"),
        "usize" => format!("((size_t){digits})"),
        _ => digits.to_owned(),
    }
}
