#!/usr/bin/perl
# backends.pl FILE: name and address of each service, once
use strict;
use warnings;

my %address;
while (<>) {
    my ($name, $ip) = split;
    $address{$name} = $ip if $ip;
}
print "$_ $address{$_}\n" for keys %address;
