use super::*;

fn load(file: &str, variables: &[(&str, &str)], flags: Flags) -> anyhow::Result<Config> {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("repoplane.toml");
    std::fs::write(&path, file).expect("configuration file");
    let variables = variables.iter().map(|(name, value)| (name.to_string(), value.to_string()));
    Config::from_layers(&Flags { config: Some(path), ..flags }, &with_files(variables)?)
}

#[test]
fn later_layers_win() {
    let file = "listen = '127.0.0.1:1'\ndata_dir = '/file'\n[limits]\nburst = 7\n";
    let env = [("REPOPLANE_LISTEN", "127.0.0.1:2"), ("REPOPLANE_LIMITS__BURST", "8")];
    let config = load(file, &env, Flags::default()).expect("file and environment");
    assert_eq!(config.listen.port(), 2);
    assert_eq!(config.limits.burst.get(), 8);
    assert_eq!(config.data_dir, Path::new("/file"));
    assert_eq!(config.limits.drain_seconds, 30);

    let listen = Some("127.0.0.1:3".parse().expect("address"));
    let config = load(file, &env, Flags { listen, ..Flags::default() }).expect("flags");
    assert_eq!(config.listen.port(), 3);
}

#[test]
fn lists_come_from_one_variable() {
    let env = [("REPOPLANE_EGRESS__ALLOW", "10.0.0.0/8,192.168.0.0/16")];
    let config = load("", &env, Flags::default()).expect("list");
    assert_eq!(config.egress.allow.len(), 2);
}

#[test]
fn unknown_keys_are_errors_in_every_layer() {
    for file in ["lisen = '127.0.0.1:1'", "[limits]\nbusrt = 7", "[nothing]"] {
        assert!(load(file, &[], Flags::default()).is_err(), "{file}");
    }
    for name in ["REPOPLANE_LISEN", "REPOPLANE_LIMITS__BUSRT", "REPOPLANE_NOTHING__X"] {
        let error = load("", &[(name, "1")], Flags::default()).expect_err(name);
        assert!(format!("{error:#}").contains("unknown field"), "{error:#}");
    }
}

#[test]
fn secrets_come_from_files_and_are_masked() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("url");
    std::fs::write(&path, "postgres://me:hunter2@db/x\n").expect("secret file");
    let path = path.to_str().expect("path").to_owned();
    let env =
        [("REPOPLANE_DATABASE_FILE", path.as_str()), ("REPOPLANE_BOOTSTRAP_TOKEN", "rlc-hunter2")];
    let config = load("", &env, Flags::default()).expect("secrets");
    assert_eq!(config.database_url(), "postgres://me:hunter2@db/x");
    let shown = format!("{:?}", config.masked());
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(load("", &[("REPOPLANE_DATABASE_FILE", "/absent")], Flags::default()).is_err());
    std::fs::write(&path, "hunter2\n").expect("secret file");
    let env = [
        ("REPOPLANE_OBJECTS", "s3://packs/x"),
        ("REPOPLANE_OBJECTS_S3__KEY", "AKIA"),
        ("REPOPLANE_OBJECTS_S3__SECRET_FILE", path.as_str()),
    ];
    let config = load("", &env, Flags::default()).expect("an object store");
    assert_eq!(config.objects_s3.secret.as_deref(), Some("hunter2"));
    let shown = format!("{:?}", config.masked());
    assert!(shown.contains("AKIA") && !shown.contains("hunter2"), "{shown}");
}
