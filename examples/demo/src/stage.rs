//! What the demo plays on: a temporary folder with keys, a licence made on the spot, and more licences to try.
//!
//! It stands for the vendor's side. It never calls the library; the product does that (`agent`, `web`).

use crate::calendar::Calendar;
use issuer::SigningKey;
use jiff::ToSpan;
use jiff::civil::Date;
use ors::licence::Role;
use serde::Serialize;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

pub const PRODUCT: &str = "prismaprepare";
pub const PRODUCT_NAME: &str = "PRISMAprepare";
pub const SERIAL: &str = "1234567890";

/// Shown as text wherever it appears; a page that took it for HTML would run it.
pub const HOSTILE: &str = "<img src=x onerror=\"document.title='taken over'\">";

const PAYLOAD_TYPE: &str = "application/vnd.ors.licence+json";

pub type Failed = Box<dyn Error + Send + Sync>;

/// The content of a licence before it is signed.
#[derive(Clone, Serialize)]
pub struct Draft {
    pub format: u32,
    pub product: &'static str,
    pub serial: &'static str,
    pub customer: String,
    pub sequence: u64,
    pub issued_at: String,
    pub expires_on: Option<String>,
    pub maintenance_until: Option<String>,
    pub users: u32,
    pub features: Vec<Feature>,
    pub fls: Vec<FloatingFile>,
}

#[derive(Clone, Serialize)]
pub struct Feature {
    id: &'static str,
    name: String,
    expires_on: Option<String>,
}

/// What a floating licence server of another make would read; opaque to the library.
#[derive(Clone, Serialize)]
pub struct FloatingFile {
    name: &'static str,
    text: &'static str,
}

impl Feature {
    pub fn new(id: &'static str, name: &str) -> Feature {
        Feature { id, name: name.to_owned(), expires_on: None }
    }
}

impl Draft {
    /// Five users, two features, issued a day before `calendar`'s today; good for a year, maintenance too.
    pub fn usual(calendar: &Calendar) -> Draft {
        Draft {
            format: 1,
            product: PRODUCT,
            serial: SERIAL,
            customer: "Print Room".to_owned(),
            sequence: 1,
            issued_at: calendar.instant_in_hours(-24),
            expires_on: Some(calendar.in_days(365)),
            maintenance_until: Some(calendar.in_days(365)),
            users: 5,
            features: vec![Feature::new("imposition", "Imposition"), Feature::new("tab-editing", "Tab Editing")],
            fls: vec![FloatingFile {
                name: "prismaprepare.lic",
                text: "# Read by the floating licence server itself.\n",
            }],
        }
    }

    pub fn file_name(&self) -> String {
        format!("{}-{}.ors.json", self.product, self.serial)
    }
}

/// The licences that the tour offers, by file name.
#[derive(Debug)]
pub struct Offers {
    pub newer: PathBuf,
    pub forged: PathBuf,
    pub html_names: PathBuf,
    pub renewed: PathBuf,
}

pub struct Stage {
    folder: PathBuf,
    key: SigningKey,
    trusted_keys: String,
    pub offers: Offers,
    /// The last day of the licence that the product starts with, in the calendar of this computer.
    pub expires_on: Date,
    /// A day after it, for `--at`.
    pub day_after_expiry: Date,
}

impl Stage {
    /// `folder` exists and is empty. `real` is today's calendar, also when the product is shown on another day.
    pub fn set(folder: &Path, real: &Calendar, shown: &Calendar) -> Result<Stage, Failed> {
        let root = SigningKey::generate("demo-root", Role::Root);
        let key = SigningKey::generate("demo-licences", Role::Licence);
        let trusted_keys = format!("{}\n{}\n", root.trusted_line(), key.trusted_line());
        for name in ["licences", "offers", "gallery"] {
            fs::create_dir(folder.join(name))?;
        }
        fs::write(folder.join("trusted-keys.txt"), &trusted_keys)?;
        let offer = |name: &str| folder.join("offers").join(name);
        let stage = Stage {
            folder: folder.to_owned(),
            key,
            trusted_keys,
            offers: Offers {
                newer: offer("newer.ors.json"),
                forged: offer("forged.ors.json"),
                html_names: offer("html-names.ors.json"),
                renewed: offer("renewed.ors.json"),
            },
            expires_on: real.in_months(5),
            day_after_expiry: real.in_months(5).saturating_add(8.days()),
        };
        stage.make_licences(real, shown)?;
        Ok(stage)
    }

    fn make_licences(&self, real: &Calendar, shown: &Calendar) -> Result<(), Failed> {
        let first = Draft {
            expires_on: Some(self.expires_on.to_string()),
            maintenance_until: Some(real.in_days(20)),
            ..Draft::usual(real)
        };
        self.write(&first, &self.licence_folder().join(first.file_name()))?;

        let mut newer = Draft { sequence: 2, issued_at: real.instant_in_hours(0), users: 8, ..first };
        newer.maintenance_until = Some(real.in_days(385));
        newer.features.push(Feature::new("pdf-toolbox", "PDF Toolbox"));
        self.write(&newer, &self.offers.newer)?;

        let mut html_names = Draft { sequence: 3, customer: HOSTILE.to_owned(), ..newer.clone() };
        html_names.features.push(Feature::new("html", HOSTILE));
        self.write(&html_names, &self.offers.html_names)?;

        let later = if shown.today() > real.today() { shown } else { real };
        let renewed = Draft {
            sequence: 4,
            expires_on: Some(later.in_days(400)),
            maintenance_until: Some(later.in_days(400)),
            ..newer.clone()
        };
        self.write(&renewed, &self.offers.renewed)?;

        // More users by hand, the signature kept: what somebody with an editor would try.
        let greedy = Draft { sequence: 9, users: 500, ..newer.clone() };
        let honest = self.sign(&Draft { sequence: 9, ..newer })?;
        fs::write(&self.offers.forged, with_payload_of(&honest, &self.sign(&greedy)?)?)?;
        Ok(())
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn licence_folder(&self) -> PathBuf {
        self.folder.join("licences")
    }

    pub fn state_folder(&self) -> PathBuf {
        self.folder.join("state")
    }

    pub fn gallery_folder(&self) -> PathBuf {
        self.folder.join("gallery")
    }

    pub fn trusted_keys(&self) -> &str {
        &self.trusted_keys
    }

    pub fn sign(&self, draft: &Draft) -> Result<Vec<u8>, Failed> {
        Ok(issuer::sign(PAYLOAD_TYPE, &serde_json::to_vec(draft)?, &[&self.key]))
    }

    pub fn write(&self, draft: &Draft, path: &Path) -> Result<(), Failed> {
        // Complete under another name first, so that nobody reads half a licence.
        let unfinished = path.with_extension("part");
        fs::write(&unfinished, self.sign(draft)?)?;
        Ok(fs::rename(&unfinished, path)?)
    }
}

/// `honest` with the payload of `other`: the signature no longer fits.
fn with_payload_of(honest: &[u8], other: &[u8]) -> Result<Vec<u8>, Failed> {
    let mut envelope: serde_json::Value = serde_json::from_slice(honest)?;
    let other: serde_json::Value = serde_json::from_slice(other)?;
    envelope["payload"] = other["payload"].clone();
    Ok(serde_json::to_vec_pretty(&envelope)?)
}
