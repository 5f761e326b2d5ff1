//! Configuration: every mistake is named, every secret masked, every setting described.

use serde_json::Value;

use super::process::Place;

#[tokio::test]
async fn a_misspelt_setting_is_named_wherever_it_stands() {
    let mut place = Place::new();
    place.set("REPOPLANE_LISEN", "127.0.0.1:1");
    let said = place.refused(&["config", "show"]).await;
    assert!(said.contains("lisen") && said.contains("repoplane config schema"), "{said}");
    place.unset("REPOPLANE_LISEN");
    std::fs::write(place.path().join("bad.toml"), "[limits]\nbusrt = 1\n").expect("file");
    let said = place.refused(&["--config", "bad.toml", "serve"]).await;
    assert!(said.contains("busrt"), "{said}");
    let said = place.refused(&["--config", "absent.toml", "serve"]).await;
    assert!(said.contains("absent.toml"), "{said}");
    place.set("REPOPLANE_BOOTSTRAP_TOKEN_FILE", "absent");
    let said = place.refused(&["serve"]).await;
    assert!(said.contains("REPOPLANE_BOOTSTRAP_TOKEN_FILE") && said.contains("absent"), "{said}");
}

#[tokio::test]
async fn what_is_in_force_is_shown_without_its_secrets() {
    let mut place = Place::new();
    place.set("REPOPLANE_LIMITS__BURST", "7");
    place.set("REPOPLANE_BOOTSTRAP_TOKEN", "rlc-hunter2");
    for url in [
        "postgres://me:hunter2@db/x",
        "postgres://db/x?user=me&password=hunter2",
        "postgres://me:hunter2/@db/x",
    ] {
        place.set("REPOPLANE_DATABASE", url);
        let shown = place.run(&["config", "show"]).await;
        assert!(shown.success && !shown.out.contains("hunter2"), "{}", shown.out);
        let shown: Value = serde_json::from_str(&shown.out).expect("JSON");
        assert_eq!(shown["limits"]["burst"], 7);
        assert_eq!(shown["bootstrap_token"], "********");
    }
}

#[tokio::test]
async fn the_schema_describes_every_setting() {
    let place = Place::new();
    let schema: Value =
        serde_json::from_str(&place.run(&["config", "schema"]).await.out).expect("JSON");
    let shown: Value =
        serde_json::from_str(&place.run(&["config", "show"]).await.out).expect("JSON");
    assert!(schema["$schema"].as_str().expect("dialect").contains("json-schema.org"));
    let described = |schema: &Value, shown: &Value| {
        for name in shown.as_object().expect("settings").keys() {
            assert!(schema["properties"][name].is_object(), "{name} is not in the schema");
        }
    };
    described(&schema, &shown);
    for (section, definition) in [("limits", "Limits"), ("egress", "Egress"), ("log", "Log")] {
        described(&schema["$defs"][definition], &shown[section]);
    }
}

#[tokio::test]
async fn variables_of_other_programs_may_hold_anything() {
    let mut place = Place::new();
    place.set("OTHER_FILE", "/absent");
    place.set("REPOPLANETARY_X", "1");
    assert!(place.run(&["config", "show"]).await.success);
}

#[tokio::test]
async fn variables_of_the_commands_are_no_settings() {
    let mut place = Place::new();
    let before = place.run(&["config", "show"]).await;
    place.set("REPOPLANE_URL", "http://127.0.0.1:1");
    place.set("REPOPLANE_TOKEN", "rlc-hunter2");
    place.set("REPOPLANE_TOKEN_FILE", "absent");
    place.set("REPOPLANE_BUCKET_SECRET", "hunter2");
    place.set("REPOPLANE_GIT_PASSWORD", "hunter2");
    let shown = place.run(&["config", "show"]).await;
    assert!(shown.success && shown.out == before.out, "{shown:?}");
}

#[tokio::test]
async fn an_address_of_the_gateway_that_is_none_or_taken_is_refused() {
    let place = Place::new();
    let said = place.refused(&["serve", "--s3-listen", "somewhere"]).await;
    assert!(said.contains("nor `off`"), "{said}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("its address").to_string();
    let said = place.refused(&["serve", "--listen", "127.0.0.1:0", "--s3-listen", &address]).await;
    let expected = format!("the S3 gateway cannot listen on {address}; choose another");
    assert!(said.contains(&expected), "{said}");
}
