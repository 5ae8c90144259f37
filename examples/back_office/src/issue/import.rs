//! Existing customers from a CSV file: a dry run lists every problem with its line, and a run takes all lines or none.

use super::change::{Ordered, Terms};
use crate::domain::installations::{self, New};
use crate::domain::{Actor, Outcome, Problem, organisations, plain_text};
use ors::licence::{Day, Instant, MAX_FEATURES, MAX_USERS, Product, Serial};
use rusqlite::Connection;
use std::collections::{HashMap, HashSet};

/// The most lines of a file, and its largest size.
pub const MAX_ROWS: usize = 50_000;
pub const MAX_BYTES: usize = 8 << 20;

const REQUIRED: [&str; 4] = ["product", "serial", "customer", "organisation"];
const OPTIONAL: [&str; 4] = ["users", "expires_on", "maintenance_until", "features"];

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Line in the file, from 1; the heading is line 1.
    pub line: u64,
    pub column: Option<String>,
    pub detail: String,
}

/// What came of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Lines that are, or would be, new installations.
    pub rows: usize,
    /// None: the file is right.
    pub wrong: Vec<Wrong>,
    /// They were added.
    pub taken: bool,
}

struct Line {
    line: u64,
    product: Product,
    serial: Serial,
    customer: String,
    organisation: String,
    terms: Option<Terms>,
}

/// Looks at a file and, unless it is a dry run or something is wrong, takes all of it. Call it in a transaction.
///
/// # Errors
/// `Invalid` for a file that is too large; `Store`.
pub fn import(db: &Connection, file: &[u8], dry_run: bool, by: &Actor, now: Instant) -> Outcome<Report> {
    if file.len() > MAX_BYTES {
        return Err(Problem::invalid("file", format!("is larger than {} MiB", MAX_BYTES >> 20)));
    }
    let (lines, mut wrong) = read(file);
    let organisations: HashMap<String, i64> =
        organisations::list(db)?.into_iter().map(|organisation| (organisation.ident, organisation.id)).collect();
    let mut named = HashSet::new();
    for line in &lines {
        let mut says = |column: &str, detail: String| {
            wrong.push(Wrong { line: line.line, column: Some(column.to_owned()), detail });
        };
        if !organisations.contains_key(&line.organisation) {
            says("organisation", format!("there is no organisation with the ID \"{}\"", line.organisation));
        }
        if !named.insert((line.product.as_str(), line.serial.as_str())) {
            says("serial", format!("{} {} is in the file twice", line.product, line.serial));
        } else if installations::find(db, line.product.as_str(), line.serial.as_str())?.is_some() {
            says("serial", format!("there is an installation {} {} already", line.product, line.serial));
        }
    }
    wrong.sort_by_key(|wrong| wrong.line);
    let taken = !dry_run && wrong.is_empty();
    if taken {
        for line in &lines {
            let draft = line.terms.as_ref().and_then(|terms| serde_json::to_string(terms).ok());
            let new = New {
                product: &line.product,
                serial: &line.serial,
                customer: &line.customer,
                organisation: organisations.get(&line.organisation).copied(),
                draft: draft.as_deref(),
            };
            installations::add(db, &new, by, now)?;
        }
    }
    Ok(Report { rows: lines.len(), wrong, taken })
}

/// The lines that can be read, and what is wrong with the others.
fn read(file: &[u8]) -> (Vec<Line>, Vec<Wrong>) {
    let file = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    let heading = file.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |wanted: u8| heading.iter().filter(|byte| **byte == wanted).count();
    // Spreadsheets of some countries write semicolons.
    let delimiter = if count(b';') > count(b',') { b';' } else { b',' };
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).trim(csv::Trim::All).from_reader(file);
    let mut wrong = Vec::new();
    let mut says = |line: u64, column: Option<&str>, detail: String| {
        wrong.push(Wrong { line, column: column.map(str::to_owned), detail });
    };
    let columns: Vec<String> = match reader.headers() {
        Ok(headers) => headers.iter().map(str::to_ascii_lowercase).collect(),
        Err(error) => {
            says(1, None, format!("the heading cannot be read: {error}"));
            return (vec![], wrong);
        }
    };
    for (at, column) in columns.iter().enumerate() {
        if !REQUIRED.contains(&column.as_str()) && !OPTIONAL.contains(&column.as_str()) {
            says(1, Some(column), format!("the column \"{}\" is not known", ors::licence::text::clean(column, 60)));
        } else if columns.iter().take(at).any(|other| other == column) {
            says(1, Some(column), format!("the column \"{column}\" is there twice"));
        }
    }
    for column in REQUIRED.iter().filter(|column| !columns.iter().any(|it| it == **column)) {
        says(1, Some(column), format!("the column \"{column}\" is missing"));
    }
    if !wrong.is_empty() {
        return (vec![], wrong);
    }
    let mut lines = Vec::new();
    for (index, record) in reader.records().enumerate() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                wrong.push(Wrong { line, column: None, detail: unreadable(&error) });
                continue;
            }
        };
        let line = record.position().map_or(0, csv::Position::line);
        if index >= MAX_ROWS {
            wrong.push(Wrong { line, column: None, detail: format!("a file has at most {MAX_ROWS} lines") });
            break;
        }
        let cell = |name: &str| {
            columns.iter().position(|column| column == name).and_then(|at| record.get(at)).unwrap_or_default()
        };
        match read_line(line, &cell) {
            Ok(line) => lines.push(line),
            Err(mut problems) => wrong.append(&mut problems),
        }
    }
    (lines, wrong)
}

fn unreadable(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("the line has {len} cells, and the heading has {expected_len}")
        }
        csv::ErrorKind::Utf8 { .. } => "the line is not UTF-8".to_owned(),
        _ => error.to_string(),
    }
}

fn read_line<'a>(line: u64, cell: &dyn Fn(&str) -> &'a str) -> Result<Line, Vec<Wrong>> {
    let mut wrong = Vec::new();
    let mut keep = |column: &str, detail: String| {
        wrong.push(Wrong { line, column: Some(column.to_owned()), detail });
    };
    let product = Product::parse(cell("product")).map_err(|error| keep("product", error.0.to_owned())).ok();
    let serial = Serial::parse(cell("serial")).map_err(|error| keep("serial", error.0.to_owned())).ok();
    let customer = plain_text("customer", cell("customer")).map_err(|problem| keep("customer", problem.detail)).ok();
    let organisation = cell("organisation").to_owned();
    let terms = match terms(cell) {
        Ok(terms) => terms,
        Err(problems) => {
            problems.into_iter().for_each(|(column, detail)| keep(column, detail));
            None
        }
    };
    match (product, serial, customer) {
        (Some(product), Some(serial), Some(customer)) if wrong.is_empty() => {
            Ok(Line { line, product, serial, customer, organisation, terms })
        }
        _ => Err(wrong),
    }
}

/// The terms of the first licence; none when `users` is empty.
fn terms<'a>(cell: &dyn Fn(&str) -> &'a str) -> Result<Option<Terms>, Vec<(&'static str, String)>> {
    let mut wrong = Vec::new();
    let others = ["expires_on", "maintenance_until", "features"];
    if cell("users").is_empty() {
        let stray = others.into_iter().filter(|column| !cell(column).is_empty());
        let wrong: Vec<_> = stray.map(|column| (column, "stands there without users".to_owned())).collect();
        return if wrong.is_empty() { Ok(None) } else { Err(wrong) };
    }
    let users = cell("users").parse().ok().filter(|users| *users <= MAX_USERS);
    if users.is_none() {
        wrong.push(("users", format!("is no whole number from 0 to {MAX_USERS}")));
    }
    let mut day = |column: &'static str, none: &str| match cell(column) {
        word if word == none => None,
        text => {
            Day::parse(text).map_err(|error| wrong.push((column, format!("is neither {none} nor a day: {error}")))).ok()
        }
    };
    let (expires_on, maintenance_until) = (day("expires_on", "never"), day("maintenance_until", "none"));
    let mut features = Vec::new();
    for text in cell("features").split('|').map(str::trim).filter(|text| !text.is_empty()) {
        match feature(text) {
            Ok(feature) => features.push(feature),
            Err(detail) => wrong.push(("features", detail)),
        }
    }
    if features.len() > MAX_FEATURES {
        wrong.push(("features", format!("has more than {MAX_FEATURES}")));
    }
    let twice =
        features.iter().enumerate().find(|(at, it)| features.iter().take(*at).any(|other: &Ordered| other.id == it.id));
    if let Some((_, feature)) = twice {
        wrong.push(("features", format!("names \"{}\" twice", feature.id)));
    }
    match (users, wrong.is_empty()) {
        (Some(users), true) => Ok(Some(Terms { users, expires_on, maintenance_until, features })),
        _ => Err(wrong),
    }
}

/// `id=name` or `id=name:2027-11-23`.
///
/// # Errors
/// A sentence.
pub fn feature(text: &str) -> Result<Ordered, String> {
    let (id, rest) = text.split_once('=').ok_or_else(|| format!("\"{text}\" is not id=name or id=name:last-day"))?;
    // Feature ids have the alphabet of products.
    Product::parse(id).map_err(|error| format!("the id \"{id}\" {error}"))?;
    let (name, expires_on) = match rest.rsplit_once(':') {
        Some((name, end)) if end.starts_with(|c: char| c.is_ascii_digit()) => {
            (name, Some(Day::parse(end).map_err(|error| format!("{end}: {error}"))?))
        }
        _ => (rest, None),
    };
    plain_text("name", name).map_err(|problem| problem.detail)?;
    Ok(Ordered { id: id.to_owned(), name: name.to_owned(), expires_on })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testkit::{BY, NOW, memory};

    fn database() -> Connection {
        let db = memory();
        organisations::add(&db, "4711", "Prints", &BY, NOW).unwrap();
        db
    }

    const HEADING: &str = "product,serial,customer,organisation,users,expires_on,maintenance_until,features\n";

    #[test]
    fn a_file_that_is_right_is_taken_whole_and_a_dry_run_takes_nothing() {
        let db = database();
        let file = format!(
            "\u{feff}{HEADING}prismaprepare,1,\"Room, \"\"A\"\"\",4711,5,never,2027-05-31,pdf=PDF|imp=Imposition:2027-01-31\n\
             prismaprepare,2,<b>B</b>,4711,,,,\n"
        );
        let dry = import(&db, file.as_bytes(), true, &BY, NOW).unwrap();
        assert_eq!(dry, Report { rows: 2, wrong: vec![], taken: false });
        assert!(installations::find(&db, "prismaprepare", "1").unwrap().is_none());
        assert!(import(&db, file.as_bytes(), false, &BY, NOW).unwrap().taken);
        let first = installations::get(&db, "prismaprepare", "1").unwrap();
        assert_eq!((first.customer.as_str(), first.registered), ("Room, \"A\"", false));
        let terms: Terms = serde_json::from_str(&installations::draft(&db, first.id).unwrap().unwrap()).unwrap();
        assert_eq!((terms.users, terms.expires_on, terms.features.len()), (5, None, 2));
        let again = import(&db, file.as_bytes(), false, &BY, NOW).unwrap();
        assert_eq!((again.taken, again.wrong.len()), (false, 2), "the same file twice adds nothing");
    }

    #[test]
    fn every_problem_is_listed_with_its_line_and_nothing_is_taken() {
        let db = database();
        let file = format!(
            "{HEADING}UPPER,1,A,4711,,,,\n\
             p,2,,4711,,,,\n\
             p,3,\"two\nlines\",4711,,,,\n\
             p,4,A,4712,,,,\n\
             p,5,A,4711,many,never,none,\n\
             p,5b,A,4711,5,2027-02-30,none,\n\
             p,6,A,4711,5,never,none,pdf|X=Y|a=b|a=c\n\
             p,7,A,4711,,never,,\n\
             p,8,A\n\
             p,9,A,4711,,,,\n\
             p,9,A,4711,,,,\n"
        );
        let report = import(&db, file.as_bytes(), false, &BY, NOW).unwrap();
        let found: Vec<(u64, &str)> =
            report.wrong.iter().map(|wrong| (wrong.line, wrong.column.as_deref().unwrap_or(""))).collect();
        // The customer of line 4 is two lines long.
        let expected = [
            (2, "product"),
            (3, "customer"),
            (4, "customer"),
            (6, "organisation"),
            (7, "users"),
            (8, "expires_on"),
            (9, "features"),
            (9, "features"),
            (9, "features"),
            (10, "expires_on"),
            (11, ""),
            (13, "serial"),
        ];
        assert_eq!(found, expected, "{:#?}", report.wrong);
        assert!(installations::find(&db, "p", "9").unwrap().is_none());
    }

    #[test]
    fn a_heading_that_is_wrong_or_a_file_that_is_none_is_said_in_one_line() {
        let db = database();
        for (file, wrong) in [
            (&b"product,serial,customer\n"[..], 1),
            (b"product,serial,customer,organisation,colour,serial\n", 2),
            (b"", 4),
            (b"\x00\x01\x02", 5),
            (b"PK\x03\x04 a spreadsheet", 5),
        ] {
            assert_eq!(import(&db, file, true, &BY, NOW).unwrap().wrong.len(), wrong, "{file:?}");
        }
        let semicolons = b"product;serial;customer;organisation\np;1;A, B;4711\n";
        assert_eq!(import(&db, semicolons, false, &BY, NOW).unwrap().rows, 1);
        assert_eq!(
            import(&db, &vec![b'x'; MAX_BYTES + 1], true, &BY, NOW).unwrap_err().kind,
            crate::domain::Kind::Invalid
        );
    }
}
