# Servers with a device service, for test/t/02*_service*.pl.
#
# CUDA_LIBRARY says which driver: the CUDA double (test/suites/50-tap builds it),
# or libcuda.so.1, the real one.

package DeviceService;

use strict;
use warnings;

use Exporter qw(import);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

our @EXPORT = qw(driver need_device preload child_pid generation supervisor_pid wait_ready wait_state wait_gone is_running log_count until_true);

# The library of a working device; without one, or without kernels for it, the
# whole test is skipped.
sub driver
{
	return $ENV{CUDA_LIBRARY} || plan(skip_all => 'CUDA_LIBRARY is not set');
}

sub need_device
{
	my $node = shift;

	return if wait_ready($node, 60);
	my $reason = $node->safe_psql('postgres', 'SELECT reason FROM gpuscan.devices LIMIT 1') // '';
	plan(skip_all => $reason) if $reason =~ /no CUDA kernels/;
	diag("no device: $reason");
}

# A new server that preloads gpuscan, with these settings; started, with the extension.
sub preload
{
	my ($name, $library, @settings) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init(allows_streaming => 1);
	$node->append_conf('postgresql.conf',
		join("\n", "shared_preload_libraries = 'gpuscan'", "gpuscan.cuda_library = '$library'", @settings));
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION gpuscan');
	return $node;
}

# Try for ten seconds, or as long as is said.
sub until_true
{
	my ($condition, $seconds) = @_;

	for (1 .. 100 * ($seconds // 10))
	{
		return 1 if $condition->();
		usleep(10_000);
	}
	return 0;
}

# These are killed by tests: never an empty string, which would be pid 0.
sub a_pid
{
	my ($node, $query) = @_;
	my $pid;

	until_true(sub { ($pid = $node->safe_psql('postgres', $query)) ne '' })
	  or die "no process: $query";
	return $pid;
}

sub child_pid { return a_pid($_[0], 'SELECT pid FROM gpuscan.devices WHERE device = 0') }
sub generation { return $_[0]->safe_psql('postgres', 'SELECT generation FROM gpuscan.devices WHERE device = 0') }

sub supervisor_pid
{
	return a_pid($_[0], q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'gpuscan device supervisor'});
}

sub wait_state
{
	my ($node, $state, $seconds) = @_;

	return until_true(
		sub {
			my ($ret, $out) = $node->psql('postgres', 'SELECT state FROM gpuscan.devices WHERE device = 0');
			return $ret == 0 && $out eq $state;
		},
		$seconds);
}

sub wait_ready { return wait_state($_[0], 'ready', $_[1]) }

# A zombie does not run: it waits for whoever adopted it.
sub is_running
{
	my $pid = shift;

	open(my $file, '<', "/proc/$pid/stat") or return 0;
	return (<$file> // '') !~ /\) [ZX] /;
}

sub wait_gone
{
	my ($pid, $seconds) = @_;

	return until_true(sub { !is_running($pid) }, $seconds);
}

sub log_count
{
	my ($node, $pattern) = @_;
	my $log = slurp_file($node->logfile);

	return scalar(() = $log =~ /$pattern/g);
}

1;
