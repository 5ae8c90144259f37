//! Reads the members of one JSON object and says in words what is wrong with the first that is not as it must be.
//!
//! Unlike derived deserialisation it tells "missing" from "null", never takes an array for an object, and names the member.

use super::dates::{Day, Instant};
use super::{Reason, Refusal, json, text};
use serde_json::{Map, Value};

/// Parses bytes that hold one JSON object, after the checks on the raw bytes. `what` names the thing: "licence".
pub(crate) fn object(bytes: &[u8], what: &str) -> Result<Map<String, Value>, Refusal> {
    json::check_raw(bytes).map_err(|problem| malformed(format!("The {what} cannot be read: {problem}.")))?;
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(malformed(format!("The {what} is not a JSON object."))),
        Err(error) => Err(malformed(format!("The {what} cannot be read: it is not JSON (line {}).", error.line()))),
    }
}

pub(super) fn malformed(detail: String) -> Refusal {
    Refusal::new(Reason::Malformed, detail)
}

/// The members of one object. `place` is what messages call it: "licence", `licence's features[3]`.
pub(crate) struct Fields<'a> {
    members: &'a Map<String, Value>,
    place: String,
}

impl<'a> Fields<'a> {
    pub fn new(members: &'a Map<String, Value>, place: impl Into<String>) -> Fields<'a> {
        Fields { members, place: place.into() }
    }

    /// The object at this place of an array.
    pub fn element(value: &'a Value, place: String) -> Result<Fields<'a>, Refusal> {
        match value {
            Value::Object(members) => Ok(Fields { members, place }),
            _ => Err(malformed(format!("The {place} is not an object."))),
        }
    }

    /// A refusal about one member.
    pub fn wrong(&self, name: &str, must: &str) -> Refusal {
        malformed(format!("The {}'s \"{name}\" {must}.", self.place))
    }

    pub fn get(&self, name: &str) -> Result<&'a Value, Refusal> {
        self.members.get(name).ok_or_else(|| malformed(format!("The {} has no \"{name}\".", self.place)))
    }

    /// Any string.
    pub fn string(&self, name: &str) -> Result<&'a str, Refusal> {
        self.get(name)?.as_str().ok_or_else(|| self.wrong(name, "is not a text"))
    }

    /// Any string, or null; it must be there.
    pub fn string_or_null(&self, name: &str) -> Result<Option<&'a str>, Refusal> {
        if self.get(name)?.is_null() { Ok(None) } else { self.string(name).map(Some) }
    }

    pub fn flag(&self, name: &str) -> Result<bool, Refusal> {
        self.get(name)?.as_bool().ok_or_else(|| self.wrong(name, "is neither true nor false"))
    }

    pub fn object(&self, name: &str) -> Result<&'a Map<String, Value>, Refusal> {
        self.get(name)?.as_object().ok_or_else(|| self.wrong(name, "is not an object"))
    }

    /// A text for people: at most `longest` characters, none of them control or bidi characters.
    pub fn plain(&self, name: &str, longest: usize) -> Result<String, Refusal> {
        let found = self.string(name)?;
        if found.chars().any(text::is_forbidden) {
            return Err(self.wrong(name, "holds control or bidirectional characters"));
        }
        if !text::is_plain(found, longest) {
            return Err(self.wrong(name, &format!("is longer than {longest} characters")));
        }
        Ok(found.to_owned())
    }

    /// A whole number in the range; `7.0` and `"7"` are none.
    pub fn whole(&self, name: &str, smallest: u64, largest: u64) -> Result<u64, Refusal> {
        let number = self.get(name)?.as_u64().filter(|number| (smallest..=largest).contains(number));
        number.ok_or_else(|| self.wrong(name, &format!("is not a whole number from {smallest} to {largest}")))
    }

    /// A day, or null; it must be there.
    pub fn day_or_null(&self, name: &str) -> Result<Option<Day>, Refusal> {
        if self.get(name)?.is_null() {
            return Ok(None);
        }
        Day::parse(self.string(name)?).map(Some).map_err(|error| self.wrong(name, &format!("is not a date: {error}")))
    }

    pub fn instant(&self, name: &str) -> Result<Instant, Refusal> {
        Instant::parse(self.string(name)?).map_err(|error| self.wrong(name, &format!("is not a time: {error}")))
    }

    /// An array of at most `most` elements.
    pub fn list(&self, name: &str, most: usize) -> Result<&'a [Value], Refusal> {
        let list = self.get(name)?.as_array().ok_or_else(|| self.wrong(name, "is not a list"))?;
        if list.len() > most {
            let detail = format!("The {} has {} {name}; at most {most} are read.", self.place, list.len());
            return Err(Refusal::new(Reason::Amount, detail));
        }
        Ok(list)
    }

    /// The member `format`, which must be there and be 1.
    pub fn format_1(&self) -> Result<(), Refusal> {
        match self.get("format")? {
            Value::Number(number) if number.as_u64() == Some(1) => Ok(()),
            Value::Number(number) => Err(Refusal::new(
                Reason::Format,
                format!("The {} has format {number}; this version reads format 1. Update the product.", self.place),
            )),
            _ => Err(self.wrong("format", "is not a number")),
        }
    }
}
