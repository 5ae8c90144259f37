use super::*;
use crate::licence::Role;
use crate::licence::testkit::{TestKey, host, key, product, seal_licence, with};
use crate::store::FaultyDisk;
use crate::store::disk::faulty::Operation;
use serde_json::json;
use std::fs;

const FILE: &str = "prismaprepare-1234567890.ors.json";
const SERVER_FILE: &str = "prismaprepare.lic";

struct Site {
    place: tempfile::TempDir,
    key: TestKey,
    keyring: Keyring,
    product: Product,
    disk: FaultyDisk,
}

impl Site {
    fn new() -> Site {
        let place = tempfile::tempdir().unwrap();
        fs::create_dir(place.path().join("licences")).unwrap();
        fs::create_dir(place.path().join("backup")).unwrap();
        let key = key(Role::Licence, "licence-1");
        let keyring = host(&[&crate::licence::testkit::key(Role::Root, "root-1"), &key]);
        Site { place, key, keyring, product: product(), disk: FaultyDisk::new() }
    }

    fn file(&self, pointer: &str, value: serde_json::Value) -> Vec<u8> {
        seal_licence(&with(pointer, value), &self.key)
    }

    fn licence(&self, sequence: u64) -> Genuine {
        verify(&self.file("/sequence", json!(sequence)), &self.keyring, &self.product).unwrap()
    }

    fn at(&self, name: &str) -> PathBuf {
        self.place.path().join("licences").join(name)
    }

    fn put(&self, genuine: &Genuine) -> Result<(), PlaceError> {
        let folder = self.place.path().join("licences");
        let backup = StateFolder::existing(&self.place.path().join("backup")).unwrap();
        Put {
            disk: &self.disk,
            folder: &folder,
            file: FILE,
            genuine,
            keyring: &self.keyring,
            product: &self.product,
            left_overs: &[],
            backup: &backup,
            now: 1,
            may_go_on: &|| true,
        }
        .install()
    }
}

#[test]
fn an_older_licence_is_never_put_over_a_newer_one() {
    let site = Site::new();
    let (older, newer) = (site.licence(7), site.licence(8));
    site.put(&newer).unwrap();
    fs::write(site.at(SERVER_FILE), "of the newer one").unwrap();
    assert!(matches!(site.put(&older), Err(PlaceError::Newer(_, 8))));
    assert_eq!(fs::read(site.at(FILE)).unwrap(), newer.bytes()[..]);
    assert_eq!(fs::read(site.at(SERVER_FILE)).unwrap(), b"of the newer one", "nothing of the older one is put at all");
    // What is no newer licence of this installation goes, and is kept.
    let other = site.file("/serial", json!("another"));
    for replaced in [older.bytes().to_vec(), other, b"torn".to_vec()] {
        fs::write(site.at(FILE), &replaced).unwrap();
        site.put(&newer).unwrap();
        assert_eq!(fs::read(site.at(FILE)).unwrap(), newer.bytes()[..]);
        let backup = site.place.path().join("backup").join(format!("000000000001-{FILE}"));
        assert_eq!(fs::read(backup).unwrap(), replaced);
    }
}

#[test]
fn an_install_that_failed_at_its_last_step_is_not_called_done_before_it_is() {
    let site = Site::new();
    let genuine = site.licence(7);
    site.disk.fail_kind_at(Operation::SyncFolder, 0, 5, true);
    for _ in 0..3 {
        assert!(matches!(site.put(&genuine), Err(PlaceError::Io { .. })));
    }
    site.disk.heal();
    site.put(&genuine).unwrap();
    assert_eq!(fs::read(site.at(FILE)).unwrap(), genuine.bytes()[..]);
}

#[test]
fn whichever_operation_fails_the_licence_in_the_folder_is_old_or_new_and_the_next_try_succeeds() {
    for for_ever in [false, true] {
        for at in 0.. {
            let site = Site::new();
            let (older, newer) = (site.licence(7), site.licence(8));
            site.put(&older).unwrap();
            site.disk.fail_at(at, 28, for_ever);
            let done = site.put(&newer);
            if site.disk.failures() == 0 {
                done.unwrap();
                break;
            }
            let lies = fs::read(site.at(FILE)).unwrap();
            assert!(lies == newer.bytes()[..] || (done.is_err() && lies == older.bytes()[..]), "{at}");
            site.disk.heal();
            site.put(&newer).unwrap();
            assert_eq!(fs::read(site.at(FILE)).unwrap(), newer.bytes()[..]);
        }
    }
}
