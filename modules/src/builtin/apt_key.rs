//! `apt_key`: what apt-key did before Debian and Ubuntu gave it up. Refused with what to do instead.

use crate::args::Args;
use crate::context::Context;
use crate::list::Module;
use crate::outcome::{Failure, Outcome};
use crate::spec::{Arg, Preset, Spec};

/// The module.
pub struct AptKey;

impl Module for AptKey {
    const SPEC: Spec = Spec {
        mutually_exclusive: &[&["data", "file", "keyserver", "url"]],
        ..Spec::new(
            "apt_key",
            "Refused: apt-key is gone from Debian and Ubuntu; `deb822_repository` takes keys by `signed_by`.",
            &[
                Arg::str("id", "Number of the key."),
                Arg::str("url", "Where the key is."),
                Arg::str("data", "The key."),
                Arg::path("file", "File with the key."),
                Arg::path("keyring", "Keyring to put it into."),
                Arg::flag("validate_certs", true, "Check the server's certificate."),
                Arg::str("keyserver", "Server to ask for it."),
                Arg::str("state", "Whether the key shall be there.").choices(&["absent", "present"]).default(Preset::Str("present")),
            ],
        )
    };

    fn run(args: &Args, _: &mut Context<'_>) -> Result<Outcome, Failure> {
        let cure = match (args.text("state"), args.str("url")) {
            ("absent", _) => "remove the key's file of /etc/apt/keyrings or /etc/apt/trusted.gpg.d with the file module".to_owned(),
            (_, Some(url)) => format!(
                "give `signed_by: {url}` to deb822_repository, or fetch the key with get_url to /etc/apt/keyrings and name it in the line: [signed-by=...]"
            ),
            _ => "put the key into /etc/apt/keyrings with copy and name it by signed_by of deb822_repository, or in the line: [signed-by=...]".to_owned(),
        };
        Err(Failure::new(format!("apt_key is not supported, as apt-key is gone from Debian and Ubuntu; {cure}")))
    }
}
