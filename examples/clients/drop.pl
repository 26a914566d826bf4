#!/usr/bin/env perl
# Drops a prompt into an sdspool folder, waits, and prints the paths of the pictures.
#   drop.pl SPOOL PROMPT
use strict;
use warnings;
use autodie;
use Encode qw(decode);
use JSON::PP qw(decode_json encode_json);
use Time::HiRes qw(sleep);

if (@ARGV != 2) {
    print STDERR "usage: $0 SPOOL PROMPT\n";
    exit 64;
}
my ($spool, $prompt) = @ARGV;

# A hidden name until the file is whole, then one rename.
my $name   = sprintf 'hello-%d-%08x', $$, rand 2**32;
my $hidden = "$spool/inbox/.$name.json.tmp";
open(my $job, '>:raw', $hidden);
print {$job} encode_json({ prompt => decode('UTF-8', $prompt), steps => 20, width => 512, height => 512 });
close($job);
rename($hidden, "$spool/inbox/$name.json");

# A folder of results appears in one rename too: once seen, it is complete.
my ($done, $failed) = ("$spool/done/$name", "$spool/failed/$name");
sleep 0.2 until -d $done || -d $failed;

if (-d $failed) {
    open(my $file, '<:raw', "$failed/error.json");
    my $error = decode_json(do { local $/; <$file> });
    binmode STDERR, ':encoding(UTF-8)';
    print STDERR "$error->{message}\n";
    exit 1;
}
opendir(my $folder, $done);
print "$done/$_\n" for sort grep { /\.(?:png|jpg|webp)\z/ } readdir $folder;
