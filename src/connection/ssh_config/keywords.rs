//! The keywords of ssh_config: those that exist, so that a typo is an error as it is for `ssh`.

use super::matching::glob;

/// OpenSSH's keywords in lower case, sorted; those of Debian's patches and those that became meaningless are among them.
const KNOWN: [&str; 133] = [
    "addkeystoagent", "addressfamily", "afstokenpassing", "batchmode", "bindaddress", "bindinterface", "canonicaldomains",
    "canonicalizefallbacklocal", "canonicalizehostname", "canonicalizemaxdots", "canonicalizepermittedcnames", "casignaturealgorithms",
    "certificatefile", "challengeresponseauthentication", "channeltimeout", "checkhostip", "cipher", "ciphers", "clearallforwardings", "compression",
    "compressionlevel", "connectionattempts", "connecttimeout", "controlmaster", "controlpath", "controlpersist", "dsaauthentication",
    "dynamicforward", "enableescapecommandline", "enablesshkeysign", "escapechar", "exitonforwardfailure", "fallbacktorsh", "fingerprinthash",
    "forkafterauthentication", "forwardagent", "forwardx11", "forwardx11timeout", "forwardx11trusted", "gatewayports", "globalknownhostsfile",
    "globalknownhostsfile2", "gssapiauthentication", "gssapiclientidentity", "gssapidelegatecredentials", "gssapikexalgorithms", "gssapikeyexchange",
    "gssapirenewalforcesrekey", "gssapiserveridentity", "gssapitrustdns", "hashknownhosts", "host", "hostbasedacceptedalgorithms",
    "hostbasedauthentication", "hostbasedkeytypes", "hostkeyalgorithms", "hostkeyalias", "hostname", "identitiesonly", "identityagent",
    "identityfile", "identityfile2", "ignoreunknown", "include", "ipqos", "kbdinteractiveauthentication", "kbdinteractivedevices", "keepalive",
    "kerberosauthentication", "kexalgorithms", "knownhostscommand", "localcommand", "localforward", "loglevel", "logverbose", "macs", "match",
    "nohostauthenticationforlocalhost", "numberofpasswordprompts", "obscurekeystroketiming", "passwordauthentication", "permitlocalcommand",
    "permitremoteopen", "pkcs11provider", "port", "preferredauthentications", "protocol", "proxycommand", "proxyjump", "proxyusefdpass",
    "pubkeyacceptedalgorithms", "pubkeyacceptedkeytypes", "pubkeyauthentication", "refuseconnection", "rekeylimit", "remotecommand", "remoteforward",
    "requesttty", "requiredrsasize", "revokedhostkeys", "rhostsrsaauthentication", "rsaauthentication", "securitykeyprovider", "sendenv",
    "serveralivecountmax", "serveraliveinterval", "sessiontype", "setenv", "skeyauthentication", "smartcarddevice", "stdinnull",
    "streamlocalbindmask", "streamlocalbindunlink", "stricthostkeychecking", "syslogfacility", "tag", "tcpkeepalive", "tisauthentication", "tunnel",
    "tunneldevice", "updatehostkeys", "usekeychain", "useprivilegedport", "user", "userknownhostsfile", "userknownhostsfile2", "useroaming",
    "usersh", "verifyhostkeydns", "versionaddendum", "visualhostkey", "warnweakcrypto", "xauthlocation",
];

/// True for a keyword that exists, or that `IgnoreUnknown` names.
pub(super) fn known(keyword: &str, ignore_unknown: Option<&str>) -> bool {
    KNOWN.contains(&keyword) || ignore_unknown.is_some_and(|patterns| patterns.split(',').any(|pattern| glob(pattern.trim(), keyword)))
}

#[cfg(test)]
mod tests {
    use super::known;

    #[test]
    fn a_typo_is_not_known() {
        assert!(known("stricthostkeychecking", None));
        assert!(!known("stricthostkeycheking", None));
        assert!(known("usekeychainx", Some("foo,usekey*")));
    }
}
