//! Reads `src/ffi`: which files, in the order of their `mod` lines, and which constants, types and functions they declare.
//! It looks at names and text only; what they mean in C is for `constants`, `layout` and cbindgen.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use syn::{Attribute, Expr, Item, Lit, Meta};

use crate::Problem;

/// One `pub const ORS_...`.
pub struct Constant {
    /// Its name, the same in C.
    pub name: String,
    /// The last word of its Rust type: `u32`.
    pub rust_type: String,
    /// What it is set to.
    pub value: Expr,
    /// Its doc comment, a line each, without the leading space.
    pub doc: Vec<String>,
}

/// What `src/ffi` declares.
#[derive(Default)]
pub struct Source {
    entry: PathBuf,
    constants: Vec<Constant>,
    types: Vec<String>,
    left_out: Vec<String>,
    sections: HashMap<String, String>,
}

impl Source {
    /// Reads `src/ffi/mod.rs` (or `src/ffi.rs`) of `crate_dir` and every module below it that is not for tests.
    pub fn read(crate_dir: &Path) -> Result<Source, Problem> {
        let folder = crate_dir.join("src").join("ffi");
        let entry = match folder.join("mod.rs") {
            file if file.is_file() => file,
            _ => crate_dir.join("src").join("ffi.rs"),
        };
        let mut source = Source { entry: entry.clone(), ..Source::default() };
        source.read_file(&entry, &folder)?;
        Ok(source)
    }

    /// The file that names the others.
    pub fn entry(&self) -> &Path {
        &self.entry
    }

    /// The constants, in the order of the sources.
    pub fn constants(&self) -> &[Constant] {
        &self.constants
    }

    /// Every type that C may name, used by a function or not.
    pub fn types(&self) -> &[String] {
        &self.types
    }

    /// What only a cargo feature adds: the header is that of the shipped library, which has none.
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// The heading under which a function stands: the first line of its file's module doc.
    pub fn section(&self, function: &str) -> Option<&str> {
        self.sections.get(function).map(String::as_str)
    }

    fn read_file(&mut self, path: &Path, children: &Path) -> Result<(), Problem> {
        let text = std::fs::read_to_string(path).map_err(|error| Problem(format!("{}: {error}", path.display())))?;
        let file = syn::parse_file(&text).map_err(|error| Problem(format!("{}: {error}", path.display())))?;
        let heading = doc(&file.attrs).first().map(|line| line.trim().trim_end_matches('.').to_owned());
        for item in file.items {
            match item {
                Item::Fn(item) if is_ours(&item.sig.ident) && needs_a_feature(&item.attrs) => {
                    self.left_out.push(item.sig.ident.to_string());
                }
                Item::Struct(item) if is_ours(&item.ident) && needs_a_feature(&item.attrs) => {
                    self.left_out.push(item.ident.to_string());
                }
                Item::Const(item) if needs_a_feature(&item.attrs) => {}
                Item::Const(item) if is_public(&item.vis) && item.ident.to_string().starts_with("ORS_") => {
                    self.constants.push(Constant {
                        name: item.ident.to_string(),
                        rust_type: last_word(&item.ty),
                        value: *item.expr,
                        doc: doc(&item.attrs),
                    })
                }
                Item::Struct(item) if is_ours(&item.ident) => self.types.push(item.ident.to_string()),
                Item::Type(item) if is_ours(&item.ident) => self.types.push(item.ident.to_string()),
                Item::Fn(item) if is_ours(&item.sig.ident) => {
                    if let Some(heading) = &heading {
                        self.sections.insert(item.sig.ident.to_string(), heading.clone());
                    }
                }
                Item::Mod(item) if item.content.is_none() && !only_for_tests(&item.attrs) => {
                    let name = item.ident.to_string();
                    let (flat, nested) = (children.join(format!("{name}.rs")), children.join(&name).join("mod.rs"));
                    let file = if flat.is_file() { flat } else { nested };
                    self.read_file(&file, &children.join(&name))?;
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn is_public(visibility: &syn::Visibility) -> bool {
    matches!(visibility, syn::Visibility::Public(_))
}

fn is_ours(name: &syn::Ident) -> bool {
    name.to_string().starts_with("ors_")
}

fn last_word(rust_type: &syn::Type) -> String {
    match rust_type {
        syn::Type::Path(path) => path.path.segments.last().map(|part| part.ident.to_string()).unwrap_or_default(),
        _ => String::new(),
    }
}

/// `#[cfg(test)]` and whatever else names `test` or `loom`: no part of the library that is shipped.
fn only_for_tests(attributes: &[Attribute]) -> bool {
    condition_names(attributes, &["test", "loom"])
}

/// `#[cfg(feature = ...)]`.
fn needs_a_feature(attributes: &[Attribute]) -> bool {
    condition_names(attributes, &["feature"])
}

fn condition_names(attributes: &[Attribute], words: &[&str]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => {
            let condition = list.tokens.to_string();
            !condition.starts_with("not") && words.iter().any(|word| condition.contains(word))
        }
        _ => false,
    })
}

fn doc(attributes: &[Attribute]) -> Vec<String> {
    let mut lines = Vec::new();
    for attribute in attributes {
        let Meta::NameValue(pair) = &attribute.meta else { continue };
        let Expr::Lit(literal) = &pair.value else { continue };
        let Lit::Str(text) = &literal.lit else { continue };
        if pair.path.is_ident("doc") {
            for line in text.value().lines() {
                lines.push(line.strip_prefix(' ').unwrap_or(line).trim_end().to_owned());
            }
            if text.value().is_empty() {
                lines.push(String::new());
            }
        }
    }
    lines
}
