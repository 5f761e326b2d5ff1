//! Other people's S3 clients, unchanged, in front of the gateway. A script drives each of them, and
//! says in the end what the storage repo has to hold; then every bucket is asked for every byte of it.

mod aws_cli;
mod boto;
mod counted;
mod javascript;
mod promises;
mod rclone;
mod s3cmd;
mod stage;
