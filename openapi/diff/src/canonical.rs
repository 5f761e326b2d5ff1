//! One spelling for each meaning, so that two documents can be compared as plain JSON. The result is for comparing: it
//! is no longer OpenAPI, since lists whose order means nothing have become maps. Nothing that carries meaning may go.

mod defaults;
mod sets;

use serde_json::{Map, Value, json};

use sets::{keyed, security, sort};

use crate::inline::Inline;
use crate::pointer::join;
use crate::slots::{Kind, METHODS, Visit, walk};
use crate::{Error, fold, to_30};

type Object = Map<String, Value>;

/// Brings a document (3.0, or 3.1 that 3.0 can say) into canonical form.
///
/// References are replaced by their targets, component schemas excepted; parameters are keyed `in:name` and a path's own
/// are moved into its operations, as is the security of the document; `required`, `enum`, `tags` and security are sorted;
/// what the specification assumes anyway is left out.
///
/// # Errors
/// As [`to_30`](crate::to_30); also a reference that dangles, leaves the document or leads back to itself.
pub fn canonical(doc: &Value) -> Result<Value, Error> {
    let source = to_30(doc.clone())?;
    let mut doc = source.clone();
    walk(&mut Inline::new(&source), &mut doc)?;
    let global = doc.get("security").cloned();
    let global = global.map(|list| security(list, "/security")).transpose()?;
    walk(&mut Tidy { global }, &mut doc)?;
    integers(&mut doc);
    Ok(doc)
}

struct Tidy {
    /// The document's own security, which operations without one inherit.
    global: Option<Value>,
}

impl Visit for Tidy {
    fn enter(&mut self, _: Kind, _: &mut Value, _: &str) -> Result<(), Error> {
        Ok(())
    }

    fn leave(&mut self, kind: Kind, map: &mut Object, at: &str) -> Result<(), Error> {
        trim(map);
        match kind {
            Kind::Schema => {
                sort(map, "required", at)?;
                sort(map, "enum", at)?;
                fold::null_branch(map);
                defaults::drop_defaults(kind, map);
                fold::single_all_of(map);
            }
            Kind::Operation => self.operation(map, at)?,
            Kind::PathItem => parameters(map, at)?,
            Kind::Components => map.retain(|section, _| {
                section == "schemas" || section == "securitySchemes" || section.starts_with("x-")
            }),
            Kind::Document => self.document(map, at)?,
            _ => {}
        }
        defaults::drop_defaults(kind, map);
        Ok(())
    }
}

impl Tidy {
    fn operation(&self, map: &mut Object, at: &str) -> Result<(), Error> {
        sort(map, "tags", at)?;
        // Inherited or said again, it is the same; and being open to all is the same as having none.
        let security = match map.remove("security") {
            Some(own) => Some(security(own, &join(at, "security"))?),
            None => self.global.clone(),
        };
        if let Some(security) = security.filter(|list| list != &json!([])) {
            map.insert("security".to_owned(), security);
        }
        Ok(())
    }

    fn document(&self, map: &mut Object, at: &str) -> Result<(), Error> {
        map.insert("openapi".to_owned(), "3.0".into());
        // Every operation has its own by now.
        map.remove("security");
        if let Some(tags) = map.remove("tags") {
            let at = join(at, "tags");
            let keyed =
                keyed(&tags, &at, "tag", |tag| Some(tag.get("name")?.as_str()?.to_owned()))?;
            map.insert("tags".to_owned(), keyed.into());
        }
        Ok(())
    }
}

/// Moves a path's own parameters into its operations, where they may be overridden, and keys all of them.
fn parameters(item: &mut Object, at: &str) -> Result<(), Error> {
    let key = |parameter: &Value| {
        let text = |field| parameter.get(field).and_then(Value::as_str);
        Some(format!("{}:{}", text("in")?, text("name")?))
    };
    let shared = match item.remove("parameters") {
        Some(list) => keyed(&list, &join(at, "parameters"), "parameter", key)?,
        None => Object::new(),
    };
    for method in METHODS {
        let Some(Value::Object(operation)) = item.get_mut(method) else {
            continue;
        };
        let mut all = shared.clone();
        if let Some(list) = operation.remove("parameters") {
            let at = join(&join(at, method), "parameters");
            all.extend(keyed(&list, &at, "parameter", key)?);
        }
        if !all.is_empty() {
            operation.insert("parameters".to_owned(), all.into());
        }
    }
    Ok(())
}

/// YAML block scalars end in a newline that nobody means.
fn trim(map: &mut Object) {
    for key in ["description", "summary", "title"] {
        if let Some(Value::String(text)) = map.get_mut(key) {
            text.truncate(text.trim_end_matches(['\n', '\r']).len());
        }
    }
}

/// `1.0` and `1` are the same number in JSON Schema.
fn integers(value: &mut Value) {
    /// Up to here every whole float is exact.
    const MAX_EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        Value::Array(items) => items.iter_mut().for_each(integers),
        Value::Object(map) => map.values_mut().for_each(integers),
        Value::Number(number) if number.is_f64() => {
            if let Some(float) =
                number.as_f64().filter(|n| n.fract() == 0.0 && n.abs() <= MAX_EXACT)
            {
                let whole = float as i64;
                *value = whole.into();
            }
        }
        _ => {}
    }
}
