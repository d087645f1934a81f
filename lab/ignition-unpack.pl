#!/usr/bin/perl
# Writes the files, links and units of an Ignition file below a folder, as Ignition does below a machine's root; what has no data URL is passed over.
#   ignition-unpack.pl FILE FOLDER
use strict;
use warnings;
use File::Basename 'dirname';
use File::Path 'make_path';
use JSON::PP;
use MIME::Base64;

my ($from, $folder) = @ARGV;
die "usage: ignition-unpack.pl FILE FOLDER\n" unless $folder;

sub content {
    my ($source) = @_;
    my ($base64, $data) = $source =~ /^data:[^,;]*(;base64)?,(.*)$/s or return;
    return decode_base64 $data if $base64;
    $data =~ s/%([0-9a-fA-F]{2})/chr hex $1/ge;
    return $data;
}

sub put {
    my ($path, $content, $mode) = @_;
    my $to = $folder . $path;
    make_path dirname $to;
    open my $file, '>', $to or die "$to: $!\n";
    print $file $content;
    close $file or die "$to: $!\n";
    chmod $mode, $to or die "$to: $!\n";
}

open my $input, '<', $from or die "$from: $!\n";
my $config = decode_json do { local $/; <$input> };
for my $file (@{ $config->{storage}{files} // [] }) {
    my $content = content($file->{contents}{source} // 'data:,');
    put($file->{path}, $content, $file->{mode} // 0644) if defined $content;
}
for my $link (@{ $config->{storage}{links} // [] }) {
    make_path dirname $folder . $link->{path};
    symlink $link->{target}, $folder . $link->{path} or die "$folder$link->{path}: $!\n";
}
for my $unit (@{ $config->{systemd}{units} // [] }) {
    my $path = "/etc/systemd/system/$unit->{name}";
    my ($wanted) = ($unit->{contents} // '') =~ /^WantedBy=(\S+)$/m;
    put($path, do { my $text = $unit->{contents}; utf8::encode($text); $text }, 0644) if defined $unit->{contents};
    put("$path.d/$_->{name}", $_->{contents}, 0644) for @{ $unit->{dropins} // [] };
    if ($unit->{enabled} and $wanted) {
        make_path "$folder/etc/systemd/system/$wanted.wants";
        symlink $path, "$folder/etc/systemd/system/$wanted.wants/$unit->{name}" or die "$unit->{name}: $!\n";
    }
}
