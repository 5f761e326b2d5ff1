//! OpenAPI 3.1 to 3.0.3. What 3.0 cannot say is an error with its place; nothing that carries meaning is ever dropped.

mod schema;

use serde_json::{Map, Value};

use crate::Error;
use crate::fold;
use crate::pointer::{check_depth, join};
use crate::slots::{Kind, Visit, walk};

const TARGET: &str = "3.0.3";
/// The dialect a 3.1 document has anyway.
const DIALECT: &str = "https://spec.openapis.org/oas/3.1/dialect/base";

/// Converts a 3.1 document to 3.0.3; a 3.0 document is returned as it came.
///
/// # Errors
/// Another version, a shape that OpenAPI does not allow, or something of 3.1 that has no 3.0 form.
pub fn to_30(mut doc: Value) -> Result<Value, Error> {
    check_depth(&doc)?;
    match version(&doc)? {
        Version::V30 => Ok(doc),
        Version::V31 => {
            doc["openapi"] = TARGET.into();
            walk(&mut Down, &mut doc)?;
            Ok(doc)
        }
    }
}

enum Version {
    V30,
    V31,
}

fn version(doc: &Value) -> Result<Version, Error> {
    let Value::Object(map) = doc else {
        return Err(Error::Version {
            found: "this is not an OpenAPI document (its top level is not an object)".to_owned(),
        });
    };
    let found = match map.get("openapi") {
        Some(Value::String(version)) if version.starts_with("3.0.") => return Ok(Version::V30),
        Some(Value::String(version)) if version.starts_with("3.1.") => return Ok(Version::V31),
        Some(Value::String(version)) => format!("this is OpenAPI {version}"),
        Some(_) => "`openapi` is not a string, quote its version".to_owned(),
        None if map.contains_key("swagger") => "this is Swagger 2".to_owned(),
        None => "this is not an OpenAPI document (`openapi` is missing)".to_owned(),
    };
    Err(Error::Version { found })
}

struct Down;

impl Visit for Down {
    fn enter(&mut self, kind: Kind, value: &mut Value, at: &str) -> Result<(), Error> {
        if kind == Kind::Schema {
            return schema::down(value, at);
        }
        let Value::Object(map) = value else {
            return Ok(());
        };
        match kind {
            Kind::Document => document(map, at),
            Kind::Info => forbid(map, "summary", at, "move the text to `description`"),
            Kind::Components => {
                remove_empty(map, "pathItems");
                forbid(map, "pathItems", at, "write the path items below `paths`")
            }
            Kind::SecurityScheme if map.get("type") == Some(&"mutualTLS".into()) => {
                Err(Error::not_in_30(
                    join(at, "type"),
                    "mutualTLS has no OpenAPI 3.0 form; describe it in an `x-` extension",
                ))
            }
            Kind::Plain if at == "/info/license" => {
                map.remove("identifier");
                Ok(())
            }
            _ if map.contains_key("$ref") && kind != Kind::PathItem => override_of(map, at),
            _ => Ok(()),
        }
    }

    fn leave(&mut self, kind: Kind, map: &mut Map<String, Value>, _: &str) -> Result<(), Error> {
        if kind == Kind::Schema {
            fold::single_all_of(map);
        }
        Ok(())
    }
}

fn document(map: &mut Map<String, Value>, at: &str) -> Result<(), Error> {
    if map.get("jsonSchemaDialect") == Some(&DIALECT.into()) {
        map.remove("jsonSchemaDialect");
    }
    remove_empty(map, "webhooks");
    forbid(map, "jsonSchemaDialect", at, "use the default dialect")?;
    forbid(map, "webhooks", at, "use `callbacks` or an `x-` extension")?;
    // 3.0 insists on `paths`, 3.1 takes its absence for none.
    map.entry("paths").or_insert_with(|| Map::new().into());
    Ok(())
}

/// 3.1 lets `summary` and `description` beside a reference replace those of the target; 3.0 ignores them.
fn override_of(map: &Map<String, Value>, at: &str) -> Result<(), Error> {
    let advice = "write the object out instead of referring to it";
    forbid(map, "summary", at, advice)?;
    forbid(map, "description", at, advice)
}

fn remove_empty(map: &mut Map<String, Value>, key: &str) {
    if map.get(key).and_then(Value::as_object).is_some_and(Map::is_empty) {
        map.remove(key);
    }
}

fn forbid(map: &Map<String, Value>, key: &str, at: &str, advice: &str) -> Result<(), Error> {
    if map.contains_key(key) {
        let message = format!("`{key}` here has no OpenAPI 3.0 form; {advice}");
        return Err(Error::not_in_30(join(at, key), message));
    }
    Ok(())
}
