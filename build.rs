//! Turns the contract into the client's code, and does nothing else.

use std::{env, error::Error, fs, path::Path};

use progenitor_impl::{GenerationSettings, Generator, HooksMode, InterfaceStyle, TagStyle};

const CONTRACT: &str = "openapi/openapi.yaml";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={CONTRACT}");

    let contract: openapiv3::OpenAPI = yaml_serde::from_str(&fs::read_to_string(CONTRACT)?)?;
    let mut settings = GenerationSettings::new();
    settings
        // Builders, so that a new optional parameter breaks no caller.
        .with_interface(InterfaceStyle::Builder)
        .with_tag(TagStyle::Merged)
        .with_map_type("::std::collections::BTreeMap")
        .with_inner_type("crate::Auth".parse()?)
        .with_hooks(HooksMode::Expected);
    let tokens = Generator::new(&settings).generate_tokens(&contract)?;
    let code = prettyplease::unparse(&syn::parse2(tokens)?);

    fs::write(Path::new(&env::var("OUT_DIR")?).join("codegen.rs"), code)?;
    Ok(())
}
