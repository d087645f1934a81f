//! `iptables`: rules, policies and chains of the packet filter.

use serde_json::{Map, Value, json};

use crate::args::Args;
use crate::change::Change;
use crate::coerce;
use crate::context::Context;
use crate::list::Module;
use crate::outcome::{Failure, Outcome};
use crate::program::{Program, Run};
use crate::spec::{Arg, Kind, Preset, RequiredIf, Spec};

/// The module.
pub struct Iptables;

const LEVELS: &[&str] = &["0", "1", "2", "3", "4", "5", "6", "7", "emerg", "alert", "crit", "error", "warning", "notice", "info", "debug"];

impl Module for Iptables {
    const SPEC: Spec = Spec {
        mutually_exclusive: &[&["set_dscp_mark", "set_dscp_mark_class"], &["flush", "policy"]],
        required_by: &[("set_dscp_mark", &["jump"]), ("set_dscp_mark_class", &["jump"])],
        required_if: &[
            RequiredIf { argument: "jump", value: "TEE", needs: &["gateway"], any: false },
            RequiredIf { argument: "jump", value: "tee", needs: &["gateway"], any: false },
            RequiredIf { argument: "flush", value: "false", needs: &["chain"], any: false },
        ],
        ..Spec::new(
            "iptables",
            "Manages rules of iptables; they last until the machine starts anew.",
            &[
                Arg::str("table", "The table.").choices(&["filter", "nat", "mangle", "raw", "security"]).default(Preset::Str("filter")),
                Arg::str("state", "Whether the rule shall be there.").choices(&["absent", "present"]).default(Preset::Str("present")),
                Arg::str("action", "Where a new rule goes: to the end or to the top.").choices(&["append", "insert"]).default(Preset::Str("append")),
                Arg::str("ip_version", "Which protocol's rules.").choices(&["ipv4", "ipv6", "both"]).default(Preset::Str("ipv4")),
                Arg::str("chain", "The chain."),
                Arg::str("rule_num", "The place of a rule that is inserted."),
                Arg::str("protocol", "Protocol of the packets."),
                Arg::str("wait", "Seconds to wait for another program's lock."),
                Arg::str("source", "Source address, maybe with a mask; `!` in front means all others, here and below."),
                Arg::str("to_source", "New source address, for SNAT."),
                Arg::str("destination", "Destination address."),
                Arg::str("to_destination", "New destination address, for DNAT."),
                Arg::list("match", Kind::Str, "Extensions to match with.").default(Preset::List(&[])),
                Arg {
                    options: &[Arg::list("flags", Kind::Str, "The flags looked at."), Arg::list("flags_set", Kind::Str, "Those of them that must be set.")],
                    ..Arg::dict("tcp_flags", "Flags of TCP.")
                },
                Arg::str("jump", "What becomes of a packet."),
                Arg::str("gateway", "Where copies go, for TEE."),
                Arg::str("log_prefix", "What the log's lines begin with."),
                Arg::str("log_level", "The log's level.").choices(LEVELS),
                Arg::str("goto", "The chain to go on in, without a return."),
                Arg::str("in_interface", "Interface that packets come in by."),
                Arg::str("out_interface", "Interface that packets go out by."),
                Arg::str("fragment", "Only further fragments."),
                Arg::str("set_counters", "Values of the counters."),
                Arg::str("source_port", "Source port or range."),
                Arg::str("destination_port", "Destination port or range."),
                Arg::list("destination_ports", Kind::Str, "Destination ports and ranges.").default(Preset::List(&[])),
                Arg::str("to_ports", "New destination ports, for REDIRECT."),
                Arg::str("set_dscp_mark", "DSCP mark to set."),
                Arg::str("set_dscp_mark_class", "DiffServ class to set."),
                Arg::str("comment", "A comment."),
                Arg::list("ctstate", Kind::Str, "States of the connection.").default(Preset::List(&[])),
                Arg::str("src_range", "Range of source addresses."),
                Arg::str("dst_range", "Range of destination addresses."),
                Arg::str("match_set", "Set of addresses (ipset)."),
                Arg::str("match_set_flags", "Which addresses are looked up there.").choices(&["src", "dst", "src,dst", "dst,src", "src,src", "dst,dst"]),
                Arg::str("limit", "Most matches per time."),
                Arg::str("limit_burst", "Matches before the limit holds."),
                Arg::str("uid_owner", "User that packets come from."),
                Arg::str("gid_owner", "Group that packets come from."),
                Arg::str("reject_with", "The answer of a refusal; means REJECT."),
                Arg::str("icmp_type", "Type of ICMP."),
                Arg::str("syn", "Match packets that open a TCP connection, or the others.")
                    .choices(&["ignore", "match", "negate"])
                    .default(Preset::Str("ignore")),
                Arg::flag("flush", false, "Remove all rules of the chain, or of the table."),
                Arg::str("policy", "The chain's policy.").choices(&["ACCEPT", "DROP", "QUEUE", "RETURN"]),
                Arg::flag("chain_management", false, "Make and remove the chain where no rule is given."),
                Arg::flag("numeric", false, "Do not look up names when listing."),
            ],
        )
    };

    fn run(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        let rule = rule(args);
        let mut fields = Map::new();
        for name in ["ip_version", "table", "chain", "flush", "state", "chain_management", "wait"] {
            fields.insert(name.into(), args.get(name).cloned().unwrap_or(Value::Null));
        }
        fields.insert("rule".into(), json!(rule.join(" ")));
        let mut own = args.clone();
        if args.has("log_prefix") || args.has("log_level") {
            match args.str("jump") {
                None => drop(own.0.insert("jump".into(), json!("LOG"))),
                Some("LOG") => {}
                Some(_) => return Err("Logging options can only be used with the LOG jump target.".into()),
            }
        }
        let names: &[&str] = match args.text("ip_version") {
            "both" => &["iptables", "ip6tables"],
            "ipv6" => &["ip6tables"],
            _ => &["iptables"],
        };
        let mut changed = false;
        for name in names {
            let filter = Filter { program: Program::new([cx.require_program(name)?]), args: &own, name };
            changed |= filter.ensure(cx, rule.is_empty())?;
        }
        Ok(Outcome::new(changed).merge(fields))
    }
}

/// iptables or ip6tables, with what is asked of it.
struct Filter<'f> {
    program: Program,
    args: &'f Args,
    name: &'f str,
}

impl Filter<'_> {
    fn ensure(&self, cx: &mut Context<'_>, no_rule: bool) -> Result<bool, Failure> {
        let present = self.args.text("state") == "present";
        if self.args.flag("flush") {
            self.perform(cx, "-F", false, None)?;
            return Ok(true);
        }
        if let Some(policy) = self.args.str("policy") {
            let now = self.policy(cx)?;
            if now != policy {
                self.perform(cx, "-P", false, Some(policy))?;
            }
            return Ok(now != policy);
        }
        if no_rule {
            let there = self.ask(cx, "-L", false)?.ok();
            if there != present && self.args.flag("chain_management") {
                self.perform(cx, if present { "-N" } else { "-X" }, false, None)?;
            } else if there != present {
                cx.perform(self.change("nothing", None), &[])?;
            }
            return Ok(there != present);
        }
        let there = self.is_there(cx)?;
        if there != present {
            let action = match (present, self.args.text("action")) {
                (false, _) => "-D",
                (true, "insert") => "-I",
                (true, _) => "-A",
            };
            self.perform(cx, action, true, None)?;
        }
        Ok(there != present)
    }

    fn is_there(&self, cx: &Context<'_>) -> Result<bool, Failure> {
        match cx.predicted_setting(&self.setting("-C")) {
            Some(value) => Ok(value.is_some()),
            None => Ok(self.ask(cx, "-C", true)?.ok()),
        }
    }

    fn command(&self, action: &str, with_rule: bool) -> Program {
        let mut program = self.program.clone().args(["-t", self.args.text("table"), action]).args(self.args.str("chain"));
        if action == "-I" {
            program = program.args(self.args.str("rule_num"));
        }
        if let Some(wait) = self.args.str("wait") {
            program = program.args(["-w", wait]);
        }
        if with_rule { program.args(rule(self.args)) } else { program }
    }

    fn ask(&self, cx: &Context<'_>, action: &str, with_rule: bool) -> Result<Run, Failure> {
        let numeric = (action == "-L" && self.args.flag("numeric")).then_some("--numeric");
        cx.probe(&self.command(action, with_rule).args(numeric))
    }

    fn policy(&self, cx: &Context<'_>) -> Result<String, Failure> {
        if let Some(Some(policy)) = cx.predicted_setting(&self.setting("-P")) {
            return Ok(policy);
        }
        let run = self.ask(cx, "-L", false)?;
        if !run.ok() {
            return Err(failed(&run, &self.command("-L", false)));
        }
        let out = run.out();
        let found = out.lines().next().and_then(|line| line.split_once("(policy ")).map(|(_, rest)| rest.split([' ', ')']).next().unwrap_or_default());
        found.map(str::to_owned).ok_or_else(|| "Can't detect current policy".into())
    }

    /// The name under which check mode remembers a rule or a policy.
    fn setting(&self, action: &str) -> String {
        let rule = if action == "-C" { rule(self.args).join(" ") } else { String::new() };
        format!("{} {} {} {action} {rule}", self.name, self.args.text("table"), self.args.text("chain"))
    }

    fn change(&self, action: &str, value: Option<&str>) -> Change {
        match action {
            "-A" | "-I" => Change::Setting { name: self.setting("-C"), value: Some(String::new()) },
            "-D" => Change::Setting { name: self.setting("-C"), value: None },
            other => Change::Setting { name: self.setting(other), value: value.map(str::to_owned) },
        }
    }

    fn perform(&self, cx: &mut Context<'_>, action: &str, with_rule: bool, last: Option<&str>) -> Result<(), Failure> {
        let program = self.command(action, with_rule).args(last);
        match cx.perform(self.change(action, last), std::slice::from_ref(&program))?.iter().find(|run| !run.ok()) {
            Some(run) => Err(failed(run, &program)),
            None => Ok(()),
        }
    }
}

fn failed(run: &Run, program: &Program) -> Failure {
    let failure = Failure::new(run.err().trim_end()).with("rc", run.rc).with("stdout", run.out()).with("stderr", run.err());
    failure.with("cmd", program.shown())
}

/// The rule's words.
fn rule(args: &Args) -> Vec<String> {
    let mut rule = Rule { args, words: vec![] };
    let jump = args.text("jump").to_lowercase();
    rule.options(&[("protocol", "-p"), ("source", "-s"), ("destination", "-d")]);
    args.texts("match").iter().for_each(|name| rule.option("-m", Some(name)));
    rule.tcp_flags();
    rule.options(&[("jump", "-j")]);
    if jump == "tee" {
        rule.options(&[("gateway", "--gateway")]);
    }
    rule.options(&[("log_prefix", "--log-prefix"), ("log_level", "--log-level"), ("to_destination", "--to-destination")]);
    rule.list("destination_ports", Some("multiport"), "--dports");
    rule.options(&[("to_source", "--to-source"), ("goto", "-g"), ("in_interface", "-i"), ("out_interface", "-o"), ("fragment", "-f")]);
    rule.options(&[("set_counters", "-c"), ("source_port", "--source-port"), ("destination_port", "--destination-port"), ("to_ports", "--to-ports")]);
    for (name, flag) in [("set_dscp_mark", "--set-dscp"), ("set_dscp_mark_class", "--set-dscp-class")] {
        rule.options(&[(name, flag)]);
        if args.has(name) && jump != "dscp" {
            rule.words.extend(["-j".into(), "DSCP".into()]);
        }
    }
    rule.negatable_flag(args.text("syn"), "--syn");
    rule.matches();
    for (name, flag) in [("uid_owner", "--uid-owner"), ("gid_owner", "--gid-owner")] {
        rule.with_match(name, "owner");
        rule.options(&[(name, flag)]);
    }
    if !args.has("jump") && args.has("reject_with") {
        rule.words.extend(["-j".into(), "REJECT".into()]);
    }
    let icmp = match args.text("ip_version") {
        "ipv6" => "--icmpv6-type",
        "both" => "--icmp-type --icmpv6-type",
        _ => "--icmp-type",
    };
    rule.options(&[("reject_with", "--reject-with"), ("icmp_type", icmp)]);
    rule.with_match("comment", "comment");
    rule.options(&[("comment", "--comment")]);
    rule.words
}

struct Rule<'r> {
    args: &'r Args,
    words: Vec<String>,
}

impl Rule<'_> {
    /// A flag with its value; `!` in front of the value goes before the flag.
    fn option(&mut self, flag: &str, value: Option<&str>) {
        let Some(value) = value else { return };
        match value.strip_prefix('!') {
            Some(value) => self.words.extend(["!".into(), flag.into(), value.into()]),
            None => self.words.extend([flag.into(), value.into()]),
        }
    }

    fn options(&mut self, rows: &[(&str, &str)]) {
        for (name, flag) in rows {
            self.option(flag, self.args.str(name));
        }
    }

    fn with_match(&mut self, name: &str, extension: &str) {
        if self.args.has(name) {
            self.words.extend(["-m".into(), extension.into()]);
        }
    }

    fn list(&mut self, name: &str, extension: Option<&str>, flag: &str) {
        let values = self.args.texts(name);
        if values.is_empty() {
            return;
        }
        self.words.extend(extension.into_iter().flat_map(|extension| ["-m".to_owned(), extension.to_owned()]));
        self.words.extend([flag.to_owned(), values.join(",")]);
    }

    fn negatable_flag(&mut self, how: &str, flag: &str) {
        match how {
            "match" => self.words.push(flag.into()),
            "negate" => self.words.extend(["!".into(), flag.into()]),
            _ => {}
        }
    }

    fn tcp_flags(&mut self) {
        let joined = |name: &str| {
            let list = self.args.dict("tcp_flags")?.get(name)?.as_array()?;
            Some(list.iter().map(coerce::text).collect::<Vec<_>>().join(","))
        };
        if let (Some(flags), Some(set)) = (joined("flags"), joined("flags_set")) {
            self.words.extend(["--tcp-flags".into(), flags, set]);
        }
    }

    /// States, ranges, sets and limits, each with its extension unless `match` names that already.
    fn matches(&mut self) {
        let named = self.args.texts("match");
        let has = |name: &str| named.iter().any(|have| have == name);
        match (has("conntrack"), has("state")) {
            (true, _) => self.list("ctstate", None, "--ctstate"),
            (_, true) => self.list("ctstate", None, "--state"),
            _ => self.list("ctstate", Some("conntrack"), "--ctstate"),
        }
        if (self.args.has("src_range") || self.args.has("dst_range")) && !has("iprange") {
            self.words.extend(["-m".into(), "iprange".into()]);
        }
        self.options(&[("src_range", "--src-range"), ("dst_range", "--dst-range")]);
        if self.args.has("match_set") && !has("set") {
            self.words.extend(["-m".into(), "set".into()]);
        }
        self.options(&[("match_set", "--match-set")]);
        if self.args.has("match_set") {
            self.words.extend(self.args.str("match_set_flags").map(str::to_owned));
        }
        if self.args.has("limit") || self.args.has("limit_burst") {
            self.words.extend(["-m".into(), "limit".into()]);
        }
        self.options(&[("limit", "--limit"), ("limit_burst", "--limit-burst")]);
    }
}
