//! Broken and malicious documents: a clear error or an answer, never a panic and never a hang.

use std::fmt::Write as _;

use openapi_diff::{AllowList, Error, canonical, compat, drift, parse, to_30};
use serde_json::{Value, json};

use crate::fixture::{CLINIC, clinic, remove, set, small};

/// All entry points, whose common answer this returns.
fn refusal(doc: &Value) -> String {
    let error = canonical(doc).expect_err("must be refused");
    let first = drift(doc, &clinic()).expect_err("must be refused");
    assert_eq!(first.to_string(), format!("first document: {error}"));
    let second = compat(&clinic(), doc).expect_err("must be refused");
    assert_eq!(second.to_string(), format!("second document: {error}"));
    error.to_string()
}

fn refused_edit(pointer: &str, value: Value) -> String {
    let mut doc = clinic();
    set(&mut doc, pointer, value);
    refusal(&doc)
}

fn in_31(schema: Value) -> String {
    let doc = small("3.1.0", json!({}), json!({"Thing": schema}));
    to_30(doc).expect_err("has no 3.0 form").to_string()
}

#[test]
fn a_key_written_twice_is_refused_with_its_place() {
    let yaml = "openapi: 3.0.3\ninfo:\n  title: a\n  title: b\n";
    let error = parse(yaml).expect_err("duplicate").to_string();
    assert!(
        error.starts_with("line 4 column 3: ") && error.contains("duplicate key `title`"),
        "{error}"
    );
    let json = "{\"openapi\": \"3.0.3\",\n \"paths\": {\"/a\": 1, \"/a\": 2}}";
    let error = parse(json).expect_err("duplicate").to_string();
    assert!(error.starts_with("line 2 column ") && error.contains("duplicate key `/a`"), "{error}");
    assert!(parse("responses: {200: a, '200': b}").is_err(), "one status, twice");
}

#[test]
fn text_that_is_neither_yaml_nor_json() {
    for text in [
        "a: [",
        "{\"a\": ",
        "a: b: c",
        "\t- x",
        "a: &x 1\nb: *y",
        "<<: {a: 1}",
        "a: .nan",
        "a: !thing 1",
        "--- 1\n--- 2",
    ] {
        let error = parse(text).expect_err(text);
        assert!(matches!(error, Error::Syntax { line: 1.., .. }), "{text}: {error:?}");
    }
}

#[test]
fn plain_yaml_is_read_as_meant() {
    let read =
        parse("200: {on: yes, 1.10: 0x10}\n'~': null\nbig: 123456789012345678901234567890\n")
            .expect("valid");
    assert_eq!(
        read,
        json!({"200": {"on": "yes", "1.10": 16}, "~": null, "big": 1.234_567_890_123_456_8e29})
    );
    assert_eq!(parse("{a: 1}"), Ok(json!({"a": 1})), "a flow mapping is not JSON, but YAML");
    assert_eq!(parse("\u{feff}{\"<<\": 1}"), Ok(json!({"<<": 1})));
}

#[test]
fn aliases_cannot_explode() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let before = format!("*a{}, ", level - 1).repeat(10);
        writeln!(text, "a{level}: &a{level} [{before}]").expect("a string takes everything");
    }
    assert!(parse(&text).is_err());
}

#[test]
fn other_documents_are_named() {
    let refusals = [
        (json!([]), "this is not an OpenAPI document"),
        (Value::Null, "this is not an OpenAPI document"),
        (json!({"swagger": "2.0"}), "this is Swagger 2"),
        (json!({"openapi": "3.2.0"}), "this is OpenAPI 3.2.0"),
        (json!({"openapi": 3.1}), "quote its version"),
        (json!({"info": {}}), "`openapi` is missing"),
    ];
    for (doc, message) in refusals {
        let error = refusal(&doc);
        assert!(error.contains(message) && error.contains("only OpenAPI 3.0 and 3.1"), "{error}");
    }
}

#[test]
fn wrong_shapes_are_refused_with_their_place() {
    let places = [
        "/paths",
        "/paths/~1pets",
        "/paths/~1pets/get",
        "/paths/~1pets/get/responses",
        "/paths/~1pets/get/responses/200",
        "/paths/~1pets/get/responses/200/content",
        "/paths/~1pets/get/parameters",
        "/paths/~1pets/get/parameters/0",
        "/paths/~1pets/post/requestBody",
        "/paths/~1visits/post/callbacks/confirmed",
        "/components/schemas/Pet",
        "/components/schemas/Pet/allOf",
        "/components/schemas/Pet/allOf/0",
        "/components/schemas/Owner/properties",
        "/components/schemas/Owner/properties/email",
        "/components/schemas/Owner/required",
        "/components/schemas/Species/enum",
        "/security",
        "/security/0",
        "/security/1/login",
        "/servers",
        "/tags",
        "/tags/0",
        "/paths/~1pets/get/tags",
        "/paths/~1pets/get/security",
        "/info",
    ];
    for place in places {
        for wrong in [Value::Null, json!(7), json!("text")] {
            let error = refused_edit(place, wrong);
            assert!(error.starts_with(&format!("{place}: expected ")), "{place}: {error}");
        }
    }
    assert_eq!(
        refused_edit("/components/schemas/Owner/$ref", json!(1)),
        "/components/schemas/Owner/$ref: expected a string, found a number"
    );
}

#[test]
fn parameters_and_tags_need_distinct_names() {
    let error = refused_edit("/paths/~1pets/get/parameters/1", json!({"in": "query"}));
    assert!(
        error.starts_with("/paths/~1pets/get/parameters/1: this parameter needs its `name`"),
        "{error}"
    );
    let error =
        refused_edit("/paths/~1pets/get/parameters/1", json!({"in": "query", "name": "limit"}));
    assert!(
        error.starts_with(
            "/paths/~1pets/get/parameters/1: the parameter `query:limit` is declared twice"
        ),
        "{error}"
    );
    let error = refused_edit("/tags/1/name", json!("pets"));
    assert!(error.starts_with("/tags/1: the tag `pets` is declared twice"), "{error}");
}

#[test]
fn references_that_lead_nowhere() {
    let at = "/paths/~1pets/get/responses/200";
    for target in
        ["#/components/responses/Gone", "#", "#/", "#anchor", "#/components/responses/%ff"]
    {
        let error = refused_edit(at, json!({"$ref": target}));
        assert!(error.starts_with(&format!("{at}: `$ref: {target}` points to nothing")), "{error}");
    }
    for target in ["other.yaml#/Pet", "https://clinic.example/api.yaml", "", "Pet"] {
        let error = refused_edit(at, json!({"$ref": target}));
        assert!(error.contains("points outside the document"), "{error}");
    }
    let error = refused_edit(
        "/components/schemas/Owner/properties/phone",
        json!({"$ref": "#/components/schemas/Phone"}),
    );
    assert!(error.contains("`$ref: #/components/schemas/Phone` points to nothing"), "{error}");
    let error = refused_edit(
        "/components/schemas/Owner",
        json!({"$ref": "#/components/schemas/Species/enum"}),
    );
    assert!(error.contains("expected an object") || error.contains("back to itself"), "{error}");
}

#[test]
fn references_in_circles() {
    let error = refused_edit(
        "/components/responses/Problem",
        json!({"$ref": "#/components/responses/Problem"}),
    );
    assert!(error.contains("leads back to itself"), "{error}");
    let mut doc = clinic();
    set(&mut doc, "/paths/~1status", json!({"$ref": "#/paths/~1pets"}));
    set(&mut doc, "/paths/~1pets", json!({"$ref": "#/paths/~1status"}));
    assert!(refusal(&doc).contains("leads back to itself"));
}

/// Schemas may be recursive in every way but one: a schema cannot consist of itself.
#[test]
fn recursive_schemas_end() {
    let reference = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let recursive = json!({
        "List": {"type": "array", "items": reference("List")},
        "Map": {"additionalProperties": reference("Map")},
        "Union": {"oneOf": [reference("Union"), {"type": "string"}]},
        "Ping": {"properties": {"pong": reference("Pong")}},
        "Pong": {"properties": {"ping": reference("Ping"), "more": {"allOf": [reference("Ping"), reference("Pong")]}}},
        "Not": {"not": reference("Not")},
    });
    let uses = |schemas: &Value, wrap: bool| {
        let names = schemas.as_object().expect("a map").keys();
        let properties: Value = names
            .map(|name| (name.clone(), reference(name)))
            .collect::<serde_json::Map<_, _>>()
            .into();
        let body =
            json!({"application/json": {"schema": {"type": "object", "properties": properties}}});
        let mut schemas = schemas.clone();
        if wrap {
            // The same lists, with the references one level further down.
            schemas["List"] =
                json!({"type": "array", "items": {"type": "array", "items": reference("List")}});
        }
        let post = json!({"requestBody": {"content": body}, "responses": {"200": {"description": "", "content": body}}});
        small("3.0.3", json!({"/": {"post": post}}), schemas)
    };
    let (plain, wrapped) = (uses(&recursive, false), uses(&recursive, true));
    assert_eq!(drift(&plain, &plain), Ok(vec![]));
    assert_eq!(compat(&plain, &plain), Ok(vec![]));
    assert_eq!(compat(&plain, &wrapped), Ok(vec![]), "endless lists of lists either way");
    for itself in [reference("Itself"), json!({"allOf": [reference("Itself")], "minProperties": 1})]
    {
        let doc = uses(&json!({"Itself": itself}), false);
        let error = compat(&doc, &doc).expect_err("has no meaning").to_string();
        assert!(
            error.contains("`$ref: #/components/schemas/Itself` leads back to itself"),
            "{error}"
        );
    }
}

#[test]
fn references_that_multiply_are_limited() {
    let mut callbacks = json!({"c0": {"/": {"get": {"responses": {}}}}});
    for level in 1..40 {
        let before = json!({"$ref": format!("#/components/callbacks/c{}", level - 1)});
        callbacks[format!("c{level}")] =
            json!({"/": {"get": {"callbacks": {"a": before, "b": before}, "responses": {}}}});
    }
    let mut doc = clinic();
    set(&mut doc, "/components/callbacks", callbacks);
    assert!(refusal(&doc).contains("more than 100000 objects"));
    let mut schemas = json!({"s0": {"type": "string"}});
    for level in 1..40 {
        let before = json!({"$ref": format!("#/components/schemas/s{}", level - 1)});
        schemas[format!("s{level}")] = json!({"minLength": level, "allOf": [before, before]});
    }
    let body = json!({"text/plain": {"schema": {"$ref": "#/components/schemas/s39"}}});
    let doc = small(
        "3.0.3",
        json!({"/": {"get": {"responses": {"200": {"description": "", "content": body}}}}}),
        schemas,
    );
    assert!(
        compat(&doc, &doc)
            .expect_err("too much")
            .to_string()
            .contains("more than 1000000 schema pairs")
    );
}

#[test]
fn depth_is_limited() {
    let deep = format!("{}1{}", "{\"a\":".repeat(5_000), "}".repeat(5_000));
    assert!(matches!(parse(&deep), Err(Error::Syntax { .. })));
    assert!(matches!(parse(&"- ".repeat(5_000)), Err(Error::Syntax { .. })));
    let nested = |levels, innermost| {
        (0..levels).fold(json!({"type": innermost}), |schema, _| json!({"items": schema}))
    };
    let document = |levels, innermost| {
        let body = json!({"text/plain": {"schema": nested(levels, innermost)}});
        small(
            "3.0.3",
            json!({"/": {"get": {"responses": {"200": {"description": "", "content": body}}}}}),
            json!({}),
        )
    };
    let findings = compat(&document(110, "string"), &document(110, "integer"))
        .expect("deep, but not too deep");
    assert_eq!(findings.len(), 1);
    assert!(findings[0].pointer.ends_with("/items"), "{findings:?}");
    let error = refused_edit("/components/schemas/Owner", nested(200, "string"));
    assert!(error.contains("nested deeper than 128 levels"), "{error}");
}

#[test]
fn what_only_31_can_say_is_refused_with_its_place() {
    let lost = [
        (json!({"patternProperties": {}}), "patternProperties"),
        (json!({"$defs": {}}), "$defs"),
        (json!({"prefixItems": []}), "prefixItems"),
        (json!({"if": {}}), "if"),
        (json!({"const": 1, "enum": [1]}), "const"),
        (json!({"type": ["string", "integer"], "anyOf": []}), "type"),
        (json!({"type": []}), "type"),
        (json!({"examples": [1, 2]}), "examples"),
        (json!({"nullable": true}), "nullable"),
        (json!({"exclusiveMinimum": true}), "exclusiveMinimum"),
        (json!({"propertyNames": {"pattern": "^x"}}), "propertyNames"),
        (json!({"contentMediaType": "image/png"}), "contentMediaType"),
        (json!({"contentEncoding": "base32"}), "contentEncoding"),
        (json!({"contentEncoding": "base64", "format": "uuid"}), "format"),
    ];
    for (schema, keyword) in lost {
        let error = in_31(schema.clone());
        assert!(
            error.starts_with(&format!("/components/schemas/Thing/{keyword}: ")),
            "{schema}: {error}"
        );
        let error = in_31(json!({"type": "object", "properties": {"a/b": schema}}));
        assert!(
            error.starts_with(&format!("/components/schemas/Thing/properties/a~1b/{keyword}: ")),
            "{error}"
        );
    }
    let mut doc = small(
        "3.1.0",
        json!({"/": {"get": {"responses": {"200": {"$ref": "#/x", "description": "Mine"}}}}}),
        json!({}),
    );
    let error = to_30(doc.clone()).expect_err("an override").to_string();
    assert!(error.starts_with("/paths/~1/get/responses/200/description: "), "{error}");
    remove(&mut doc, "/paths/~1");
    for (field, value) in [
        ("webhooks", json!({"a": {}})),
        ("jsonSchemaDialect", json!("https://json-schema.org/draft/2020-12/schema")),
    ] {
        let mut doc = doc.clone();
        doc[field] = value;
        assert!(to_30(doc).expect_err(field).to_string().starts_with(&format!("/{field}: ")));
    }
}

/// Every value of the fixture replaced by every kind of nonsense: errors are fine, panics are not.
#[test]
fn nonsense_anywhere_never_panics() {
    fn places(value: &Value, at: &str, all: &mut Vec<String>) {
        let mut step = |key: &str, value| {
            places(value, &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), all)
        };
        match value {
            Value::Object(map) => map.iter().for_each(|(key, value)| step(key, value)),
            Value::Array(list) => {
                list.iter().enumerate().for_each(|(index, value)| step(&index.to_string(), value))
            }
            _ => {}
        }
        all.push(at.to_owned());
    }
    let base = clinic();
    let mut all = Vec::new();
    places(&base, "", &mut all);
    assert!(all.len() > 400, "{}", all.len());
    let nonsense =
        [Value::Null, json!(-1.5), json!([[]]), json!({"": {}}), json!({"$ref": "#/paths"})];
    let mut answers = [0, 0];
    for (round, pointer) in all.iter().enumerate() {
        // One kind per place and run keeps this fast; neighbours get the other kinds.
        let mut doc = base.clone();
        *doc.pointer_mut(pointer).expect("listed above") = nonsense[round % nonsense.len()].clone();
        answers[usize::from(drift(&base, &doc).is_ok())] += 1;
        let _ = compat(&base, &doc);
        let _ = compat(&doc, &base);
        doc["openapi"] = json!("3.1.0");
        let _ = to_30(doc);
    }
    assert!(answers.iter().all(|count| *count > 0), "both outcomes must occur: {answers:?}");
}

#[test]
fn truncated_text_never_panics() {
    for end in (0..CLINIC.len()).step_by(37) {
        if let Ok(doc) = parse(&CLINIC[..end]) {
            let _ = drift(&doc, &clinic());
            let _ = compat(&clinic(), &doc);
        }
    }
}

#[test]
fn allow_lists_are_strict() {
    let refusals = [
        ("operation-removed /a", "line 1: the reason is missing"),
        ("\n# all of them\nx /a  #  ", "line 3: the reason is missing"),
        ("operation-removed  # why", "line 1: `#` is not a JSON pointer"),
        ("x paths  # why", "line 1: `paths` is not a JSON pointer"),
        ("x /a  # why\nx /a  # again", "line 2: this is allowed in line 1 already"),
    ];
    for (text, message) in refusals {
        let error = AllowList::parse(text).expect_err(text).to_string();
        assert!(error.starts_with(&format!("allow list {message}")), "{error}");
    }
}
