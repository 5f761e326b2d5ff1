//! Every seeded drift must be found at its place, and judged right in both directions.

use std::collections::{BTreeMap, BTreeSet};

use openapi_diff::{RULES, compat, drift, parse};
use serde::Deserialize;
use serde_json::Value;

use crate::fixture::{clinic, edited, remove, rename, replace, reverse, set};

/// Fewer would not prove that the differ bites.
const MIN_SEEDS: usize = 60;

/// See `seeds.yaml` for what the fields mean.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Seed {
    name: String,
    #[serde(default)]
    remove: Vec<String>,
    #[serde(default)]
    rename: BTreeMap<String, String>,
    #[serde(default)]
    replace: BTreeMap<String, String>,
    #[serde(default)]
    set: BTreeMap<String, Value>,
    #[serde(default)]
    reverse: Vec<String>,
    at: String,
    #[serde(default)]
    forward: BTreeSet<String>,
    #[serde(default)]
    backward: BTreeSet<String>,
}

impl Seed {
    fn apply(&self, doc: &mut Value) {
        self.remove.iter().for_each(|pointer| remove(doc, pointer));
        self.rename.iter().for_each(|(pointer, to)| rename(doc, pointer, to));
        self.replace.iter().for_each(|(from, to)| replace(doc, from, to));
        self.set.iter().for_each(|(pointer, value)| set(doc, pointer, value.clone()));
        self.reverse.iter().for_each(|pointer| reverse(doc, pointer));
    }
}

fn seeds() -> Vec<Seed> {
    let table = parse(include_str!("seeds.yaml")).expect("valid YAML");
    serde_json::from_value(table).expect("a list of seeds")
}

fn broken_rules(old: &Value, new: &Value) -> BTreeSet<String> {
    compat(old, new).expect("comparable").iter().map(|finding| finding.rule.to_owned()).collect()
}

fn failures(check: impl Fn(&Seed, &Value) -> Option<String>) -> Vec<String> {
    let seeds = seeds();
    seeds
        .iter()
        .filter_map(|seed| {
            Some(format!("{}: {}", seed.name, check(seed, &edited(|doc| seed.apply(doc)))?))
        })
        .collect()
}

#[test]
fn there_are_enough_seeds_with_distinct_names() {
    let names: BTreeSet<String> = seeds().into_iter().map(|seed| seed.name).collect();
    assert_eq!(names.len(), seeds().len());
    assert!(names.len() >= MIN_SEEDS, "only {}", names.len());
}

#[test]
fn drift_finds_every_seed_at_its_place() {
    let failures = failures(|seed, doc| {
        let findings = drift(&clinic(), doc).expect("comparable");
        let found = findings.iter().any(|finding| finding.pointer == seed.at);
        let places: Vec<_> = findings.iter().map(|finding| finding.pointer.as_str()).collect();
        (!found).then(|| format!("{} not among {places:#?}", seed.at))
    });
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn compat_judges_every_seed_in_both_directions() {
    let failures = failures(|seed, doc| {
        let forward = broken_rules(&clinic(), doc);
        let backward = broken_rules(doc, &clinic());
        ((&forward, &backward) != (&seed.forward, &seed.backward))
            .then(|| format!("forward {forward:?}, backward {backward:?}"))
    });
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn every_rule_is_broken_by_some_seed() {
    let broken = seeds().into_iter().flat_map(|seed| seed.forward.into_iter().chain(seed.backward));
    let covered: BTreeSet<String> = broken.collect();
    let missing: Vec<_> =
        RULES.iter().map(|rule| rule.id).filter(|id| !covered.contains(*id)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn a_document_equals_itself() {
    let failures = failures(|_, doc| {
        let found = (drift(doc, doc).expect("comparable"), compat(doc, doc).expect("comparable"));
        (found != (vec![], vec![])).then(|| format!("{found:?}"))
    });
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn drift_is_symmetric() {
    let failures = failures(|_, doc| {
        let there = drift(&clinic(), doc).expect("comparable").len();
        let back = drift(doc, &clinic()).expect("comparable").len();
        (there != back).then(|| format!("{there} there, {back} back"))
    });
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn a_break_says_who_breaks_and_what_to_do() {
    let doc = edited(|doc| remove(doc, "/paths/~1status/get"));
    let lines: Vec<_> =
        compat(&clinic(), &doc).expect("comparable").iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "operation-removed /paths/~1status/get: the operation is gone. Who breaks: clients that call it get 404 \
          or 405. Instead: keep it and mark it `deprecated`."
        ]
    );
}
