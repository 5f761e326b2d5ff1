//! Lists whose order means nothing: sorted, or turned into maps. Two items of one name are an error, since a map would
//! silently keep one of them.

use serde_json::Value;

use super::Object;
use crate::Error;
use crate::pointer::join;
use crate::slots::unexpected;

/// A list whose items have names, by name.
pub(super) fn keyed(
    list: &Value,
    at: &str,
    what: &str,
    key: impl Fn(&Value) -> Option<String>,
) -> Result<Object, Error> {
    let mut map = Object::new();
    for (index, item) in list.as_array().into_iter().flatten().enumerate() {
        let at = format!("{at}/{index}");
        let name = key(item).ok_or_else(|| {
            Error::malformed(
                &at,
                format!("this {what} needs its `name` (and a parameter its `in`) as a string"),
            )
        })?;
        if map.contains_key(&name) {
            return Err(Error::malformed(
                &at,
                format!("the {what} `{name}` is declared twice; remove one"),
            ));
        }
        map.insert(name, item.clone());
    }
    Ok(map)
}

/// Alternatives and scopes are sets.
pub(super) fn security(mut list: Value, at: &str) -> Result<Value, Error> {
    let Value::Array(alternatives) = &mut list else {
        return Err(unexpected("a list", &list, at));
    };
    for (index, alternative) in alternatives.iter_mut().enumerate() {
        let at = format!("{at}/{index}");
        let Value::Object(schemes) = alternative else {
            return Err(unexpected("an object", alternative, &at));
        };
        let names: Vec<String> = schemes.keys().cloned().collect();
        for name in names {
            sort(schemes, &name, &at)?;
        }
    }
    alternatives.sort_by_cached_key(Value::to_string);
    Ok(list)
}

pub(super) fn sort(map: &mut Object, key: &str, at: &str) -> Result<(), Error> {
    match map.get_mut(key) {
        None => Ok(()),
        Some(Value::Array(items)) => {
            items.sort_by_cached_key(Value::to_string);
            Ok(())
        }
        Some(other) => Err(unexpected("a list", other, &join(at, key))),
    }
}
