//! JSON Schema (2020-12), as much of it as docs/abi.md uses. A keyword that is not known here is an error, never ignored: a check
//! that passes has looked at everything that the schema says.

use serde_json::{Map, Value};

/// Everything in `value` that `schema` does not allow, each with its place.
pub fn problems(schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    Check { root: schema, found: &mut found }.value(schema, value, "$");
    found
}

/// The JSON Schema after `<!-- schema: NAME -->` in docs/abi.md.
pub fn of_docs(name: &str) -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/abi.md");
    let page = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let (_, after) =
        page.split_once(&format!("<!-- schema: {name} -->")).unwrap_or_else(|| panic!("no schema of {name}"));
    let (_, block) = after.split_once("```json").expect("a block of JSON after it");
    let (block, _) = block.split_once("```").expect("the end of the block");
    serde_json::from_str(block).unwrap_or_else(|error| panic!("the schema of {name}: {error}"))
}

struct Check<'a> {
    root: &'a Value,
    found: &'a mut Vec<String>,
}

/// Keywords that say something to people only.
const WORDS: [&str; 9] =
    ["$schema", "$id", "$comment", "$defs", "title", "description", "examples", "default", "readOnly"];

impl Check<'_> {
    fn value(&mut self, schema: &Value, value: &Value, place: &str) {
        let schema = match schema {
            Value::Bool(true) => return,
            Value::Bool(false) => return self.tell(place, "nothing is allowed here"),
            Value::Object(schema) => schema,
            _ => panic!("{place}: a schema is an object or a boolean: {schema}"),
        };
        for (keyword, rule) in schema {
            self.keyword(schema, keyword, rule, value, place);
        }
    }

    fn tell(&mut self, place: &str, what: impl std::fmt::Display) {
        self.found.push(format!("{place}: {what}"));
    }

    fn keyword(&mut self, schema: &Map<String, Value>, keyword: &str, rule: &Value, value: &Value, place: &str) {
        let wrong = match keyword {
            "$ref" => {
                let pointer =
                    rule.as_str().and_then(|text| text.strip_prefix('#')).expect("a $ref within the document");
                let schema = self.root.pointer(pointer).unwrap_or_else(|| panic!("{pointer} is in the document"));
                return self.value(schema, value, place);
            }
            "type" => !list(rule).iter().any(|name| is_type(name.as_str().unwrap(), value)),
            "const" => value != rule,
            "enum" => !rule.as_array().unwrap().contains(value),
            "anyOf" => {
                let fits = |schema: &Value| problems_within(self.root, schema, value).is_empty();
                !rule.as_array().unwrap().iter().any(fits)
            }
            "oneOf" => {
                let fits = |schema: &&Value| problems_within(self.root, schema, value).is_empty();
                rule.as_array().unwrap().iter().filter(fits).count() != 1
            }
            "allOf" => return rule.as_array().unwrap().iter().for_each(|schema| self.value(schema, value, place)),
            "required" => {
                let Some(members) = value.as_object() else { return };
                for name in rule.as_array().unwrap() {
                    if !members.contains_key(name.as_str().unwrap()) {
                        self.tell(place, format_args!("{name} is missing"));
                    }
                }
                return;
            }
            "properties" | "additionalProperties" | "patternProperties" => {
                // The three belong together; `properties` stands for all when it is there.
                if keyword == "properties" || !schema.contains_key("properties") {
                    self.members(schema, value, place);
                }
                return;
            }
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    self.value(rule, item, &format!("{place}[{index}]"));
                }
                return;
            }
            "minItems" => value.as_array().is_some_and(|items| items.len() < size(rule)),
            "maxItems" => value.as_array().is_some_and(|items| items.len() > size(rule)),
            "uniqueItems" => value.as_array().is_some_and(|items| {
                rule == &Value::Bool(true) && items.iter().enumerate().any(|(at, item)| items[..at].contains(item))
            }),
            "minLength" => value.as_str().is_some_and(|text| text.chars().count() < size(rule)),
            "maxLength" => value.as_str().is_some_and(|text| text.chars().count() > size(rule)),
            "pattern" => {
                let pattern = regex_lite::Regex::new(rule.as_str().unwrap()).expect("a pattern");
                value.as_str().is_some_and(|text| !pattern.is_match(text))
            }
            "format" => value.as_str().is_some_and(|text| !is_format(rule.as_str().unwrap(), text)),
            "minimum" => value.as_f64().is_some_and(|number| number < rule.as_f64().unwrap()),
            "maximum" => value.as_f64().is_some_and(|number| number > rule.as_f64().unwrap()),
            "exclusiveMinimum" => value.as_f64().is_some_and(|number| number <= rule.as_f64().unwrap()),
            words if WORDS.contains(&words) => false,
            unknown => panic!("{place}: the keyword {unknown} is not known to this check"),
        };
        if wrong {
            self.tell(place, format_args!("{value} is not {keyword} {rule}"));
        }
    }

    fn members(&mut self, schema: &Map<String, Value>, value: &Value, place: &str) {
        let Some(members) = value.as_object() else { return };
        let patterns: Vec<(regex_lite::Regex, &Value)> = schema
            .get("patternProperties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .map(|(pattern, schema)| (regex_lite::Regex::new(pattern).expect("a pattern"), schema))
            .collect();
        for (name, member) in members {
            let below = format!("{place}.{name}");
            let mut known = false;
            if let Some(rule) = schema.get("properties").and_then(|properties| properties.get(name)) {
                self.value(rule, member, &below);
                known = true;
            }
            for (_, rule) in patterns.iter().filter(|(pattern, _)| pattern.is_match(name)) {
                self.value(rule, member, &below);
                known = true;
            }
            if let (false, Some(rule)) = (known, schema.get("additionalProperties")) {
                self.value(rule, member, &below);
            }
        }
    }
}

fn problems_within(root: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    Check { root, found: &mut found }.value(schema, value, "$");
    found
}

fn list(rule: &Value) -> &[Value] {
    rule.as_array().map_or(std::slice::from_ref(rule), Vec::as_slice)
}

fn size(rule: &Value) -> usize {
    usize::try_from(rule.as_u64().unwrap()).unwrap()
}

fn is_type(name: &str, value: &Value) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        _ => panic!("{name} is no type"),
    }
}

fn is_format(name: &str, text: &str) -> bool {
    match name {
        "date" => ors::licence::Day::parse(text).is_ok(),
        "date-time" => ors::licence::Instant::parse(text).is_ok(),
        _ => panic!("the format {name} is not known to this check"),
    }
}

#[test]
fn the_check_finds_what_a_schema_forbids() {
    let schema: Value = serde_json::from_str(
        r##"{ "type": "object", "required": ["a"], "additionalProperties": false, "$defs": { "day": { "type": "string", "format": "date" } },
             "properties": { "a": { "type": ["integer", "null"], "minimum": 1 }, "b": { "type": "array", "items": { "$ref": "#/$defs/day" } },
                             "c": { "enum": ["x", "y"] }, "d": { "pattern": "^[0-9]+$" }, "e": { "anyOf": [{ "type": "null" }, { "const": 5 }] } } }"##,
    )
    .unwrap();
    let case = |text: &str| problems(&schema, &serde_json::from_str(text).unwrap()).len();
    for good in [r#"{"a":1}"#, r#"{"a":null,"b":["2026-11-23"],"c":"y","d":"12","e":5}"#, r#"{"a":7,"b":[],"e":null}"#]
    {
        assert_eq!(case(good), 0, "{good}");
    }
    for bad in [
        "[]",
        "{}",
        r#"{"a":0}"#,
        r#"{"a":1.5}"#,
        r#"{"a":"1"}"#,
        r#"{"a":1,"f":1}"#,
        r#"{"a":1,"b":["20261123"]}"#,
        r#"{"a":1,"c":"z"}"#,
        r#"{"a":1,"d":"1x"}"#,
        r#"{"a":1,"e":6}"#,
    ] {
        assert!(case(bad) > 0, "{bad}");
    }
}
