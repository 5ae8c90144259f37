//! What is set, cleared, left alone, and never shown.

use super::*;

#[test]
fn secrets_are_set_cleared_and_left_alone() {
    let temp = tempfile::tempdir().unwrap();
    let folder = folder(temp.path());
    let is_set = |folder: &StateFolder| {
        let now = get(folder);
        ["/verification_code", "/proxy/password", "/share_account/password"]
            .map(|at| now.pointer(at).unwrap()["set"].as_bool().unwrap())
    };
    set(&folder, &json!({ "verification_code": "a", "proxy": { "password": "b" } })).unwrap();
    assert_eq!(is_set(&folder), [true, true, false]);
    set(&folder, &json!({ "verification_code": null, "proxy": { "password": { "set": false } } })).unwrap();
    assert_eq!(is_set(&folder), [false, true, false]);
    assert_eq!(said(set(&folder, &json!({ "proxy": { "password": "b" } }))), "ok 2", "the same secret again");
    let sealed = |folder: &StateFolder| {
        let names = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.ends_with(".sealed")).collect::<Vec<_>>()
    };
    assert_eq!(sealed(&folder), ["secrets-2.sealed"]);
    set(&folder, &json!({ "language": "de" })).unwrap();
    assert_eq!(sealed(&folder), ["secrets-2.sealed"]);
    set(&folder, &json!({ "proxy": { "password": null } })).unwrap();
    assert_eq!((is_set(&folder), sealed(&folder)), ([false; 3], Vec::new()));
    assert_eq!(said(set(&folder, &json!({ "proxy": { "password": null } }))), "ok 4");
}

#[test]
fn no_secret_is_in_any_file_debug_text_or_error() {
    let temp = tempfile::tempdir().unwrap();
    let folder = folder(temp.path());
    let settings = set(&folder, &full()).unwrap();
    let mut texts = vec![format!("{settings:?}"), settings.to_json(rest()).to_string()];
    for entry in fs::read_dir(temp.path()).unwrap() {
        texts.push(String::from_utf8_lossy(&fs::read(entry.unwrap().path()).unwrap()).into_owned());
    }
    for wrong in [
        r#"{"proxy":{"password":"battery\u0000"}}"#,
        r#"{"verification_code":"correct horse","x":1}"#,
        r#"{"verification_code":"correct horse" "x"}"#,
        r#"{"verification_code":["correct horse"]}"#,
    ] {
        let error = Settings::change(&folder, wrong.as_bytes(), "Ann", 1, &Value::Null).unwrap_err();
        texts.push(format!("{error} {error:?}"));
    }
    assert!(texts.len() > 8);
    for text in texts {
        for secret in ["correct horse", "battery", "staple"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
}
