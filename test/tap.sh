# shellcheck shell=bash
# Counting tests. Sourced.

# tap_count LOG EXIT-STATUS: sets passed, failed, skipped.
#
# A last "passed=N failed=M [skipped=K]" speaks for itself; else the lines of
# TAP count, and what was planned and did not come, a plan that is missing, and
# a bad exit with no failure to explain it, have failed. (pg_regress of 15 has
# lines of its own: "test NAME ... ok".)
tap_count() {
	eval "$(awk -v status="$2" '
		/^passed=[0-9]+ failed=[0-9]+/ {
			for (i = 1; i <= NF; i++) { split($i, kv, "="); said[kv[1]] = kv[2] }
			spoke = 1
		}
		/^not ok/ { if (toupper($0) ~ /# *TODO/) ok++; else bad++; next }
		/^ok/ { if (toupper($0) ~ /# *SKIP/) skip++; else ok++; next }
		/^1\.\.0/ { if (toupper($0) ~ /# *SKIP/) skip++; planned = 1; next }
		/^1\.\.[0-9]+/ { want += substr($1, 4); planned = 1; next }
		/^(test|    ) +[^ ]+ +\.\.\. +ok/ { ok++; planned = 1; regress = 1 }
		/^(test|    ) +[^ ]+ +\.\.\. +FAILED/ { bad++; planned = 1; regress = 1 }
		END {
			if (spoke) { ok = said["passed"]; bad = said["failed"]; skip = said["skipped"] }
			else if (!planned) bad++
			else if (!regress && ok + bad + skip < want) bad += want - ok - bad - skip
			if (status != 0 && bad + 0 == 0) bad++
			printf "passed=%d failed=%d skipped=%d\n", ok, bad, skip
		}' "$1")"
}

# Sum for a suite of many files: sum_file LABEL LOG STATUS, at the end sum_end.
sum_passed=0
sum_failed=0
sum_skipped=0

sum_file() {
	local passed failed skipped
	tap_count "$2" "$3"
	sum_passed=$((sum_passed + passed))
	sum_failed=$((sum_failed + failed))
	sum_skipped=$((sum_skipped + skipped))
	if [ "$failed" -eq 0 ]; then
		echo "$1: $passed passed$([ "$skipped" -eq 0 ] || echo ", $skipped skipped")"
		grep -h '# SKIP' "$2" || true
	else
		# The failures, then where the rest is.
		grep '^not ok' "$2" | sed "s|^not ok *[0-9]*[ -]*|not ok - $1: |" || true
		[ "$3" -eq 0 ] || echo "not ok - $1: ended with status $3"
		[ "$(grep -c '^not ok' "$2")" -eq "$failed" ] || echo "not ok - $1: $failed failed, with those that did not run"
		tail -n 40 "$2" | sed 's/^/# /'
	fi
}

sum_end() {
	if [ $((sum_passed + sum_failed + sum_skipped)) -eq 0 ]; then
		echo "1..0 # SKIP no tests there"
	else
		echo "passed=$sum_passed failed=$sum_failed skipped=$sum_skipped"
	fi
	[ "$sum_failed" -eq 0 ]
}
