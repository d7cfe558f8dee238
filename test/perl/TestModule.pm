# Modules of test/module, built where a test runs.

package TestModule;

use strict;
use warnings;

use Exporter qw(import);
use File::Basename;
use File::Copy;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(build_module);

# The path of a module, as CREATE FUNCTION wants it; without a compiler the
# whole test is skipped.
sub build_module
{
	my $name = shift;
	my $build = PostgreSQL::Test::Utils::tempdir();

	copy(dirname(__FILE__) . "/../module/$_", "$build/$_") for ('Makefile', "$name.c");
	run_log([ 'make', '-s', '-C', $build, 'PG_CONFIG=pg_config', "$name.so", "MODULES=$name", 'with_llvm=no' ])
	  or plan(skip_all => 'no compiler for the test module');
	return "$build/$name";
}

1;
