# The service is there on a hot standby, and promotion does nothing to it.

use strict;
use warnings;

use DeviceService;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $primary = preload('primary', driver());
need_device($primary);
ok(wait_ready($primary, 60), 'the primary has a device');

$primary->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'copy', has_streaming => 1);
$standby->start;
$primary->wait_for_catchup($standby);
is($standby->safe_psql('postgres', 'SELECT pg_is_in_recovery()'), 't', 'a hot standby');
ok(wait_ready($standby, 60), '... has a device');
my $child = child_pid($standby);
my $supervisor = supervisor_pid($standby);
$standby->safe_psql('postgres', 'SELECT gpuscan.restart_device()');
ok(until_true(sub { child_pid($standby) ne $child && wait_ready($standby) }), 'restart_device() works there');
$child = child_pid($standby);

# What waits for all processes (a barrier) does not wait for the supervisor.
$primary->safe_psql('postgres', 'CREATE DATABASE other');
$primary->safe_psql('postgres', 'DROP DATABASE other');
$primary->wait_for_catchup($standby);
pass('databases are dropped');

$standby->promote;
is($standby->safe_psql('postgres', 'SELECT pg_is_in_recovery()'), 'f', 'promoted');
is(child_pid($standby), $child, '... with the same child');
is(supervisor_pid($standby), $supervisor, '... and the same supervisor');

$standby->stop;
$primary->stop;
done_testing();
