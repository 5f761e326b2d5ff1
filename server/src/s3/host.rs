//! Where the name of a bucket is: in the path, or in front of the gateway's domain.

use s3s::S3Result;
use s3s::host::{S3Host, VirtualHost};
use s3s::validation::NameValidation;

/// Which names there are is for the catalog to say.
pub struct AnyName;

impl NameValidation for AnyName {
    fn validate_bucket_name(&self, name: &str) -> bool {
        !name.is_empty()
    }
}

#[derive(Clone, Debug)]
pub struct Domain(String);

impl Domain {
    pub fn new(domain: String) -> Self {
        Self(domain.trim_matches('.').to_ascii_lowercase())
    }

    /// The bucket that a host names.
    pub fn bucket<'a>(&self, host: &'a str) -> Option<&'a str> {
        let host = match host.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => host,
        };
        let split = host.len().checked_sub(self.0.len())?;
        let (front, domain) = (host.get(..split)?, host.get(split..)?);
        let bucket = front.strip_suffix('.')?;
        (!bucket.is_empty() && domain.eq_ignore_ascii_case(&self.0)).then_some(bucket)
    }
}

impl S3Host for Domain {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        let plain = VirtualHost::new(self.0.as_str());
        Ok(match self.bucket(host) {
            Some(bucket) => plain.with_bucket(bucket),
            None => plain,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_stands_in_front_of_the_domain() {
        let domain = Domain::new("S3.example.org".to_owned());
        for (host, bucket) in [
            ("b.s3.example.org", Some("b")),
            ("b.c.S3.EXAMPLE.org:9000", Some("b.c")),
            ("s3.example.org", None),
            (".s3.example.org", None),
            ("bs3.example.org", None),
            ("example.org", None),
            ("[::1]:9000", None),
            ("ü.example.org", None),
        ] {
            assert_eq!(domain.bucket(host), bucket, "{host}");
        }
    }
}
