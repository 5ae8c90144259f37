//! What docs/back_office.md promises is there.

use std::collections::BTreeSet;
use std::path::Path;

const RUNBOOK: &str = include_str!("../../../../docs/back_office.md");

fn sources(folder: &Path, all: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, all);
        } else if path.extension().is_some_and(|it| it == "rs") {
            all.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
}

/// Words in backticks, outside of the fenced blocks.
fn quoted() -> BTreeSet<&'static str> {
    let fenced = |(at, part): (usize, &'static str)| (at % 2 == 0).then_some(part);
    RUNBOOK.split("```").enumerate().filter_map(fenced).flat_map(|text| text.split('`').skip(1).step_by(2)).collect()
}

#[test]
fn every_test_and_every_metric_that_the_runbook_names_exists() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = String::new();
    ["src", "tests"].iter().for_each(|folder| sources(&here.join(folder), &mut all));
    let (metrics, tests): (Vec<&str>, Vec<&str>) = quoted()
        .into_iter()
        .filter(|word| word.matches('_').count() > 2 && !word.contains('/'))
        .partition(|word| word.starts_with("back_office_"));
    assert!(tests.len() > 20 && metrics.len() > 4, "{tests:?} {metrics:?}");
    for name in tests {
        assert!(all.contains(&format!("fn {name}(")), "the runbook names the test {name}");
    }
    for metric in metrics {
        let name = metric.trim_start_matches("back_office_").split(['{', ' ']).next().unwrap();
        assert!(all.contains(&format!("\"{name}\"")), "the runbook names the metric {name}");
    }
}
