//! Settings: what somebody sets, and what lies in the state folder.

use crate::allocation::bounded;
use crate::expand::expand;
use crate::place;
use ors::licence::{check_raw, text};
use ors::store::{ReadOnlyPart, Settings, SettingsErrorKind, StateFolder};
use serde_json::Value;

const MOST: usize = 1 << 20;
const NOW: i64 = 1_800_000_000;
const SECRETS: [&[&str]; 3] = [&["verification_code"], &["proxy", "password"], &["share_account", "password"]];

/// What the settings are before a set: nothing is at its default, and a password is set.
const BEFORE: &str = r#"{"enabled":true,"licence_path":"/srv/licences","organisation_id":"org-1","allow_assistance":true,
    "assistance":{"capabilities":["view"],"longest_minutes":60},"verification_code":"one two three",
    "proxy":{"mode":"manual","host":"proxy.example","port":8080,"authentication":true,"user":"ann","password":"first"},
    "share_account":{"kind":"other","user":"bob"},"language":"de","unreachable_hours":48,"confirm_serial":"4711"}"#;

/// The first byte says what the rest is.
pub fn run(data: &[u8]) {
    match data {
        [b's', json @ ..] => set(&expand(json, MOST)),
        [b'd', body @ ..] => stored(&expand(body, MOST - 200)),
        [b'r', copy @ ..] => raw(&expand(copy, MOST)),
        _ => {}
    }
}

fn folder() -> StateFolder {
    StateFolder::existing(&place::fresh()).expect("the folder was just made")
}

fn shown(folder: &StateFolder) -> Value {
    let (settings, _) = Settings::load(folder).expect("settings can be read");
    settings.to_json(ReadOnlyPart::default())
}

fn set(json: &[u8]) {
    let folder = folder();
    Settings::change(&folder, BEFORE.as_bytes(), "Ann", NOW, &Value::Null).expect("a sound set");
    let before = shown(&folder);
    let change = || Settings::change(&folder, json, "Bob", NOW, &before);
    match bounded("settings are set", change) {
        Ok(settings) => {
            crate::promises::sound_json(json);
            let after = settings.to_json(ReadOnlyPart::default());
            assert_eq!(shown(&folder), after, "what is set is what is read again");
            let again = Settings::change(&folder, json, "Bob", NOW, &after);
            let stale = matches!(&again, Err(error) if matches!(error.kind, SettingsErrorKind::Stale));
            let confirms = settings.confirm_serial.is_some();
            assert!(
                stale || confirms || again.is_ok_and(|again| again.revision == settings.revision),
                "the same set again changes nothing"
            );
        }
        Err(error) => {
            assert!(!matches!(error.kind, SettingsErrorKind::Busy | SettingsErrorKind::Store(_)), "{error}");
            assert_eq!(shown(&folder), before, "a refused set changes nothing");
            let said = format!("{error} {error:?}");
            assert!(text::is_plain(&error.to_string(), 400), "{said:?}");
            assert!(!tells_a_secret(&said, json), "{said}");
        }
    }
}

/// Whether an error repeats a secret of the set. One that is also the name of a member may be repeated as that.
fn tells_a_secret(said: &str, json: &[u8]) -> bool {
    // This one recurses: only what the library lets through is short and flat enough for it.
    let Ok(set) = check_raw(json).map(|()| serde_json::from_slice::<Value>(json).unwrap_or_default()) else {
        return false;
    };
    let names = names(&set);
    SECRETS.iter().any(|path| {
        let secret = path.iter().try_fold(&set, |value, name| value.get(name)).and_then(Value::as_str);
        secret.is_some_and(|secret| {
            secret.chars().count() > 12 && said.contains(secret) && !names.iter().any(|name| name.contains(secret))
        })
    })
}

fn names(value: &Value) -> Vec<String> {
    let Value::Object(members) = value else { return Vec::new() };
    members.iter().flat_map(|(name, member)| [vec![name.clone()], names(member)].concat()).collect()
}

/// A document whose checksum fits, whatever stands in it.
fn stored(body: &[u8]) {
    let folder = folder();
    place::put(&folder.file("settings.a"), &place::sealed(7, 3, body));
    let Ok((settings, notes)) = bounded("stored settings are read", || Settings::load(&folder)) else { return };
    let json = bounded("settings are shown", || settings.to_json(ReadOnlyPart::default()));
    assert!(notes.len() <= 30);
    assert_eq!(json["revision"], settings.revision);
    bounded("changes are told", || settings.changes_after(0));
    // What was read can be changed.
    let set = br#"{"enabled":true,"proxy":{"port":3128},"verification_code":"new"}"#;
    let changed = bounded("settings are set", || Settings::change(&folder, set, "Ann", NOW, &json));
    match changed {
        Ok(changed) => {
            assert!(changed.enabled && changed.proxy.port == Some(3128));
            assert_eq!(shown(&folder), changed.to_json(ReadOnlyPart::default()));
        }
        Err(error) => assert!(matches!(error.kind, SettingsErrorKind::Store(_)), "{error}"),
    }
}

/// A copy of any bytes beside a good one: the good one counts, unless the other is whole too.
fn raw(copy: &[u8]) {
    let folder = folder();
    place::put(&folder.file("settings.a"), copy);
    place::put(&folder.file("settings.b"), &place::sealed(1, 1, br#"{"values":{"enabled":true}}"#));
    if let Ok((settings, notes)) = bounded("settings are read", || Settings::load(&folder)) {
        assert!(settings.enabled || notes.is_empty());
    }
}
