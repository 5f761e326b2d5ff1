//! How the rules look at a document: its operations, its schemas with their places, and references.

use std::collections::BTreeSet;

use serde_json::Value;

pub struct Contract<'a> {
    pub root: &'a Value,
    pub operations: Vec<Operation<'a>>,
    pub schemas: Vec<Spot<'a>>,
}

pub struct Operation<'a> {
    pub at: String,
    pub path: &'a str,
    pub value: &'a Value,
}

/// A schema and where it stands.
pub struct Spot<'a> {
    pub at: String,
    pub place: Place,
    pub value: &'a Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Component,
    Property,
    Branch,
    /// Anywhere else: of a body, a parameter, a header, items of a list, a part of `allOf`.
    Inner,
}

const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

impl<'a> Contract<'a> {
    pub fn new(root: &'a Value) -> Self {
        let mut operations = Vec::new();
        for (path, item) in entries(&root["paths"]) {
            for (method, value) in entries(item).filter(|(key, _)| METHODS.contains(key)) {
                let at = join(&join("/paths", path), method);
                operations.push(Operation { at, path, value });
            }
        }
        let mut schemas = Vec::new();
        for (name, schema) in entries(&root["components"]["schemas"]) {
            collect(schema, join("/components/schemas", name), Place::Component, &mut schemas);
        }
        for section in ["parameters", "responses", "requestBodies", "headers"] {
            seek(&root["components"][section], join("/components", section), &mut schemas);
        }
        seek(&root["paths"], "/paths".to_owned(), &mut schemas);
        Self { root, operations, schemas }
    }

    /// What stands there, or what the reference there names.
    pub fn resolve(&self, value: &'a Value) -> &'a Value {
        let target = value["$ref"].as_str().and_then(|target| target.strip_prefix('#'));
        target.map_or(value, |pointer| self.root.pointer(pointer).unwrap_or(&Value::Null))
    }

    pub fn responses(&self, operation: &Operation<'a>) -> Vec<(&'a str, &'a Value)> {
        let listed = entries(&operation.value["responses"]);
        listed.map(|(code, response)| (code, self.resolve(response))).collect()
    }

    pub fn parameters(&self, operation: &Operation<'a>) -> Vec<&'a Value> {
        let own = operation.value["parameters"].as_array().into_iter().flatten();
        let shared = self.root["paths"][operation.path]["parameters"].as_array();
        own.chain(shared.into_iter().flatten()).map(|value| self.resolve(value)).collect()
    }

    pub fn request(&self, operation: &Operation<'a>) -> Option<&'a Value> {
        operation.value.get("requestBody").map(|body| self.resolve(body))
    }

    /// Names of the component schemas that bodies and parameters of requests reach.
    pub fn sent(&self) -> BTreeSet<&'a str> {
        let bodies = self.operations.iter().filter_map(|operation| self.request(operation));
        let parameters = self.operations.iter().flat_map(|operation| self.parameters(operation));
        self.closure(bodies.chain(parameters))
    }

    /// Names of the component schemas that answers reach.
    pub fn answered(&self) -> BTreeSet<&'a str> {
        let responses = self.operations.iter().flat_map(|operation| self.responses(operation));
        self.closure(responses.map(|(_, response)| response))
    }

    fn closure(&self, roots: impl Iterator<Item = &'a Value>) -> BTreeSet<&'a str> {
        let mut seen = BTreeSet::new();
        let mut open: Vec<&Value> = roots.collect();
        while let Some(value) = open.pop() {
            let name = value["$ref"].as_str().and_then(|r| r.strip_prefix("#/components/schemas/"));
            if let Some(name) = name.filter(|name| seen.insert(*name)) {
                open.push(&self.root["components"]["schemas"][name]);
            }
            open.extend(value.as_object().into_iter().flat_map(|map| map.values()));
            open.extend(value.as_array().into_iter().flatten());
        }
        seen
    }
}

impl Operation<'_> {
    /// Whether it is about the server itself, and needs no token.
    pub fn is_system(&self) -> bool {
        self.value["tags"][0] == "system"
    }

    /// Whether it belongs to the source half.
    pub fn is_source(&self) -> bool {
        self.path.starts_with("/v1/")
    }
}

pub fn entries(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(key, value)| (key.as_str(), value))
}

pub fn join(at: &str, key: &str) -> String {
    format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// Finds the schemas of bodies, parameters and headers.
fn seek<'a>(value: &'a Value, at: String, found: &mut Vec<Spot<'a>>) {
    for (key, child) in entries(value).filter(|(key, _)| !key.starts_with("example")) {
        let at = join(&at, key);
        if key == "schema" {
            collect(child, at, Place::Inner, found);
        } else {
            seek(child, at, found);
        }
    }
    for (index, child) in value.as_array().into_iter().flatten().enumerate() {
        seek(child, format!("{at}/{index}"), found);
    }
}

/// Takes a schema, and those inside it.
fn collect<'a>(value: &'a Value, at: String, place: Place, found: &mut Vec<Spot<'a>>) {
    for (name, property) in entries(&value["properties"]) {
        collect(property, join(&join(&at, "properties"), name), Place::Property, found);
    }
    for key in ["items", "additionalProperties", "not"] {
        if value[key].is_object() {
            collect(&value[key], join(&at, key), Place::Inner, found);
        }
    }
    for (key, place) in
        [("oneOf", Place::Branch), ("anyOf", Place::Branch), ("allOf", Place::Inner)]
    {
        for (index, branch) in value[key].as_array().into_iter().flatten().enumerate() {
            collect(branch, format!("{at}/{key}/{index}"), place, found);
        }
    }
    found.push(Spot { at, place, value });
}
