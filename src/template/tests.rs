//! The tests (`is ...`): one list, one file for each family. What registers and checks this module's code is in `unit`.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::arguments::Arguments;
use super::filters::{named, short_name};
use super::{Env, Test};
use crate::value::{Fault, Value};

pub mod compare;
mod files;
mod kind;
mod pep440;
mod results;
pub mod version;

/// Every test by name.
static TESTS: &[(&str, Test)] = &[
    ("!=", compare::ne),
    ("<", compare::lt),
    ("<=", compare::le),
    ("==", compare::eq),
    (">", compare::gt),
    (">=", compare::ge),
    ("abs", files::abs),
    ("all", compare::all),
    ("any", compare::any),
    ("boolean", kind::boolean),
    ("callable", kind::callable),
    ("change", results::changed),
    ("changed", results::changed),
    ("contains", compare::contains),
    ("defined", kind::defined),
    ("directory", files::directory),
    ("divisibleby", compare::divisibleby),
    ("eq", compare::eq),
    ("equalto", compare::eq),
    ("escaped", kind::escaped),
    ("even", compare::even),
    ("exists", files::exists),
    ("failed", results::failed),
    ("failure", results::failed),
    ("false", kind::is_false),
    ("falsy", kind::falsy),
    ("file", files::file),
    ("filter", kind::filter),
    ("finished", results::finished),
    ("float", kind::float),
    ("ge", compare::ge),
    ("greaterthan", compare::gt),
    ("gt", compare::gt),
    ("in", compare::within),
    ("integer", kind::integer),
    ("ip", kind::ip),
    ("ip_address", kind::ip),
    ("ipv4", kind::ipv4),
    ("ipv4_address", kind::ipv4),
    ("ipv6", kind::ipv6),
    ("ipv6_address", kind::ipv6),
    ("is_abs", files::abs),
    ("is_dir", files::directory),
    ("is_file", files::file),
    ("is_link", files::link),
    ("is_mount", files::mount),
    ("is_same_file", files::same_file),
    ("isnan", kind::nan),
    ("issubset", compare::subset),
    ("issuperset", compare::superset),
    ("iterable", kind::iterable),
    ("le", compare::le),
    ("lessthan", compare::lt),
    ("link", files::link),
    ("link_exists", files::link_exists),
    ("lower", kind::lower),
    ("lt", compare::lt),
    ("mapping", kind::mapping),
    ("match", compare::matches),
    ("mount", files::mount),
    ("nan", kind::nan),
    ("ne", compare::ne),
    ("none", kind::none),
    ("number", kind::number),
    ("odd", compare::odd),
    ("ok", results::succeeded),
    ("reachable", results::reachable),
    ("regex", compare::regex),
    ("same_file", files::same_file),
    ("sameas", compare::sameas),
    ("search", compare::search),
    ("sequence", kind::sequence),
    ("skip", results::skipped),
    ("skipped", results::skipped),
    ("started", results::started),
    ("string", kind::string),
    ("subset", compare::subset),
    ("succeeded", results::succeeded),
    ("success", results::succeeded),
    ("successful", results::succeeded),
    ("superset", compare::superset),
    ("test", kind::test),
    ("timedout", results::timedout),
    ("true", kind::is_true),
    ("truthy", kind::truthy),
    ("undefined", kind::undefined),
    ("unreachable", results::unreachable),
    ("upper", kind::upper),
    ("uri", files::uri),
    ("url", files::url),
    ("urn", files::urn),
    ("vault_encrypted", files::vault_encrypted),
    ("vaulted_file", files::vaulted_file),
    ("version", version::version),
    ("version_compare", version::version),
];

static BY_NAME: LazyLock<HashMap<&str, Test>> = LazyLock::new(|| TESTS.iter().copied().collect());

/// The test of that name, with or without its collection.
pub fn find(name: &str) -> Option<Test> {
    BY_NAME.get(short_name(name)).copied()
}

/// All names, for "did you mean".
pub fn all_names() -> impl Iterator<Item = &'static str> {
    TESTS.iter().map(|(name, _)| *name)
}

/// Applies the test of that name; what goes wrong names it as Ansible does.
///
/// # Errors
/// There is none of that name, or it failed.
pub fn apply(name: &str, input: Value, args: Arguments, env: &dyn Env) -> Result<bool, Fault> {
    let test = find(name).ok_or_else(|| Fault::error(format!("No test named '{name}'.")))?;
    test(input, args, env).map_err(|fault| named("test", name, fault))
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn each_name_is_listed_once() {
        assert_eq!(BY_NAME.len(), TESTS.len());
        assert!(find("ansible.builtin.version").is_some());
    }
}
