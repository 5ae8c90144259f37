use super::*;
use crate::licence::testkit::{payload, with};
use serde_json::{Value, json};

const TODAY: &str = "2026-12-01";

fn content(payload: &Value, today: &str) -> Content {
    let licence = Licence::parse(payload.to_string().as_bytes()).unwrap();
    Content::of(&licence, Day::parse(today).unwrap())
}

fn features(list: &[(&str, &str, Option<&str>)]) -> Value {
    let list: Vec<Value> =
        list.iter().map(|(id, name, last)| json!({"id": id, "name": name, "expires_on": last})).collect();
    with("/features", json!(list))
}

#[test]
fn features_are_compared_by_id() {
    type List = &'static [(&'static str, &'static str, Option<&'static str>)];
    type Names = &'static [&'static str];
    type Case = (List, List, Names, Names, Names, Names);
    // before, after, added, removed, changed, ended
    let cases: [Case; 11] = [
        (&[("a", "A", None)], &[("a", "A", None)], &[], &[], &[], &[]),
        (&[("a", "A", None), ("b", "B", None)], &[("b", "B", None), ("a", "A", None)], &[], &[], &[], &[]),
        (&[], &[("b", "B", None), ("a", "A", None)], &["B", "A"], &[], &[], &[]),
        (&[("b", "B", None), ("a", "A", None)], &[], &[], &["B", "A"], &[], &[]),
        (&[("a", "A", None)], &[("a", "New A", None)], &[], &[], &["New A"], &[]),
        (&[("a", "A", None)], &[("a", "A", Some("2027-01-01"))], &[], &[], &["A"], &[]),
        (&[("a", "A", None)], &[("a", "A", Some("2026-11-30"))], &[], &[], &[], &["A"]),
        (&[("a", "A", Some("2026-11-30"))], &[("a", "A", Some("2027-11-30"))], &[], &[], &["A"], &[]),
        (&[("a", "A", Some("2026-11-30"))], &[("a", "A", Some("2026-11-30"))], &[], &[], &[], &[]),
        (&[], &[("a", "A", Some("2026-11-30"))], &[], &[], &[], &["A"]),
        (&[("a", "A", None)], &[("x", "", None)], &["x"], &["A"], &[], &[]),
    ];
    for (before, after, added, removed, changed, ended) in cases {
        let found = Changes::between(&content(&features(before), TODAY), &content(&features(after), TODAY));
        assert_eq!(found.added, added, "{before:?} {after:?}");
        assert_eq!(found.removed, removed, "{before:?} {after:?}");
        assert_eq!(found.changed, changed, "{before:?} {after:?}");
        assert_eq!(found.ended, ended, "{before:?} {after:?}");
        let any = !(added.is_empty() && removed.is_empty() && changed.is_empty() && ended.is_empty());
        assert_eq!((found.announces(), found.bits()), (any, u32::from(any)));
    }
}

#[test]
fn a_feature_ends_after_its_last_day_and_once() {
    let trial = features(&[("t", "Trial", Some("2026-12-01"))]);
    let on_the_day = content(&trial, "2026-12-01");
    let after = content(&trial, "2026-12-02");
    assert!(!on_the_day.features[0].ended && after.features[0].ended);
    assert_eq!(Changes::between(&on_the_day, &after).ended, ["Trial"]);
    assert!(!Changes::between(&after, &content(&trial, "2027-01-01")).announces());
    assert!(!Changes::between(&after, &on_the_day).announces(), "a clock set back announces nothing");
}

#[test]
fn users_announce_and_dates_alone_do_not() {
    let day = |text| Some(Day::parse(text).unwrap());
    let before = content(&payload(), TODAY);
    for (pointer, value, announces, bits) in [
        ("/sequence", json!(8), false, 0),
        ("/customer", json!("Other"), false, 0),
        ("/users", json!(10), true, 2),
        ("/maintenance_until", json!("2028-05-31"), false, 4),
        ("/maintenance_until", json!(null), false, 4),
        ("/expires_on", json!(null), false, 8),
    ] {
        let found = Changes::between(&before, &content(&with(pointer, value), TODAY));
        assert_eq!((found.announces(), found.bits()), (announces, bits), "{pointer}");
    }
    let mut all = with("/users", json!(0));
    all["features"] = json!([]);
    all["maintenance_until"] = json!(null);
    all["expires_on"] = json!("2028-11-23");
    let found = Changes::between(&before, &content(&all, TODAY));
    assert_eq!(found.users, Some((5, 0)));
    assert_eq!(found.maintenance, Some((day("2027-05-31"), None)));
    assert_eq!(found.expiry, Some((day("2027-11-23"), day("2028-11-23"))));
    assert_eq!((found.removed.as_slice(), found.bits()), (&["PDF Toolbox".to_owned()][..], 15));
}

#[test]
fn two_renewals_before_a_click_show_as_one_list() {
    let (one, two, three) =
        (features(&[("a", "A", None)]), features(&[("b", "B", None)]), features(&[("b", "B", None), ("c", "C", None)]));
    let step = |from: &Value, to: &Value| Changes::between(&content(from, TODAY), &content(to, TODAY));
    assert_eq!(step(&one, &two).added, ["B"]);
    let both = step(&one, &three);
    assert_eq!((both.added, both.removed), (vec!["B".to_owned(), "C".to_owned()], vec!["A".to_owned()]));
}

#[test]
fn contents_and_changes_survive_the_state_folder() {
    let before = content(&payload(), TODAY);
    let mut after = before.clone();
    (after.users, after.maintenance_until) = (9, None);
    let changes = Changes::between(&before, &after);
    assert_eq!(serde_json::from_slice::<Content>(&serde_json::to_vec(&before).unwrap()).unwrap(), before);
    assert_eq!(serde_json::from_slice::<Changes>(&serde_json::to_vec(&changes).unwrap()).unwrap(), changes);
}
