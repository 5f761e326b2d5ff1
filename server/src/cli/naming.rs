//! Names in the place of ids. Must never pick one of several.

use std::collections::BTreeSet;

use uuid::Uuid;

/// The one of `known` that has the name; `list` is the command that shows them all.
pub fn the_one<'a>(
    kind: &str,
    wanted: &str,
    known: impl Iterator<Item = (Uuid, &'a str)>,
    list: &str,
) -> anyhow::Result<Uuid> {
    let named: BTreeSet<Uuid> =
        known.filter(|(_, name)| *name == wanted).map(|(id, _)| id).collect();
    let mut ids = named.iter();
    match (ids.next(), ids.len()) {
        (Some(id), 0) => Ok(*id),
        (Some(_), _) => {
            let ids: Vec<String> = named.iter().map(Uuid::to_string).collect();
            anyhow::bail!(
                "more than one {kind} is called {wanted:?}; use an id: {}",
                ids.join(", ")
            )
        }
        (None, _) => anyhow::bail!("no {kind} is called {wanted:?}; see `{list}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_must_be_that_of_one_thing_exactly() {
        let [a, b, c] = [1, 2, 3].map(Uuid::from_u128);
        let known = [(a, "one"), (a, "AKEY"), (b, "two"), (c, "two"), (b, "Two")];
        let find = |wanted| the_one("bucket", wanted, known.into_iter(), "list it");
        assert_eq!(find("one").expect("one"), a);
        assert_eq!(find("AKEY").expect("another name of the same"), a);
        assert_eq!(find("Two").expect("another case is another name"), b);
        let said = find("two").expect_err("two of them").to_string();
        assert!(said.contains(&b.to_string()) && said.contains(&c.to_string()), "{said}");
        let said = find("on").expect_err("a part of a name").to_string();
        assert_eq!(said, r#"no bucket is called "on"; see `list it`"#);
    }
}
