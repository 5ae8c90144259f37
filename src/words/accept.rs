//! From a BCP 47 tag or an Accept-Language value (RFC 9110 §12.5.4) to a language that we have.

use super::{ALL, Phrases};

/// The best language for `wanted`: exact tag, else its base language, in order of preference; then the same for `settings`;
/// then English. Garbage and unknown tags are passed over: a web request must never fail because of its language.
pub fn choose(wanted: Option<&str>, settings: Option<&str>) -> &'static dyn Phrases {
    wanted.and_then(from_accept).or_else(|| settings.and_then(from_accept)).unwrap_or(&super::english::English)
}

/// Ranges beyond this many are not looked at: a header is outside input.
const MAX_RANGES: usize = 32;

fn from_accept(value: &str) -> Option<&'static dyn Phrases> {
    let mut ranges: Vec<(u16, &str)> = value.split(',').take(MAX_RANGES).filter_map(range).collect();
    // Stable: of equal weights the first named is preferred.
    ranges.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    ranges.into_iter().find_map(|(_, tag)| by_tag(tag))
}

/// One range with its weight in thousandths; a weight of 0 means "not this one".
fn range(item: &str) -> Option<(u16, &str)> {
    let mut parts = item.split(';');
    let tag = parts.next()?.trim();
    let weight = match parts.find_map(|part| part.trim().strip_prefix("q=")) {
        None => 1000,
        Some(q) => (q.trim().parse::<f32>().ok().filter(|q| (0.0..=1.0).contains(q))? * 1000.0) as u16,
    };
    (weight > 0 && !tag.is_empty()).then_some((weight, tag))
}

fn by_tag(tag: &str) -> Option<&'static dyn Phrases> {
    let mut tag = tag;
    loop {
        if let Some(found) = ALL.iter().find(|language| language.tag().eq_ignore_ascii_case(tag)) {
            return Some(*found);
        }
        tag = &tag[..tag.rfind('-')?];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_found_from_tags_regions_and_whole_headers() {
        let long = "xx,".repeat(1000);
        for wanted in
            ["en", "EN-gb", "en-US-x-private", "de;q=0.9, en;q=0.8", "*", "", ";;q=", "de-CH", "q=1", "\u{202e}", &long]
        {
            assert_eq!(choose(Some(wanted), None).tag(), "en", "{wanted:?}");
        }
        assert_eq!(choose(None, Some("de")).tag(), "en");
        assert!(from_accept("de, fr;q=0.5").is_none());
        assert!(from_accept("en;q=0").is_none());
    }
}
