//! Documents that mean the same must not differ, however they are spelled.

use openapi_diff::{compat, drift, parse, to_30};
use serde_json::{Value, json};

use crate::fixture::{clinic, edited, remove, reverse, set, small};

fn assert_equal(a: &Value, b: &Value) {
    let lines = |a, b| -> Vec<String> {
        let mut found = drift(a, b).expect("comparable");
        found.extend(compat(a, b).expect("comparable"));
        found.iter().map(ToString::to_string).collect()
    };
    assert_eq!(lines(a, b), [""; 0]);
    assert_eq!(lines(b, a), [""; 0]);
}

/// The two as schema `Thing` of otherwise equal documents, the first of 3.0 and the second of 3.1.
fn assert_same_schema(in_30: Value, in_31: Value) {
    let other = json!({"type": "string"});
    let document = |version, thing| {
        let body = json!({"schema": {"$ref": "#/components/schemas/Thing"}});
        let paths = json!({"/": {"get": {"responses": {"200": {"description": "", "content": {"text/plain": body}}}}}});
        small(version, paths, json!({"Thing": thing, "Other": other}))
    };
    assert_equal(&document("3.0.3", in_30), &document("3.1.0", in_31));
}

#[test]
fn a_document_in_30_and_in_31() {
    let in_31 = parse(include_str!("clinic_31.json")).expect("valid");
    assert_ne!(in_31, clinic());
    assert_equal(&clinic(), &in_31);
}

#[test]
fn a_30_document_passes_to_30_unchanged() {
    assert_eq!(to_30(clinic()), Ok(clinic()));
}

#[test]
fn what_31_says_in_another_way() {
    for (in_30, in_31) in said_in_two_ways() {
        assert_same_schema(in_30, in_31);
    }
}

fn said_in_two_ways() -> Vec<(Value, Value)> {
    let reference = json!({"$ref": "#/components/schemas/Other"});
    vec![
        (json!({"type": "string", "nullable": true}), json!({"type": ["string", "null"]})),
        (json!({"type": "string"}), json!({"type": ["string"]})),
        (
            json!({"anyOf": [{"type": "string"}, {"type": "integer"}], "minimum": 1}),
            json!({"type": ["string", "integer"], "minimum": 1}),
        ),
        (
            json!({"nullable": true, "allOf": [reference]}),
            json!({"oneOf": [reference, {"type": "null"}]}),
        ),
        (
            json!({"nullable": true, "allOf": [reference], "description": "D"}),
            json!({"oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/Other", "description": "D"}]}),
        ),
        (
            json!({"nullable": true, "allOf": [reference]}),
            json!({"anyOf": [reference, {"type": "null"}]}),
        ),
        (
            json!({"nullable": true, "type": "array", "items": {}}),
            json!({"oneOf": [{"type": "array", "items": true}, {"type": "null"}]}),
        ),
        (
            json!({"nullable": true, "oneOf": [reference, {"type": "integer"}]}),
            json!({"oneOf": [reference, {"type": "integer"}, {"type": "null"}]}),
        ),
        (
            json!({"allOf": [reference], "description": "D", "deprecated": true}),
            json!({"$ref": "#/components/schemas/Other", "description": "D", "deprecated": true}),
        ),
        (
            json!({"type": "number", "minimum": 1, "exclusiveMinimum": true}),
            json!({"type": "number", "exclusiveMinimum": 1}),
        ),
        (
            json!({"type": "number", "maximum": 9, "exclusiveMaximum": true}),
            json!({"type": "number", "exclusiveMaximum": 9.0, "maximum": 12}),
        ),
        (
            json!({"type": "number", "minimum": 5}),
            json!({"type": "number", "exclusiveMinimum": 1, "minimum": 5}),
        ),
        (json!({"type": "string", "example": "a"}), json!({"type": "string", "examples": ["a"]})),
        (json!({"type": "string", "enum": ["a"]}), json!({"type": "string", "const": "a"})),
        (
            json!({"type": "object", "additionalProperties": {"type": "string"}}),
            json!({"type": "object", "propertyNames": {"type": "string"}, "additionalProperties": {"type": "string"}}),
        ),
        (
            json!({"type": "string", "format": "binary"}),
            json!({"type": "string", "contentMediaType": "application/octet-stream"}),
        ),
        (
            json!({"type": "string", "format": "byte"}),
            json!({"type": "string", "contentEncoding": "base64"}),
        ),
        (json!({"not": {}}), json!(false)),
        (json!({"nullable": true, "enum": [null]}), json!({"type": "null"})),
        (
            json!({"type": "object", "properties": {"const": {"type": "string"}, "$ref": {"type": "string", "nullable": true}, "type": {"type": "string"}}}),
            json!({"type": "object", "properties": {"const": {"type": "string"}, "$ref": {"type": ["string", "null"]}, "type": {"type": "string"}}}),
        ),
        (
            json!({"type": "object", "example": {"type": ["a", "null"], "const": 1}}),
            json!({"type": "object", "example": {"type": ["a", "null"], "const": 1}}),
        ),
    ]
}

#[test]
fn a_null_alternative_in_the_form_of_schemars() {
    let reference = json!({"$ref": "#/components/schemas/Other"});
    assert_same_schema(
        json!({"anyOf": [reference, {"enum": [null], "nullable": true}]}),
        json!({"anyOf": [reference, {"type": "null"}]}),
    );
}

#[test]
fn order_that_means_nothing() {
    let doc = edited(|doc| {
        for pointer in [
            "/tags",
            "/security",
            "/security/0/login",
            "/components/schemas/Species/enum",
            "/components/schemas/NewPet/required",
            "/components/schemas/Treatment/oneOf/0/required",
            "/paths/~1pets/get/parameters",
        ] {
            reverse(doc, pointer);
        }
    });
    assert_equal(&clinic(), &doc);
}

#[test]
fn defaults_of_the_specification_written_out() {
    let doc = edited(|doc| {
        set(doc, "/components/schemas/Pet/allOf/1/additionalProperties", json!(true));
        set(doc, "/components/schemas/Owner/additionalProperties", json!({}));
        set(doc, "/components/schemas/Owner/properties/phone/nullable", json!(false));
        set(doc, "/components/schemas/Owner/properties/phone/minLength", json!(0));
        set(doc, "/components/schemas/Owner/properties/phone/deprecated", json!(false));
        set(doc, "/components/schemas/Owner/properties/phone/readOnly", json!(false));
        set(doc, "/components/schemas/Family/required", json!([]));
        set(doc, "/components/schemas/Family/properties/young/uniqueItems", json!(false));
        set(doc, "/paths/~1pets/get/deprecated", json!(false));
        set(doc, "/paths/~1pets/get/parameters/1/required", json!(false));
        set(doc, "/paths/~1pets/get/parameters/1/style", json!("form"));
        set(doc, "/paths/~1pets/get/parameters/1/explode", json!(true));
        set(doc, "/paths/~1pets/get/parameters/2/style", json!("simple"));
        set(doc, "/paths/~1pets/get/parameters/2/explode", json!(false));
        set(doc, "/paths/~1pets~1{petId}~1photo/put/requestBody/required", json!(false));
        set(doc, "/paths/~1pets~1{petId}/get/parameters", json!([]));
        set(doc, "/paths/~1pets~1{petId}/delete/responses/204/headers", json!({}));
        set(doc, "/paths/~1status/get/tags", json!([]));
        set(doc, "/components/schemas/NewPet/properties/chip/minimum", json!(0.0));
        set(doc, "/openapi", json!("3.0.0"));
        set(doc, "/info/description", json!("Pets, their owners and their visits.\n\n"));
    });
    assert_equal(&clinic(), &doc);
}

#[test]
fn one_server_at_the_root_is_no_server() {
    let mut without = small("3.0.3", json!({}), json!({}));
    let with = without.clone();
    without["servers"] = json!([{"url": "/"}]);
    assert_equal(&with, &without);
}

#[test]
fn shared_and_repeated() {
    let doc = edited(|doc| {
        // Inherited from the document.
        set(
            doc,
            "/paths/~1pets/get/security",
            json!([{"login": ["pets.write", "pets.read"]}, {"bearer": []}]),
        );
        // Written out instead of referred to.
        set(
            doc,
            "/paths/~1pets/get/parameters/0",
            json!({"name": "limit", "in": "query", "schema": {"type": "integer", "format": "int32", "minimum": 1, "maximum": 100, "default": 20}}),
        );
        // Moved from the path to its operations.
        remove(doc, "/paths/~1pets~1{petId}/parameters");
        set(
            doc,
            "/paths/~1pets~1{petId}/get/parameters",
            json!([{"name": "petId", "in": "path", "required": true, "schema": {"type": "string", "format": "uuid"}}]),
        );
        set(
            doc,
            "/paths/~1pets~1{petId}/delete/parameters",
            json!([{"name": "petId", "in": "path", "required": true, "schema": {"type": "string", "format": "uuid"}}]),
        );
        // One inline part of `allOf` is the schema itself.
        set(
            doc,
            "/components/schemas/PetPage/properties/next",
            json!({"allOf": [{"type": "string"}]}),
        );
        set(doc, "/components/responses/Unused", json!({"description": "Nobody refers to it"}));
    });
    assert_equal(&clinic(), &doc);
}

#[test]
fn an_operation_overrides_the_parameter_of_its_path() {
    let own =
        json!([{"name": "petId", "in": "path", "required": true, "schema": {"type": "integer"}}]);
    let doc = edited(|doc| set(doc, "/paths/~1pets~1{petId}/get/parameters", own.clone()));
    let places: Vec<_> = drift(&clinic(), &doc)
        .expect("comparable")
        .into_iter()
        .map(|finding| finding.pointer)
        .collect();
    let schema = "/paths/~1pets~1{petId}/get/parameters/path:petId/schema";
    assert_eq!(places, [format!("{schema}/format"), format!("{schema}/type")]);
}
