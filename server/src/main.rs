use std::process::ExitCode;

/// Gives back what was freed: with the system's own, ten thousand edits take twice the memory.
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[tokio::main]
async fn main() -> ExitCode {
    repoplane::cli::run().await
}
