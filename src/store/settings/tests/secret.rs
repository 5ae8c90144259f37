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

#[test]
fn a_password_of_any_characters_is_kept_as_it_is() {
    let temp = tempfile::tempdir().unwrap();
    let folder = folder(temp.path());
    let kept = |raw: &str| {
        let json = format!("{{\"verification_code\": {raw} }}");
        Settings::change(&folder, json.as_bytes(), "Ann", 1, &Value::Null).unwrap();
        Settings::open_secrets(&folder).unwrap().verification_code.unwrap().expose().to_owned()
    };
    for text in ["\"", "\\", "\\\"", "a b", "{\"set\":true}", "null", "é€😀", " x ", "\u{a0}", &"😀".repeat(200)]
    {
        assert_eq!(kept(&json!(text).to_string()), text);
    }
    assert_eq!(kept(r#""\u0041\ud83d\ude00\/\"""#), "A😀/\"");
}

#[test]
fn an_escape_that_stands_for_no_character_is_refused_by_its_name() {
    let temp = tempfile::tempdir().unwrap();
    let folder = folder(temp.path());
    for (json, expected) in [
        (r#"{"verification_code":"\ud800"}"#, "argument verification_code"),
        (r#"{"proxy":{"password":"\ud800x"}}"#, "argument proxy.password"),
        (r#"{"proxy":{"user":"\ud800"}}"#, "argument proxy.user"),
        (r#"{"verification_code":"\x"}"#, "argument "),
        (r#"{"verification_code":"\u12"}"#, "argument "),
    ] {
        assert_eq!(said(Settings::change(&folder, json.as_bytes(), "Ann", 1, &Value::Null)), expected, "{json}");
    }
}

#[test]
fn the_sealed_file_does_not_tell_how_long_a_password_is() {
    let length = |settings: Value| {
        let temp = tempfile::tempdir().unwrap();
        let folder = folder(temp.path());
        set(&folder, &settings).unwrap();
        fs::metadata(folder.file("secrets-1.sealed")).unwrap().len()
    };
    let longest = "😀".repeat(200);
    let all = json!({
        "verification_code": longest, "proxy": { "password": longest }, "share_account": { "password": longest },
    });
    assert_eq!(length(json!({ "verification_code": "x" })), length(all));
}

#[test]
fn what_an_earlier_version_sealed_without_padding_is_opened() {
    let temp = tempfile::tempdir().unwrap();
    let folder = folder(temp.path());
    set(&folder, &json!({ "verification_code": "x" })).unwrap();
    let sealed = crate::store::secrets::seal(&folder, br#"{"later":"1","verification_code":"y\u0041"}"#).unwrap();
    fs::write(folder.file("secrets-1.sealed"), sealed).unwrap();
    let secrets = Settings::open_secrets(&folder).unwrap();
    assert_eq!(secrets.verification_code.unwrap().expose(), "yA");
}
