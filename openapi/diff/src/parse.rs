//! Strict reading of YAML and JSON. It must never let the last of two equal keys win, as serde does by default.

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value, error::Category};

use crate::Error;

/// Reads a document. YAML keys are taken as written, so `200:` and `"200":` are the same key.
///
/// # Errors
/// Malformed text, a key written twice, a YAML merge key (`<<`), a custom tag, `.nan` or `.inf`; with line and column.
pub fn parse(text: &str) -> Result<Value, Error> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if !text.trim_start().starts_with(['{', '[']) {
        return yaml(text);
    }
    match json(text) {
        Ok(value) => Ok(value),
        // A flow mapping is YAML too; if it is neither, JSON is what was meant.
        Err((Category::Syntax, error)) => yaml(text).map_err(|_| error),
        Err((_, error)) => Err(error),
    }
}

fn json(text: &str) -> Result<Value, (Category, Error)> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let merges = Merges::AreKeys;
    Strict(merges).deserialize(&mut reader).and_then(|value| reader.end().map(|()| value)).map_err(
        |error| {
            let message = error.to_string();
            let place = format!(" at line {} column {}", error.line(), error.column());
            let syntax = Error::Syntax {
                line: error.line(),
                column: error.column(),
                message: message.strip_suffix(&place).unwrap_or(&message).to_owned(),
            };
            (error.classify(), syntax)
        },
    )
}

fn yaml(text: &str) -> Result<Value, Error> {
    let reader = yaml_serde::Deserializer::from_str(text);
    Strict(Merges::AreErrors).deserialize(reader).map_err(|error| {
        let (line, column) =
            error.location().map_or((1, 1), |place| (place.line(), place.column()));
        let message = error.to_string();
        let place = format!(" at line {line} column {column}");
        Error::Syntax { line, column, message: message.replacen(&place, "", 1) }
    })
}

/// JSON may have a key `<<`; in YAML it is a directive that OpenAPI does not allow and that is easily misread.
#[derive(Clone, Copy, PartialEq)]
enum Merges {
    AreKeys,
    AreErrors,
}

#[derive(Clone, Copy)]
struct Strict(Merges);

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a value that JSON can hold")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    /// Integers beyond 64 bits lose digits, exactly as they do in every JSON reader.
    fn visit_i128<E: serde::de::Error>(self, value: i128) -> Result<Value, E> {
        self.visit_f64(value as f64)
    }

    fn visit_u128<E: serde::de::Error>(self, value: u128) -> Result<Value, E> {
        self.visit_f64(value as f64)
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| {
            E::custom(format!("{value} is not a JSON number; quote it if it is text"))
        })
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key_seed(Key(&map, self.0))? {
            let value = entries.next_value_seed(self)?;
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

/// A key that must not be in the map yet. The check sits here so that the error carries the place of the second key.
struct Key<'a>(&'a Map<String, Value>, Merges);

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = String;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a plain key")
    }

    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<String, E> {
        if self.0.contains_key(key) {
            return Err(E::custom(format!(
                "duplicate key `{key}`; remove or rename one of the two"
            )));
        }
        if key == "<<" && self.1 == Merges::AreErrors {
            return Err(E::custom(
                "merge keys (`<<`) are not part of OpenAPI; write the fields out",
            ));
        }
        Ok(key.to_owned())
    }
}
