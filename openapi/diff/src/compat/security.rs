//! Credentials: whether those that were enough for the old document still are. Scheme names are compared as written;
//! renaming a scheme counts as a change.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Check, entries, rules};
use crate::pointer::join;

/// Fields of a scheme that decide how credentials are presented.
const PRESENTED: [&str; 5] = ["type", "scheme", "in", "name", "openIdConnectUrl"];
const FLOW_URLS: [&str; 3] = ["authorizationUrl", "tokenUrl", "refreshUrl"];

/// Scheme names with the scopes each needs.
type Requirement<'v> = BTreeMap<&'v str, Vec<&'v str>>;

impl Check<'_> {
    pub(super) fn security(&mut self, old: &Value, new: &Value, at: &str) {
        let new = requirements(new);
        for was in requirements(old) {
            let enough = new.iter().any(|needed| covers(&was, needed));
            if !enough {
                let detail = match was.is_empty() {
                    true => "credentials are needed now".to_owned(),
                    false => format!("{was:?} is no longer enough"),
                };
                self.report(rules::SECURITY_TIGHTENED, join(at, "security"), &detail);
            }
        }
    }

    pub(super) fn security_schemes(&mut self) {
        let schemes = |doc: &'_ Value| {
            doc.pointer("/components/securitySchemes").cloned().unwrap_or_default()
        };
        let (old, new) = (schemes(self.old), schemes(self.new));
        for (name, was) in old.as_object().into_iter().flatten() {
            let Some(is) = new.get(name) else {
                continue;
            };
            let changed = PRESENTED.iter().any(|field| was.get(field) != is.get(field))
                || flows_changed(was, is);
            if changed {
                let at = join("/components/securitySchemes", name);
                self.report(
                    rules::SECURITY_SCHEME_CHANGED,
                    at,
                    &format!("scheme `{name}` works differently"),
                );
            }
        }
    }
}

/// The alternatives in force for an operation; no security is one alternative that needs nothing.
fn requirements<'v>(operation: &'v Value) -> Vec<Requirement<'v>> {
    let list = operation.get("security");
    let alternatives = list.and_then(Value::as_array).filter(|list| !list.is_empty());
    let Some(alternatives) = alternatives else {
        return vec![Requirement::new()];
    };
    let read = |schemes: &'v Value| {
        let schemes = schemes.as_object().into_iter().flatten();
        let scopes = |list: &'v Value| {
            list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
        };
        schemes.map(|(name, list)| (name.as_str(), scopes(list))).collect()
    };
    alternatives.iter().map(read).collect()
}

fn covers(held: &Requirement<'_>, needed: &Requirement<'_>) -> bool {
    needed.iter().all(|(scheme, scopes)| {
        held.get(scheme).is_some_and(|held| scopes.iter().all(|scope| held.contains(scope)))
    })
}

/// Adding a flow or a scope is fine; taking one away or moving its URLs is not.
fn flows_changed(old: &Value, new: &Value) -> bool {
    entries(old, "flows").any(|(kind, was)| {
        let Some(is) = new.get("flows").and_then(|flows| flows.get(kind)) else {
            return true;
        };
        FLOW_URLS.iter().any(|url| was.get(url) != is.get(url))
            || entries(was, "scopes")
                .any(|(scope, _)| is.get("scopes").is_none_or(|all| all.get(scope).is_none()))
    })
}
