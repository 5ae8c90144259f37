//! Disks that fail, copies that are torn, secrets that cannot be opened.

use super::*;
use crate::store::disk::faulty::Operation;

#[test]
fn whichever_operation_fails_a_set_is_taken_whole_or_not_at_all() {
    let new = json!({ "language": "de", "proxy": { "password": "new", "port": 2 } });
    for for_ever in [false, true] {
        let mut failures = 0;
        for at in 0.. {
            let temp = tempfile::tempdir().unwrap();
            set(&folder(temp.path()), &full()).unwrap();
            let disk = Arc::new(FaultyDisk::new());
            let folder = folder(temp.path()).with_disk(disk.clone());
            disk.fail_at(at, 28, for_ever);
            let result = Settings::change(&folder, new.to_string().as_bytes(), "Ann", 1, &Value::Null);
            if disk.failures() == 0 {
                assert!(result.is_ok());
                break;
            }
            failures += 1;
            let (now, notes) = Settings::load(&folder).unwrap();
            assert_eq!(notes, Vec::<String>::new(), "{at}");
            assert!(now.unreadable_secrets.is_empty(), "{at}");
            let secrets = Settings::open_secrets(&folder).unwrap();
            let password = secrets.proxy_password.as_ref().unwrap().expose();
            let seen = (now.language.as_deref().unwrap(), password, now.proxy.port.unwrap(), now.revision);
            match result {
                Ok(_) => assert_eq!(seen, ("de", "new", 2, 2), "{at}"),
                Err(_) => {
                    assert!([("pt-BR", "battery", 8080, 1), ("de", "new", 2, 2)].contains(&seen), "{at} {seen:?}")
                }
            }
            assert_eq!(secrets.verification_code.as_ref().unwrap().expose(), "correct horse");
            assert!(for_ever || temps(temp.path()).is_empty(), "{at}");
            disk.heal();
            set(&folder, &json!({ "proxy": { "password": "after" } })).unwrap();
            let now = Settings::open_secrets(&folder).unwrap();
            assert_eq!(now.proxy_password.as_ref().unwrap().expose(), "after");
            let left = fs::read_dir(temp.path())
                .unwrap()
                .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().ends_with(".sealed"));
            assert_eq!(left.count(), 1, "{at}: sealed files of changes that came to nothing are gone");
        }
        assert!(failures >= 12, "{failures}");
    }
}

#[test]
fn a_torn_copy_is_named_and_with_both_torn_everything_is_off() {
    let temp = tempfile::tempdir().unwrap();
    let folder = folder(temp.path());
    set(&folder, &full()).unwrap();
    fs::write(folder.file("settings.a"), "{}").unwrap();
    let (settings, notes) = Settings::load(&folder).unwrap();
    assert!(settings.enabled && settings.revision == 1);
    assert_eq!(notes, ["settings.a is damaged"]);
    fs::write(folder.file("settings.b"), "").unwrap();
    let (settings, notes) = Settings::load(&folder).unwrap();
    assert!(!settings.enabled && !settings.allow_assistance && settings.revision == 0);
    assert_eq!(notes, ["settings.a is damaged", "settings.b is damaged"]);
    let json = json!({ "language": "de" }).to_string();
    let settings = Settings::change(&folder, json.as_bytes(), "Ann", 1, &Value::Null).unwrap();
    assert_eq!((settings.revision, settings.language.as_deref()), (1, Some("de")));
}

#[test]
fn a_newer_versions_settings_are_left_alone() {
    let temp = tempfile::tempdir().unwrap();
    let folder = folder(temp.path());
    let prefix = "ors-document 7 1 1";
    let hash = crate::store::hex(&crate::store::sha256(format!("{prefix}\n{{}}").as_bytes()));
    fs::write(folder.file("settings.a"), format!("{prefix} {hash}\n{{}}")).unwrap();
    assert!(matches!(Settings::load(&folder), Err(StoreError::NewerFormat { format: 7, .. })));
    let result = Settings::change(&folder, b"{\"enabled\":true}", "Ann", 1, &Value::Null);
    assert!(matches!(result.unwrap_err().kind, SettingsErrorKind::Store(StoreError::NewerFormat { .. })));
    assert!(!folder.file("settings.b").exists());
}

#[test]
fn a_stored_value_of_a_wrong_kind_is_named_and_its_default_counts() {
    let temp = tempfile::tempdir().unwrap();
    let folder = folder(temp.path());
    let values =
        json!({ "enabled": "yes", "unreachable_hours": 0, "proxy.port": 99_999, "language": "de", "later": 1 });
    document::write(&folder, "settings", 4, &json!({ "values": values })).unwrap();
    let (settings, notes) = Settings::load(&folder).unwrap();
    assert_eq!(notes.len(), 3, "{notes:?}");
    assert!(!settings.enabled && settings.proxy.port.is_none());
    assert_eq!((settings.unreachable_hours, settings.language.as_deref()), (24, Some("de")));
    // A member that only a later version knows outlives a change by this one.
    let json = json!({ "enabled": true, "unreachable_hours": 5, "proxy": { "port": 1 } }).to_string();
    Settings::change(&folder, json.as_bytes(), "Ann", 1, &Value::Null).unwrap();
    let kept: Value = document::read(&folder, "settings").unwrap().value.unwrap();
    assert_eq!(kept["values"]["later"], 1);
}

#[test]
fn a_secret_that_cannot_be_opened_is_to_be_entered_again() {
    let temp = tempfile::tempdir().unwrap();
    let folder = folder(temp.path());
    set(&folder, &full()).unwrap();
    let key = folder.file(crate::store::secrets::KEY_FILE);
    let whole = fs::read(&key).unwrap();
    fs::write(&key, [9; 32]).unwrap();
    let (settings, notes) = Settings::load(&folder).unwrap();
    assert_eq!(settings.unreadable_secrets, ["verification_code", "proxy.password", "share_account.password"]);
    assert!(notes.len() == 1 && notes[0].starts_with("secrets-1.sealed"), "{notes:?}");
    assert_eq!(settings.to_json(rest())["verification_code"], json!({ "set": false }));
    assert!(settings.enabled && settings.language.as_deref() == Some("pt-BR"), "the rest counts");

    // One entered again; the others still have to be.
    let json = json!({ "proxy": { "password": "again" } }).to_string();
    let settings = Settings::change(&folder, json.as_bytes(), "Ann", 1, &Value::Null).unwrap();
    assert_eq!(settings.unreadable_secrets, ["verification_code", "share_account.password"]);
    let (settings, _) = Settings::load(&folder).unwrap();
    let secrets = Settings::open_secrets(&folder).unwrap();
    assert_eq!(secrets.proxy_password.as_ref().unwrap().expose(), "again");
    assert_eq!(settings.unreadable_secrets, ["verification_code", "share_account.password"]);
    let json = json!({ "verification_code": null, "share_account": { "password": null } }).to_string();
    let settings = Settings::change(&folder, json.as_bytes(), "Ann", 1, &Value::Null).unwrap();
    assert!(settings.unreadable_secrets.is_empty());
    fs::write(&key, whole).unwrap();
    assert_eq!(Settings::load(&folder).unwrap().0.unreadable_secrets, ["proxy.password"]);
}

#[test]
fn a_lost_or_damaged_sealed_file_costs_the_secrets_alone() {
    for damage in [None, Some(&b""[..]), Some(b"ors-sealed-1m\nshort")] {
        let temp = tempfile::tempdir().unwrap();
        let folder = folder(temp.path());
        set(&folder, &full()).unwrap();
        let path = folder.file("secrets-1.sealed");
        match damage {
            None => fs::remove_file(&path).unwrap(),
            Some(bytes) => fs::write(&path, bytes).unwrap(),
        }
        let (settings, notes) = Settings::load(&folder).unwrap();
        assert!(settings.enabled && notes.len() == 1, "{notes:?}");
        assert_eq!(settings.unreadable_secrets.len(), 3);
    }
}

/// A virus scanner or a backup that shares a file with nobody; elsewhere an I/O error, or no descriptor left.
#[cfg(windows)]
#[test]
fn secrets_that_cannot_be_read_for_a_moment_are_not_lost_by_a_change() {
    use std::os::windows::fs::OpenOptionsExt;
    for name in ["secrets-1.sealed", crate::store::secrets::KEY_FILE] {
        let temp = tempfile::tempdir().unwrap();
        let folder = folder(temp.path());
        set(&folder, &full()).unwrap();
        let held = fs::OpenOptions::new().read(true).share_mode(0).open(folder.file(name)).unwrap();
        for change in [json!({ "proxy": { "password": "new" } }), json!({ "verification_code": null })] {
            let result = Settings::change(&folder, change.to_string().as_bytes(), "Ann", 1, &Value::Null);
            assert_eq!(said(result), "store ", "{name} {change}");
        }
        let (settings, notes) = Settings::load(&folder).unwrap();
        assert_eq!((settings.secrets_set.len(), settings.unreadable_secrets.len()), (3, 0), "{name}: {notes:?}");
        assert!(Settings::open_secrets(&folder).is_err());
        // What is no secret can be changed.
        let json = json!({ "language": "de" }).to_string();
        assert_eq!(said(Settings::change(&folder, json.as_bytes(), "Ann", 1, &Value::Null)), "ok 2", "{name}");
        drop(held);
        let secrets = Settings::open_secrets(&folder).unwrap();
        assert_eq!(secrets.proxy_password.as_ref().unwrap().expose(), "battery");
        assert_eq!(secrets.verification_code.as_ref().unwrap().expose(), "correct horse");
        assert_eq!(said(set(&folder, &json!({ "proxy": { "password": "new" } }))), "ok 3", "{name}");
        assert_eq!(Settings::open_secrets(&folder).unwrap().share_password.unwrap().expose(), "staple");
    }
}

#[test]
fn a_set_that_failed_at_its_last_step_is_not_called_taken_before_it_is() {
    let temp = tempfile::tempdir().unwrap();
    set(&folder(temp.path()), &full()).unwrap();
    let disk = Arc::new(FaultyDisk::new());
    let folder = folder(temp.path()).with_disk(disk.clone());
    let change = || Settings::change(&folder, b"{\"language\":\"de\"}", "Ann", 1, &Value::Null);
    disk.fail_kind_at(Operation::SyncFolder, 0, 5, true);
    for _ in 0..2 {
        change().expect_err("the folder cannot be forced to the disk");
        assert_eq!(Settings::load(&folder).unwrap().0.language.as_deref(), Some("de"), "in place all the same");
    }
    disk.heal();
    assert_eq!(change().unwrap().revision, 2);
    assert!(disk.operations().contains(&Operation::SyncFolder));
    assert_eq!(fs::read(folder.file("settings.a")).unwrap(), fs::read(folder.file("settings.b")).unwrap());
}
