//! The document that every test starts from, and edits to it. An edit that does not find its place panics: a seed that
//! changes nothing would prove nothing.

use openapi_diff::parse;
use serde_json::{Map, Value};

pub const CLINIC: &str = include_str!("clinic.yaml");

pub fn clinic() -> Value {
    parse(CLINIC).expect("the fixture is valid")
}

/// The fixture after an edit that must have changed it.
pub fn edited(edit: impl Fn(&mut Value)) -> Value {
    let mut doc = clinic();
    edit(&mut doc);
    assert_ne!(doc, clinic(), "the edit changes nothing");
    doc
}

/// Sets a field, new or not; its parent must exist. A list is extended by `-`.
pub fn set(doc: &mut Value, pointer: &str, value: Value) {
    match parent(doc, pointer) {
        (Value::Object(map), key) => drop(map.insert(key, value)),
        (Value::Array(list), key) if key == "-" => list.push(value),
        (Value::Array(list), key) => list[key.parse::<usize>().expect("an index")] = value,
        _ => panic!("nothing can be set at {pointer}"),
    }
}

pub fn remove(doc: &mut Value, pointer: &str) {
    match parent(doc, pointer) {
        (Value::Object(map), key) => drop(map.remove(&key).expect(pointer)),
        (Value::Array(list), key) => drop(list.remove(key.parse().expect("an index"))),
        _ => panic!("nothing can be removed at {pointer}"),
    }
}

pub fn rename(doc: &mut Value, pointer: &str, to: &str) {
    let (Value::Object(map), key) = parent(doc, pointer) else {
        panic!("{pointer} has no name");
    };
    let value = map.remove(&key).expect(pointer);
    map.insert(to.to_owned(), value);
}

/// Replaces a text wherever it is a whole string value.
pub fn replace(value: &mut Value, from: &str, to: &str) {
    match value {
        Value::String(text) if text == from => to.clone_into(text),
        Value::Array(list) => list.iter_mut().for_each(|item| replace(item, from, to)),
        Value::Object(map) => map.values_mut().for_each(|item| replace(item, from, to)),
        _ => {}
    }
}

pub fn reverse(doc: &mut Value, pointer: &str) {
    let list = doc.pointer_mut(pointer).and_then(Value::as_array_mut);
    list.expect(pointer).reverse();
}

/// A document with the given paths and component schemas and nothing else.
pub fn small(version: &str, paths: Value, schemas: Value) -> Value {
    let mut components = Map::new();
    components.insert("schemas".to_owned(), schemas);
    serde_json::json!({
        "openapi": version,
        "info": {"title": "Small", "version": "1"},
        "paths": paths,
        "components": components,
    })
}

fn parent<'a>(doc: &'a mut Value, pointer: &str) -> (&'a mut Value, String) {
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
    let place = doc.pointer_mut(parent).unwrap_or_else(|| panic!("{parent} is not there"));
    (place, key.replace("~1", "/").replace("~0", "~"))
}
