use super::*;
use crate::domain::Kind;
use crate::domain::people::{New, Role};
use crate::domain::testkit::{BY, NOW};

const PASSWORD: &str = "correct horse battery";
const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

struct Office {
    _folder: tempfile::TempDir,
    store: Arc<Store>,
    logins: Logins,
}

fn office() -> Office {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open(&folder.path().join("office.db")).unwrap());
    let secrets = Secrets::open_file(&folder.path().join("secrets.key")).unwrap();
    let hash = password::hash(PASSWORD).unwrap();
    store
        .write(|db| {
            let roles = &[Role::LicenceDesk];
            people::add(
                db,
                &New { name: "ann", display: "Ann", roles, organisation: None, password_hash: &hash },
                &BY,
                NOW,
            )
        })
        .unwrap();
    Office { _folder: folder, logins: Logins::new(store.clone(), secrets), store }
}

impl Office {
    /// Ann with a second factor: its secret and her recovery codes.
    fn with_factor(&self) -> (Vec<u8>, Vec<String>) {
        let (cookie, step) = self.logins.password("ann", PASSWORD, HERE, NOW).unwrap();
        assert_eq!(step, Step::SetUp);
        let shown = self.logins.set_up(&cookie, NOW).unwrap();
        assert_eq!(self.logins.set_up(&cookie, NOW).unwrap().secret, shown.secret, "asked again, it is the same");
        let secret = self.secret_of_session(&cookie);
        assert!(self.logins.confirm(&cookie, "000000", HERE, NOW).is_err());
        let (cookie, recovery) = self.logins.confirm(&cookie, &totp::code_at(&secret, NOW), HERE, NOW).unwrap();
        assert!(self.logins.session(&cookie, NOW).unwrap().is_some());
        (secret, recovery)
    }

    fn secret_of_session(&self, cookie: &str) -> Vec<u8> {
        let sealed = self.store.read(|db| {
            let query = "SELECT totp FROM sessions WHERE hash = ?1";
            Ok::<Vec<u8>, Problem>(db.query_one(query, [session::hash(cookie)], |row| row.get(0))?)
        });
        self.logins.secrets.open(1, &sealed.unwrap()).unwrap()
    }
}

#[test]
fn a_password_alone_opens_nothing() {
    let office = office();
    let (cookie, _) = office.logins.password(" ANN ", PASSWORD, HERE, NOW).unwrap();
    assert!(office.logins.session(&cookie, NOW).unwrap().is_none());
    assert!(office.logins.code(&cookie, "123456", HERE, NOW).is_err());
    assert_eq!(office.logins.code("made up", "123456", HERE, NOW).unwrap_err().kind, Kind::NotFound);
}

#[test]
fn each_code_counts_once_and_so_does_each_recovery_code() {
    let office = office();
    let (secret, recovery) = office.with_factor();
    let log_in = |code: &str, now: Instant| {
        let (cookie, step) = office.logins.password("ann", PASSWORD, HERE, now)?;
        assert_eq!(step, Step::Code);
        office.logins.code(&cookie, code, HERE, now)
    };
    assert!(log_in(&totp::code_at(&secret, NOW), NOW).is_err(), "the code of the set-up is used");
    let later = NOW.plus(60);
    let cookie = log_in(&totp::code_at(&secret, later), later).unwrap();
    assert_eq!(office.logins.session(&cookie, later).unwrap().unwrap().user.name, "ann");
    assert!(log_in(&totp::code_at(&secret, later), later).is_err());
    let later = NOW.plus(2_000);
    log_in(&recovery[3].to_lowercase(), later).unwrap();
    assert!(log_in(&recovery[3], later).is_err());
    log_in(&recovery[4], later).unwrap();
}

#[test]
fn a_second_factor_that_is_set_up_cannot_be_set_up_again_with_a_password() {
    let office = office();
    office.with_factor();
    let (cookie, step) = office.logins.password("ann", PASSWORD, HERE, NOW).unwrap();
    assert_eq!((step, office.logins.set_up(&cookie, NOW).err().unwrap().kind), (Step::Code, Kind::Conflict));
    office.store.write(|db| reset_second_factor(db, "ann", &BY, NOW)).unwrap();
    assert_eq!(office.logins.password("ann", PASSWORD, HERE, NOW).unwrap().1, Step::SetUp);
}

#[test]
fn five_wrong_passwords_close_the_name_and_the_address_and_say_no_more_than_that() {
    let office = office();
    let said = |name: &str, from| office.logins.password(name, "wrong", from, NOW).unwrap_err();
    assert_eq!(said("ann", HERE).to_string(), said("nobody", HERE).to_string());
    for _ in 0..3 {
        assert_eq!(said("ann", HERE).kind, Kind::Invalid);
    }
    assert_eq!(said("other", HERE).kind, Kind::Limit, "five from here");
    let there = "192.0.2.2".parse().unwrap();
    assert_eq!(said("ann", there).kind, Kind::Invalid, "the fifth for ann");
    let elsewhere = "192.0.2.3".parse().unwrap();
    assert_eq!(office.logins.password("ann", PASSWORD, elsewhere, NOW).unwrap_err().kind, Kind::Limit);
    assert!(office.logins.password("ann", PASSWORD, elsewhere, NOW.plus(901)).is_ok());
}

#[test]
fn a_session_ends_idle_old_logged_out_or_with_its_user() {
    let office = office();
    let begin = |now| office.store.write(|db| session::begin(db, 1, true, now)).unwrap();
    let lives = |cookie: &str, now| office.logins.session(cookie, now).unwrap().is_some();
    let cookie = begin(NOW);
    assert!(lives(&cookie, NOW.plus(1_799)) && lives(&cookie, NOW.plus(3_500)), "used, it lives on");
    assert!(!lives(&cookie, NOW.plus(3_500 + 1_800)));
    let (cookie, mut now) = (begin(NOW), NOW);
    while now < NOW.plus(12 * 3600 - 600) {
        now = now.plus(600);
        assert!(lives(&cookie, now));
    }
    assert!(!lives(&cookie, NOW.plus(12 * 3600)));
    let cookie = begin(NOW);
    office.logins.log_out(&cookie).unwrap();
    assert!(!lives(&cookie, NOW));
    let cookie = begin(NOW);
    office.store.write(|db| people::set_disabled(db, "ann", true, &BY, NOW)).unwrap();
    assert!(!lives(&cookie, NOW) && office.logins.password("ann", PASSWORD, HERE, NOW).is_err());
}

#[test]
fn a_form_of_another_session_is_refused() {
    let office = office();
    let session = |cookie: &str| office.logins.session(cookie, NOW).unwrap().unwrap();
    let begin = || office.store.write(|db| session::begin(db, 1, true, NOW)).unwrap();
    let (mine, other) = (session(&begin()), session(&begin()));
    mine.check_form(&mine.csrf).unwrap();
    assert!(mine.check_form(&other.csrf).is_err() && mine.check_form("").is_err());
}

#[test]
fn a_database_without_its_key_shows_no_second_factor() {
    let office = office();
    let (secret, _) = office.with_factor();
    let sealed = office.logins.secrets.seal(1, &secret).unwrap();
    assert!(!sealed.windows(20).any(|at| at == secret));
    assert!(office.logins.secrets.open(2, &sealed).is_err(), "another user's");
    assert!(Secrets::from_key(&[1; 32]).unwrap().open(1, &sealed).is_err());
}

#[test]
fn a_thousand_logins_at_once_take_two_places_and_most_are_turned_away() {
    let office = office();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let logins = Arc::new(office.logins);
    let outcome = runtime.block_on(async {
        let all = (0..1000).map(|_| {
            let logins = logins.clone();
            tokio::spawn(async move {
                let place = logins.place().await;
                if place.is_ok() {
                    tokio::time::sleep(std::time::Duration::from_millis(2)).await;
                }
                place.is_ok()
            })
        });
        let mut taken = 0;
        for one in all.collect::<Vec<_>>() {
            taken += usize::from(one.await.unwrap());
        }
        taken
    });
    assert!((AT_A_TIME..900).contains(&outcome), "{outcome}");
    assert!(runtime.block_on(logins.place()).is_ok(), "and the next one gets in");
}
