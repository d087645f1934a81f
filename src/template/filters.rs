//! The filters: one list, one file for each family.
//!
//! A filter gets its input and arguments bound as Python would bind them ([`crate::template::arguments`]) and fails with Python's or Ansible's
//! words. [`apply`] finds, runs and names the filter in what goes wrong, as Ansible does.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::arguments::Arguments;
use super::{Env, Filter};
use crate::value::{Fault, FaultKind, Value};

mod date;
mod each;
pub mod encode;
mod general;
mod jmespath;
pub mod json;
mod mapping;
mod markup;
pub mod net;
mod number;
pub mod ordering;
pub mod password;
pub mod path;
mod pretty;
mod product;
pub mod random;
pub mod regex;
pub mod sequence;
mod sets;
mod text;
mod vaulted;
mod versions;
mod yaml;

/// Every filter by name.
static FILTERS: &[(&str, Filter)] = &[
    ("abs", number::abs),
    ("attr", general::attr),
    ("b64decode", encode::b64decode),
    ("b64encode", encode::b64encode),
    ("basename", path::basename),
    ("batch", sequence::batch),
    ("bool", general::bool),
    ("capitalize", text::capitalize),
    ("center", text::center),
    ("checksum", encode::sha1),
    ("cidr_merge", net::subnet::cidr_merge),
    ("combinations", product::combinations),
    ("combine", mapping::combine),
    ("comment", text::comment),
    ("commonpath", path::commonpath),
    ("count", sequence::length),
    ("d", general::default),
    ("default", general::default),
    ("dict", mapping::dict),
    ("dict2items", mapping::dict2items),
    ("dictsort", ordering::dictsort),
    ("difference", sets::difference),
    ("dirname", path::dirname),
    ("e", markup::escape),
    ("escape", markup::escape),
    ("expanduser", path::expanduser),
    ("expandvars", path::expandvars),
    ("extract", mapping::extract),
    ("fileglob", path::fileglob),
    ("filesizeformat", number::filesizeformat),
    ("first", sequence::first),
    ("flatten", sequence::flatten),
    ("float", number::float),
    ("forceescape", markup::escape),
    ("format", text::format),
    ("from_json", json::from_json),
    ("from_yaml", yaml::from_yaml),
    ("from_yaml_all", yaml::from_yaml_all),
    ("groupby", each::groupby),
    ("hash", encode::hash),
    ("human_readable", number::human_readable),
    ("human_to_bytes", number::human_to_bytes),
    ("hwaddr", net::hardware::hwaddr),
    ("indent", text::indent),
    ("int", number::int),
    ("intersect", sets::intersect),
    ("ip4_hex", net::subnet::ip4_hex),
    ("ipaddr", net::ipaddr::ipaddr),
    ("ipcut", net::subnet::ipcut),
    ("ipmath", net::subnet::ipmath),
    ("ipsubnet", net::subnet::ipsubnet),
    ("ipv4", net::ipaddr::ipv4),
    ("ipv6", net::ipaddr::ipv6),
    ("ipv6form", net::subnet::ipv6form),
    ("ipwrap", net::ipaddr::ipwrap),
    ("items", mapping::items),
    ("items2dict", mapping::items2dict),
    ("join", sequence::join),
    ("joinpath", path::path_join),
    ("json_query", jmespath::json_query),
    ("keep_keys", mapping::keep_keys),
    ("last", sequence::last),
    ("length", sequence::length),
    ("list", sequence::list),
    ("log", number::log),
    ("lower", text::lower),
    ("macaddr", net::hardware::macaddr),
    ("mandatory", general::mandatory),
    ("map", each::map),
    ("max", ordering::max),
    ("md5", encode::md5),
    ("min", ordering::min),
    ("network_in_network", net::subnet::network_in_network),
    ("network_in_usable", net::subnet::network_in_usable),
    ("next_nth_usable", net::subnet::next_nth_usable),
    ("normpath", path::normpath),
    ("nthhost", net::subnet::nthhost),
    ("password_hash", password::password_hash),
    ("path_join", path::path_join),
    ("permutations", product::permutations),
    ("pow", number::pow),
    ("pprint", pretty::pprint),
    ("previous_nth_usable", net::subnet::previous_nth_usable),
    ("product", product::product),
    ("quote", encode::quote),
    ("random", random::random),
    ("realpath", path::realpath),
    ("reduce_on_network", net::subnet::reduce_on_network),
    ("regex_escape", regex::regex_escape),
    ("regex_findall", regex::regex_findall),
    ("regex_replace", regex::regex_replace),
    ("regex_search", regex::regex_search),
    ("reject", each::reject),
    ("rejectattr", each::rejectattr),
    ("rekey_on_member", mapping::rekey_on_member),
    ("relpath", path::relpath),
    ("remove_keys", mapping::remove_keys),
    ("replace", text::replace),
    ("reverse", sequence::reverse),
    ("root", number::root),
    ("round", number::round),
    ("safe", general::safe),
    ("select", each::select),
    ("selectattr", each::selectattr),
    ("sha1", encode::sha1),
    ("shuffle", random::shuffle),
    ("slaac", net::hardware::slaac),
    ("slice", sequence::slice),
    ("sort", ordering::sort),
    ("split", text::split),
    ("splitext", path::splitext),
    ("strftime", date::strftime),
    ("string", text::string),
    ("striptags", markup::striptags),
    ("subelements", mapping::subelements),
    ("sum", sequence::sum),
    ("symmetric_difference", sets::symmetric_difference),
    ("ternary", general::ternary),
    ("title", text::title),
    ("to_datetime", date::to_datetime),
    ("to_json", json::to_json),
    ("to_nice_json", json::to_nice_json),
    ("to_nice_yaml", yaml::to_nice_yaml),
    ("to_uuid", encode::to_uuid),
    ("to_yaml", yaml::to_yaml),
    ("tojson", json::tojson),
    ("trim", text::trim),
    ("truncate", text::truncate),
    ("type_debug", general::type_debug),
    ("undef", general::undef),
    ("unicode", general::unicode),
    ("union", sets::union),
    ("unique", ordering::unique),
    ("unvault", vaulted::unvault),
    ("upper", text::upper),
    ("urldecode", encode::urldecode),
    ("urlencode", text::urlencode),
    ("urlize", markup::urlize),
    ("urlsplit", encode::urlsplit),
    ("vault", vaulted::vault),
    ("version_sort", versions::version_sort),
    ("win_basename", path::win_basename),
    ("win_dirname", path::win_dirname),
    ("win_splitdrive", path::win_splitdrive),
    ("wordcount", text::wordcount),
    ("wordwrap", markup::wordwrap),
    ("xmlattr", markup::xmlattr),
    ("zip", product::zip),
    ("zip_longest", product::zip_longest),
];

static BY_NAME: LazyLock<HashMap<&str, Filter>> = LazyLock::new(|| FILTERS.iter().copied().collect());

/// The collections whose filters, tests and lookups are built in.
const COLLECTIONS: [&str; 8] = [
    "ansible.builtin.",
    "ansible.legacy.",
    "ansible.posix.",
    "ansible.utils.",
    "ansible.netcommon.",
    "community.general.",
    "community.crypto.",
    "community.utils.",
];

/// A name without its collection, when that is one whose plugins are built in.
pub fn short_name(name: &str) -> &str {
    COLLECTIONS.iter().find_map(|collection| name.strip_prefix(collection)).unwrap_or(name)
}

/// The filter of that name, with or without its collection.
pub fn find(name: &str) -> Option<Filter> {
    BY_NAME.get(short_name(name)).copied()
}

/// All names, for "did you mean".
pub fn all_names() -> impl Iterator<Item = &'static str> {
    FILTERS.iter().map(|(name, _)| *name)
}

/// Applies the filter of that name; what goes wrong names it as Ansible does.
///
/// # Errors
/// There is none of that name, or it failed.
pub fn apply(name: &str, input: Value, args: Arguments, env: &dyn Env) -> Result<Value, Fault> {
    let filter = find(name).ok_or_else(|| Fault::error(format!("No filter named '{name}'.")))?;
    filter(input, args, env).map_err(|fault| named("filter", name, fault))
}

/// Whether a filter may be given arguments that are undefined: `ternary` uses one of its two.
pub fn takes_undefined(name: &str) -> bool {
    short_name(name) == "ternary"
}

/// Puts the plugin's name before a failure of its own; undefined and unknown pass as they are.
pub fn named(kind: &str, name: &str, fault: Fault) -> Fault {
    if fault.kind != FaultKind::Error || fault.message.contains(" plugin '") || fault.span.is_some() || !fault.trail.is_empty() {
        return fault;
    }
    let home = if name == "json_query" { "community.general" } else { "ansible.builtin" };
    let full = if name.contains('.') || kind == "lookup" { name.to_string() } else { format!("{home}.{name}") };
    Fault { message: format!("The {kind} plugin '{full}' failed: {}", fault.message), ..fault }
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn each_name_is_listed_once_and_found_with_its_collection() {
        assert_eq!(BY_NAME.len(), FILTERS.len());
        assert!(find("ansible.builtin.combine").is_some() && find("community.general.dict").is_some());
        assert!(find("nothing").is_none());
    }

    #[test]
    fn a_failure_names_the_filter() {
        let fault = named("filter", "join", Fault::error("x"));
        assert_eq!(fault.message, "The filter plugin 'ansible.builtin.join' failed: x");
        assert!(named("filter", "join", Fault::undefined("y")).message == "y");
    }
}
