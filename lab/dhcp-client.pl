#!/usr/bin/perl
# Asks for an address as a machine does that boots from the network, and prints what it got, a line each: NAME=VALUE.
#   dhcp-client.pl INTERFACE MAC [ARCHITECTURE [USER_CLASS]]
# ARCHITECTURE is DHCP's option 93 (0: BIOS, 7: UEFI), USER_CLASS its option 77 (iPXE). The interface needs no address, unless the answer is a proxy's
# that wants to be asked for the file at its port 4011. Exits with 2 when nobody answers.
use strict;
use warnings;
use Socket;

my ($interface, $mac, $architecture, $class) = @ARGV;
die "usage: dhcp-client.pl INTERFACE MAC [ARCHITECTURE [USER_CLASS]]\n" unless $mac;
my $hardware = pack 'C6', map { hex } split /:/, $mac;
my $transaction = int rand 2**32;
# What it is asked from, and the address it already has, if any.
my ($to, $port, $own) = (INADDR_BROADCAST, 67, INADDR_ANY);
my %type = (discover => 1, offer => 2, request => 3, ack => 5, nak => 6);

socket my $socket, PF_INET, SOCK_DGRAM, getprotobyname 'udp' or die "socket: $!\n";
setsockopt $socket, SOL_SOCKET, SO_REUSEADDR, 1 or die "SO_REUSEADDR: $!\n";
setsockopt $socket, SOL_SOCKET, SO_BROADCAST, 1 or die "SO_BROADCAST: $!\n";
setsockopt $socket, SOL_SOCKET, 25, "$interface\0" or die "SO_BINDTODEVICE $interface: $!\n";
bind $socket, pack_sockaddr_in 68, INADDR_ANY or die "bind: $!\n";

sub option { my ($code, $value) = @_; return pack 'CCa*', $code, length $value, $value }

# Broadcast answers are asked for: there is no address yet to which others could go.
sub message {
    my ($kind, @more) = @_;
    my $packet = pack 'C4Nnna4N3a16a64a128N', 1, 1, 6, 0, $transaction, 0, 0x8000, $own, 0, 0, 0, $hardware, '', '', 0x63825363;
    $packet .= option 53, chr $type{$kind};
    $packet .= option 55, pack 'C*', 1, 3, 6, 12, 15, 43, 60, 66, 67;
    if (defined $architecture) {
        $packet .= option 60, sprintf 'PXEClient:Arch:%05d:UNDI:002001', $architecture;
        $packet .= option 93, pack 'n', $architecture;
        $packet .= option 94, pack 'C3', 1, 2, 1;
        $packet .= option 97, "\0" . $hardware . "\0" x 10;
    }
    $packet .= option 77, $class if defined $class;
    return $packet . join('', @more) . "\xff";
}

sub parse {
    my ($packet) = @_;
    my ($operation, $id, $yours, $next, $address, $name, $file) = unpack 'Cx3Nx8N2x4a6x10Z64Z128', $packet;
    return if length $packet < 240 or $operation != 2 or $id != $transaction or $address ne $hardware;
    my %got = (address => inet_ntoa(pack 'N', $yours), next => inet_ntoa(pack 'N', $next), file => $file, options => {});
    my $at = 240;
    while ($at < length $packet) {
        my $code = ord substr $packet, $at++, 1;
        next if $code == 0;
        last if $code == 255;
        my $length = ord substr $packet, $at++, 1;
        $got{options}{$code} .= substr $packet, $at, $length;
        $at += $length;
    }
    return \%got;
}

# Sends a message until an answer of the wanted kind comes.
sub ask {
    my ($kind, $answers, @more) = @_;
    for my $wait (1, 2, 3) {
        defined send $socket, message($kind, @more), 0, pack_sockaddr_in $port, $to or die "send: $!\n";
        my $end = time + $wait;
        while ((my $left = $end - time) >= 0) {
            my $ready = '';
            vec($ready, fileno $socket, 1) = 1;
            last unless select $ready, undef, undef, $left || 0.1;
            recv $socket, my $packet, 1500, 0;
            my $got = parse($packet) or next;
            my $is = ord($got->{options}{53} // "\0");
            return $got if grep { $type{$_} == $is } @$answers;
        }
    }
    print STDERR "no answer to $kind\n";
    exit 2;
}

my $got = ask 'discover', ['offer'];
# A proxy says what to boot, and has no address to give.
my $kind = 'proxy';
if ($got->{address} ne '0.0.0.0') {
    my $server = $got->{options}{54} // die "the offer names no server\n";
    $got = ask 'request', ['ack', 'nak'], option(50, inet_aton $got->{address}), option(54, $server);
    $kind = ord($got->{options}{53}) == $type{ack} ? 'ack' : 'nak';
}
# A proxy that names no file has a menu (option 43): its first entry is chosen.
elsif ($got->{file} eq '') {
    ($to, $port) = ($got->{options}{54}, 4011);
    socket my $there, PF_INET, SOCK_DGRAM, getprotobyname 'udp' or die "socket: $!\n";
    connect $there, pack_sockaddr_in $port, $to or die "the interface needs an address to ask a proxy: $!\n";
    (undef, $own) = unpack_sockaddr_in getsockname $there;
    my $menu = $got->{options}{43} // '';
    my ($entry) = $menu =~ /\x09.(..)/s;
    $got = ask 'request', ['ack'], defined $entry ? option(43, option(71, "$entry\0\0") . "\xff") : ();
}
print "answer=$kind\naddress=$got->{address}\nnext=$got->{next}\n";
my $options = $got->{options};
my $file = $got->{file} ne '' ? $got->{file} : $options->{67} // '';
$file =~ s/\0.*//s;
print "file=$file\n";
my @addresses = ([netmask => 1], [router => 3], [dns => 6], [server => 54]);
for (@addresses) {
    my ($name, $code) = @$_;
    print "$name=", join(',', map { inet_ntoa $_ } unpack '(a4)*', $options->{$code}), "\n" if defined $options->{$code};
}
for ([name => 12], [domain => 15], [vendor => 60]) {
    my ($name, $code) = @$_;
    print "$name=$options->{$code}\n" if defined $options->{$code};
}
print 'vendor_options=', unpack('H*', $options->{43}), "\n" if defined $options->{43};
