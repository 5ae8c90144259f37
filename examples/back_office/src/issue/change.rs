//! What a licence desk orders, and the licence that follows from it. Pure.

use crate::domain::{Outcome, Problem};
use ors::licence::{Day, Feature, Instant, Licence, Product, Sequence, Serial};
use serde::{Deserialize, Deserializer, Serialize};

/// An option as it is ordered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ordered {
    pub id: String,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub expires_on: Option<Day>,
}

/// A file for the floating licence server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FloatingFile {
    pub name: String,
    pub text: String,
}

/// What shall be otherwise than in the licence before. What is not named stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Change {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    /// Null: no end.
    #[serde(deserialize_with = "named", skip_serializing_if = "Option::is_none")]
    pub expires_on: Option<Option<Day>>,
    /// Null: no contract.
    #[serde(deserialize_with = "named", skip_serializing_if = "Option::is_none")]
    pub maintenance_until: Option<Option<Day>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub users: Option<u32>,
    /// Added to the users that there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub add_users: Option<u32>,
    /// Added, or changed when the id is there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub add_features: Vec<Ordered>,
    /// Ids.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remove_features: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub add_files: Vec<FloatingFile>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remove_files: Vec<String>,
    /// Its last day was yesterday: the product says that the licence has expired.
    pub take_back: bool,
    /// The same once more, by the key that signs now.
    pub again: bool,
}

/// A member that is there, even with null.
fn named<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<Day>>, D::Error> {
    Option::deserialize(from).map(Some)
}

/// What a first licence says, kept from an import until it is issued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    pub users: u32,
    pub expires_on: Option<Day>,
    pub maintenance_until: Option<Day>,
    pub features: Vec<Ordered>,
}

/// What the next licence follows.
pub enum Before<'a> {
    /// The newest licence.
    Licence(&'a Licence),
    /// None yet; the customer's name, and perhaps terms from an import.
    Nothing { product: &'a Product, serial: &'a Serial, customer: &'a str, terms: Option<&'a Terms> },
}

/// The licence after `before`.
///
/// # Errors
/// `Invalid`, with the member that is wrong or missing.
pub fn next(before: &Before<'_>, change: &Change, now: Instant) -> Outcome<Licence> {
    let mut licence = match before {
        Before::Licence(licence) => {
            let number = licence.sequence.get().saturating_add(1);
            let sequence = Sequence::new(number).map_err(|error| Problem::invalid("sequence", error.0))?;
            Licence { sequence, issued_at: now, ..(*licence).clone() }
        }
        Before::Nothing { product, serial, customer, terms } => first(product, serial, customer, *terms, change, now)?,
    };
    apply(&mut licence, change, now)?;
    let Before::Licence(before) = before else { return checked(licence) };
    let same = Licence { sequence: before.sequence, issued_at: before.issued_at, ..licence.clone() } == **before;
    match (same, change.again) {
        (true, false) => Err(Problem::invalid("change", "changes nothing")),
        (false, true) => Err(Problem::invalid("again", "stands beside a change")),
        _ => checked(licence),
    }
}

fn first(
    product: &Product,
    serial: &Serial,
    customer: &str,
    terms: Option<&Terms>,
    change: &Change,
    now: Instant,
) -> Outcome<Licence> {
    let missing = |member: &str| Problem::invalid(member, "is missing: this is the first licence of the installation");
    let mut licence = Licence {
        product: product.clone(),
        serial: serial.clone(),
        customer: customer.to_owned(),
        sequence: Sequence::new(1).map_err(|error| Problem::invalid("sequence", error.0))?,
        issued_at: now,
        expires_on: None,
        maintenance_until: None,
        users: 0,
        features: vec![],
        fls: vec![],
    };
    match terms {
        Some(terms) => {
            licence.users = terms.users;
            licence.expires_on = terms.expires_on;
            licence.maintenance_until = terms.maintenance_until;
            licence.features = terms.features.iter().map(feature).collect();
        }
        None => {
            licence.users = change.users.ok_or_else(|| missing("users"))?;
            licence.expires_on = change.expires_on.ok_or_else(|| missing("expires_on"))?;
            licence.maintenance_until = change.maintenance_until.ok_or_else(|| missing("maintenance_until"))?;
        }
    }
    Ok(licence)
}

fn feature(ordered: &Ordered) -> Feature {
    Feature { id: ordered.id.clone(), name: ordered.name.clone(), expires_on: ordered.expires_on }
}

fn apply(licence: &mut Licence, change: &Change, now: Instant) -> Outcome<()> {
    if let Some(customer) = &change.customer {
        licence.customer = crate::domain::plain_text("customer", customer)?;
    }
    licence.users = match (change.users, change.add_users) {
        (Some(_), Some(_)) => return Err(Problem::invalid("add_users", "stands beside users")),
        (Some(users), None) => users,
        (None, Some(more)) => licence.users.saturating_add(more),
        (None, None) => licence.users,
    };
    licence.maintenance_until = change.maintenance_until.unwrap_or(licence.maintenance_until);
    licence.expires_on = match (change.take_back, change.expires_on) {
        (true, Some(_)) => return Err(Problem::invalid("take_back", "stands beside expires_on")),
        (true, None) => Some(Day::at(now.plus(-86_400))),
        (false, Some(day)) => day,
        (false, None) => licence.expires_on,
    };
    for id in &change.remove_features {
        let before = licence.features.len();
        licence.features.retain(|feature| feature.id != *id);
        if licence.features.len() == before {
            return Err(Problem::invalid(
                "remove_features",
                format!("names \"{id}\", which the licence does not have"),
            ));
        }
    }
    for ordered in &change.add_features {
        match licence.features.iter_mut().find(|feature| feature.id == ordered.id) {
            Some(known) => *known = feature(ordered),
            None => licence.features.push(feature(ordered)),
        }
    }
    for name in &change.remove_files {
        let before = licence.fls.len();
        licence.fls.retain(|file| !file.name.eq_ignore_ascii_case(name));
        if licence.fls.len() == before {
            return Err(Problem::invalid("remove_files", format!("names \"{name}\", which the licence does not have")));
        }
    }
    for file in &change.add_files {
        licence.fls.retain(|known| !known.name.eq_ignore_ascii_case(&file.name));
        licence.fls.push(ors::licence::FlsFile { name: file.name.clone(), text: file.text.clone() });
    }
    Ok(())
}

/// Every limit, judged by the code that products run.
fn checked(licence: Licence) -> Outcome<Licence> {
    match Licence::parse(&licence.to_json()) {
        Ok(read) => Ok(read),
        Err(refusal) => Err(Problem::invalid("change", format!("makes no licence: {}", refusal.detail))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testkit::NOW;
    use serde_json::json;

    fn before() -> Licence {
        let (product, serial) = (Product::parse("prismaprepare").unwrap(), Serial::parse("1").unwrap());
        let nothing = Before::Nothing { product: &product, serial: &serial, customer: "Print Room", terms: None };
        let change = json!({"users": 5, "expires_on": "2027-11-23", "maintenance_until": "2027-05-31",
            "add_features": [{"id": "pdf", "name": "PDF"}], "add_files": [{"name": "a.lic", "text": "x"}]});
        next(&nothing, &serde_json::from_value(change).unwrap(), NOW).unwrap()
    }

    fn after(change: serde_json::Value) -> Outcome<Licence> {
        let change = serde_json::from_value(change).map_err(|error| Problem::invalid("change", error))?;
        next(&Before::Licence(&before()), &change, NOW.plus(60))
    }

    #[test]
    fn what_is_not_named_stays_and_the_sequence_is_the_next() {
        let extended = after(json!({"maintenance_until": "2028-05-31"})).unwrap();
        let expected = Licence {
            sequence: Sequence::new(2).unwrap(),
            issued_at: NOW.plus(60),
            maintenance_until: Day::parse("2028-05-31").ok(),
            ..before()
        };
        assert_eq!(extended, expected);
    }

    #[test]
    fn each_order_of_the_desk_changes_what_it_says() {
        let day = |text: &str| Day::parse(text).ok();
        assert_eq!(after(json!({"add_users": 3})).unwrap().users, 8);
        assert_eq!(after(json!({"users": 1})).unwrap().users, 1);
        assert_eq!(after(json!({"expires_on": null})).unwrap().expires_on, None);
        assert_eq!(after(json!({"maintenance_until": null})).unwrap().maintenance_until, None);
        assert_eq!(after(json!({"take_back": true})).unwrap().expires_on, day("2026-11-24"), "yesterday, everywhere");
        let more =
            after(json!({"add_features": [{"id": "imp", "name": "Imposition", "expires_on": "2027-01-31"}]})).unwrap();
        assert_eq!(more.features.len(), 2);
        let other = after(json!({"add_features": [{"id": "pdf", "name": "PDF Toolbox"}]})).unwrap();
        assert_eq!((other.features.len(), other.features[0].name.as_str()), (1, "PDF Toolbox"));
        assert!(after(json!({"remove_features": ["pdf"]})).unwrap().features.is_empty());
        assert_eq!(after(json!({"add_files": [{"name": "A.LIC", "text": "y"}]})).unwrap().fls.len(), 1);
        assert_eq!(after(json!({"again": true})).unwrap().sequence.get(), 2);
    }

    #[test]
    fn an_order_that_makes_no_sense_is_refused_with_the_member() {
        for (change, member) in [
            (json!({}), "change"),
            (json!({"users": 5}), "change"),
            (json!({"users": 1_000_001}), "change"),
            (json!({"users": 4, "add_users": 1}), "add_users"),
            (json!({"take_back": true, "expires_on": null}), "take_back"),
            (json!({"again": true, "users": 7}), "again"),
            (json!({"remove_features": ["x"]}), "remove_features"),
            (json!({"remove_files": ["x"]}), "remove_files"),
            (json!({"add_features": [{"id": "UPPER", "name": ""}]}), "change"),
            (json!({"add_files": [{"name": "../x", "text": ""}]}), "change"),
            (json!({"customer": "a\u{202e}b"}), "customer"),
            (json!({"expires_on": "2027-02-30"}), "change"),
            (json!({"maintenance": null}), "change"),
        ] {
            let refused = after(change.clone()).unwrap_err();
            assert_eq!(refused.member.as_deref(), Some(member), "{change}: {refused}");
        }
    }

    #[test]
    fn a_first_licence_needs_its_terms_from_the_order_or_from_the_import() {
        let (product, serial) = (Product::parse("p").unwrap(), Serial::parse("1").unwrap());
        let terms = Terms { users: 3, expires_on: None, maintenance_until: None, features: vec![] };
        let nothing = |terms| Before::Nothing { product: &product, serial: &serial, customer: "C", terms };
        assert_eq!(next(&nothing(None), &Change::default(), NOW).unwrap_err().member.as_deref(), Some("users"));
        let change = Change { users: Some(4), ..Change::default() };
        assert_eq!(next(&nothing(None), &change, NOW).unwrap_err().member.as_deref(), Some("expires_on"));
        assert_eq!(next(&nothing(Some(&terms)), &Change::default(), NOW).unwrap().users, 3);
        assert_eq!(next(&nothing(Some(&terms)), &change, NOW).unwrap().users, 4);
    }
}
