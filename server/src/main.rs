use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    repoplane::cli::run().await
}
