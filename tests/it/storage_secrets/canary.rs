//! Secrets that are found wherever they turn up, as they are or encoded.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD};
use serde_json::Value;
use uuid::Uuid;

/// The secrets that were sent or handed out, each with what it was for.
#[derive(Default)]
pub struct Canaries {
    kept: Vec<(String, String)>,
}

impl Canaries {
    /// A secret nobody has seen.
    pub fn secret(&mut self, purpose: &str) -> String {
        let secret = format!("Canary{}", Uuid::new_v4().simple());
        self.keep(purpose, &secret);
        secret
    }

    /// One that is a number.
    pub fn number(&mut self, purpose: &str) -> u64 {
        let number = Uuid::new_v4().as_u64_pair().1;
        self.keep(purpose, &number.to_string());
        number
    }

    /// A secret that the server made.
    pub fn keep(&mut self, purpose: &str, secret: &str) {
        assert!(secret.len() > 16, "too short to be told from chance");
        self.kept.push((purpose.to_owned(), secret.to_owned()));
    }

    /// No secret is in `bytes`, where the search finds `marker`.
    #[track_caller]
    pub fn absent_from(&self, place: &str, bytes: &[u8], marker: &str) {
        let text = readable(bytes);
        assert!(is_in(marker, &text), "{place} does not hold {marker}: is the search blind?");
        if let Some(purpose) = self.found_in(&text) {
            panic!("{place} holds the {purpose}");
        }
    }

    /// What a secret that is in the text is for.
    fn found_in(&self, text: &str) -> Option<&str> {
        let mut found = self.kept.iter().filter(|(_, secret)| is_in(secret, text));
        found.next().map(|(purpose, _)| purpose.as_str())
    }
}

/// The bytes as text, with whatever is base64 in JSON also decoded.
fn readable(bytes: &[u8]) -> String {
    let mut text = String::from_utf8_lossy(bytes).into_owned();
    if let Ok(json) = serde_json::from_slice(bytes) {
        decode(&json, &mut text);
    }
    text
}

fn decode(json: &Value, into: &mut String) {
    match json {
        Value::String(text) => {
            let decoded = BASE64_STANDARD.decode(text).unwrap_or_default();
            *into += &String::from_utf8_lossy(&decoded);
        }
        Value::Array(items) => items.iter().for_each(|item| decode(item, into)),
        Value::Object(fields) => fields.values().for_each(|field| decode(field, into)),
        _ => {}
    }
}

/// Whether the secret is in the text: plain, in hex, or within something in base64.
fn is_in(secret: &str, text: &str) -> bool {
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let plain = [secret.to_owned(), hex.to_uppercase(), hex];
    plain
        .into_iter()
        .chain((0..3).map(|before| within_base64(secret, before)))
        .any(|form| text.contains(&form))
}

/// What base64 makes of the secret after so many other bytes, less what depends on its neighbours.
fn within_base64(secret: &str, before: usize) -> String {
    let encoded = BASE64_STANDARD_NO_PAD.encode([&[0].repeat(before), secret.as_bytes()].concat());
    let whole = (before + secret.len()) * 8 / 6;
    encoded[(before * 8).div_ceil(6)..whole].to_owned()
}

#[test]
fn every_form_is_found() {
    let mut canaries = Canaries::default();
    let secret = canaries.secret("secret");
    let hex: String = secret.bytes().map(|byte| format!("{byte:02X}")).collect();
    let around = |before| format!("{}{secret}{}", "<".repeat(before), ">".repeat(5));
    let mut forms = vec![secret.clone(), hex.to_lowercase(), hex];
    forms.extend((0..6).map(|before| BASE64_STANDARD.encode(around(before))));
    for form in &forms {
        let nested = serde_json::json!({"a": [{"b": BASE64_STANDARD.encode(form)}]}).to_string();
        for text in [format!("before {form} after"), nested] {
            assert_eq!(canaries.found_in(&readable(text.as_bytes())), Some("secret"), "{text}");
        }
    }
    assert_eq!(canaries.found_in(&secret.to_lowercase()), None);
}
