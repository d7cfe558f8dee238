/*-------------------------------------------------------------------------
 *
 * good.cc
 *	  Kernels that are right give what they should under every schedule, and
 *	  the double finds nothing to say.
 *
 *-------------------------------------------------------------------------
 */
#include <algorithm>

#include "client.h"

/* ------------------------------------------------------------------------
 * One test a kernel: did it give what it should?
 * ------------------------------------------------------------------------
 */
static bool
test_sum_above(void)
{
	const int	n = 20011;
	std::vector<int> values(n);
	unsigned long long sum = 0;

	for (int i = 0; i < n; i++)
	{
		values[i] = (int) ((unsigned) i * 2654435761u >> 8) % 1000 - 500;
		if (values[i] > 10)
			sum += (unsigned long long) values[i];
	}
	Device<int> in(values);
	Device<unsigned long long> out(1);

	out.zero();
	return launch("sum_above", 7, 256, 64, in.pointer, n, 10, out.pointer) == 0 && out.home()[0] == sum;
}

static bool
test_compact(void)
{
	const int	n = 5000;
	std::vector<int> values(n);
	std::vector<int> expected;

	for (int i = 0; i < n; i++)
	{
		values[i] = (int) ((unsigned) i * 2654435761u >> 8) % 1000 - 500;
		if (values[i] > 10)
			expected.push_back(values[i]);
	}
	Device<int> in(values);
	Device<int> out(n);
	Device<unsigned> count(1);

	count.zero();
	if (launch("compact", (n + 95) / 96, 96, 12, in.pointer, n, 10, out.pointer, count.pointer) != 0 ||
		count.home()[0] != expected.size())
		return false;

	std::vector<int> got = out.home();

	got.resize(expected.size());
	std::sort(got.begin(), got.end());
	std::sort(expected.begin(), expected.end());
	return got == expected;
}

static bool
test_prefix_sum(void)
{
	const unsigned block = 1024;
	std::vector<unsigned> values(2 * block);
	std::vector<unsigned> expected(2 * block);

	for (unsigned i = 0; i < 2 * block; i++)
	{
		values[i] = i * 7919 % 1000;
		expected[i] = values[i] + (i % block ? expected[i - 1] : 0);
	}
	Device<unsigned> in(values);
	Device<unsigned> out(2 * block);

	return launch("prefix_sum", 2, block, block * 4, in.pointer, out.pointer) == 0 && out.home() == expected;
}

/* What a warp of so many lanes should get; 'first' is its first thread's number. */
static std::vector<unsigned long long>
warp_results(unsigned first, unsigned lane, unsigned lanes)
{
	const unsigned long long undefined = 0xCBCBCBCBCBCBCBCB;
	auto		value = [first](unsigned l) { return (first + l) * 2654435761u >> 7; };
	auto		of = [&](unsigned l) { return l < lanes ? value(l) : (unsigned) undefined; };
	unsigned	all = lanes == 32 ? ~0u : (1u << lanes) - 1;
	unsigned	v = value(lane);
	std::vector<unsigned long long> r(24);

	r[0] = of(5);
	r[1] = of((lane & ~7u) | ((lane + 1) & 7));
	r[2] = lane >= 3 ? value(lane - 3) : v;
	r[3] = lane % 16 >= 3 ? value(lane - 3) : v;
	r[4] = lane % 4 + 2 < 4 ? of(lane + 2) : v;
	r[5] = of(lane ^ 1);
	r[6] = (lane ^ 12) < (lane & ~7u) + 8 ? of(lane ^ 12) : v;
	r[7] = (unsigned long long) value(2) * value(2);
	r[8] = value(1);
	r[15] = 0;
	r[16] = r[20] = ~0u;
	r[17] = r[21] = r[22] = 0;
	int			least = 0x7FFFFFFF;
	int			most = -0x7FFFFFFF;

	for (unsigned l = 0; l < lanes; l++)
	{
		unsigned	w = value(l);

		r[9] |= (unsigned long long) ((w & 4) != 0) << l;
		r[12] |= (unsigned long long) (w % 3 == v % 3) << l;
		r[15] = (unsigned) (r[15] + w);
		r[16] = std::min<unsigned long long>(r[16], w);
		r[17] = std::max<unsigned long long>(r[17], w);
		least = std::min(least, (int) w - 1000000);
		most = std::max(most, -(int) w);
		r[20] &= w | 0xF0F00000;
		r[21] |= w;
		r[22] ^= w;
	}
	r[10] = 1;
	r[11] = 0;
	r[13] = all;
	r[14] = 0;
	r[18] = (unsigned) least;
	r[19] = (unsigned) most;
	r[23] = 1;
	return r;
}

static bool
test_warp_operations(void)
{
	const unsigned block = 72;	/* the last warp has 8 lanes */
	Device<unsigned long long> out(3 * block * 24);

	out.zero();
	if (launch("warp_operations", 3, block, 0, out.pointer) != 0)
		return false;

	std::vector<unsigned long long> got = out.home();

	for (unsigned t = 0; t < 3 * block; t++)
	{
		unsigned	in_block = t % block;
		unsigned	lanes = std::min(32u, block - in_block / 32 * 32);
		std::vector<unsigned long long> expected = warp_results(t - in_block % 32, in_block % 32, lanes);

		for (unsigned i = 0; i < 24; i++)
			if (got[t * 24 + i] != expected[i])
			{
				diag("thread %u, result %u: %llx, expected %llx", t, i, got[t * 24 + i], expected[i]);
				return false;
			}
	}
	return true;
}

static bool
test_divergent(void)
{
	Device<unsigned> out(128);

	if (launch("divergent", 2, 64, 0, out.pointer) != 0)
		return false;

	std::vector<unsigned> got = out.home();

	for (unsigned t = 0; t < 128; t++)
	{
		unsigned	lane = t % 32;
		unsigned	r = lane < 16 ? (lane ^ 1) + 3 : 8;

		if (lane < 8)
			r += 8;
		if (got[t] != r + 8)
			return false;
	}
	return true;
}

static bool
test_block_votes(void)
{
	const unsigned block = 100;
	const unsigned leave = 7;
	Device<unsigned> out(2 * block * 3);
	unsigned	odd = 0;

	out.zero();
	if (launch("block_votes", 2, block, 0, out.pointer, leave) != 0)
		return false;

	std::vector<unsigned> got = out.home();

	for (unsigned t = 0; t < block; t++)
		odd += t % leave != leave - 1 && t % 2;
	for (unsigned t = 0; t < 2 * block; t++)
	{
		bool		stays = t % block % leave != leave - 1;

		if (got[t * 3] != (stays ? odd : 0) || got[t * 3 + 1] != stays || got[t * 3 + 2] != stays)
			return false;
	}
	return true;
}

static bool
test_lanes_leave(void)
{
	Device<unsigned> out(64);

	if (launch("lanes_leave", 1, 64, 0, out.pointer) != 0)
		return false;

	std::vector<unsigned> got = out.home();

	for (unsigned t = 0; t < 64; t++)
	{
		unsigned	expected = 0;

		for (unsigned i = 0; i <= t % 32; i++)
			expected += 32 - i;
		if (got[t] != expected)
			return false;
	}
	return true;
}

static bool
test_three_dimensions(void)
{
	const unsigned blocks = 2 * 3 * 4;
	const unsigned threads = 5 * 3 * 2;
	Device<unsigned> out(blocks * threads);
	void	   *params[] = {&out.pointer};

	out.zero();
	if (driver.cuLaunchKernel(get_function("three_dimensions"), 2, 3, 4, 5, 3, 2, 0, nullptr, params, nullptr) != 0)
		return false;

	std::vector<unsigned> got = out.home();

	for (unsigned i = 0; i < blocks * threads; i++)
		if (got[i] != i / threads * 1000 + i % threads)
			return false;
	return true;
}

static bool
test_atomic_operations(void)
{
	const unsigned n = 3 * 70;
	Device<int> i(4);
	Device<unsigned> u(std::vector<unsigned>{0, ~0u, 0, 0, 0, 0, 0});
	Device<unsigned long long> l(std::vector<unsigned long long>{0, ~0ull, 0, 0, 0});
	Device<double> d(1);
	unsigned	all_xor = 0;
	unsigned	all_sum = 0;

	i.zero();
	d.zero();
	if (launch("atomic_operations", 3, 70, 0, i.pointer, u.pointer, l.pointer, d.pointer) != 0)
		return false;

	std::vector<int> gi = i.home();
	std::vector<unsigned> gu = u.home();
	std::vector<unsigned long long> gl = l.home();

	for (unsigned t = 0; t < n; t++)
	{
		all_xor ^= t;
		all_sum += t;
	}
	return gi == std::vector<int>{-(int) n, -2 * (int) n, -50, (int) n - 51} &&
		gu[0] == 3 * n && gu[1] == 0 && gu[2] == ~0u && gu[3] == all_xor && gu[4] == n % 10 &&
		gu[5] + gu[6] == all_sum && gl[0] == (unsigned long long) n << 33 && gl[1] == 1000 &&
		gl[2] == (unsigned long long) (n - 1) << 32 && (long long) gl[3] == -(long long) (n - 1) && gl[4] == all_sum &&
		d.home()[0] == n * 0.5;
}

static bool
test_hash_insert(void)
{
	const unsigned n = 600;
	std::vector<unsigned> values(n);

	for (unsigned i = 0; i < n; i++)
		values[i] = 1 + i * 31 % 97;

	Device<unsigned> keys(values);
	Device<unsigned> table(128);
	Device<unsigned> distinct(1);

	table.zero();
	distinct.zero();
	if (launch("hash_insert", 2, 320, 0, keys.pointer, n, table.pointer, 127u, distinct.pointer) != 0)
		return false;

	std::vector<unsigned> got = table.home();

	std::sort(got.begin(), got.end());
	for (unsigned i = 0; i < 97; i++)
		if (got[128 - 97 + i] != i + 1)
			return false;
	return distinct.home()[0] == 97 && got[128 - 98] == 0;
}

struct Scale
{
	char		shift;
	double		factor;
};

static bool
test_vectors(void)
{
	std::vector<unsigned> values(4 * 40);
	Device<unsigned long long> out(2 * 40);
	struct cuda_double_counters counters;

	for (unsigned i = 0; i < values.size(); i++)
		values[i] = i * i;

	Device<unsigned> in(values);

	driver.counters_reset();
	if (launch("vectors", 1, 64, 0, in.pointer, out.pointer, Scale{3, 0.5}, (char) 100, (unsigned short) 40) != 0)
		return false;
	driver.counters(&counters);

	std::vector<unsigned long long> got = out.home();

	for (unsigned t = 0; t < 40; t++)
		if (got[2 * t] != ((unsigned long long) values[4 * t] + values[4 * t + 1]) << 3 ||
			got[2 * t + 1] != (values[4 * t + 2] + values[4 * t + 3]) / 2 + 100)
			return false;
	return counters.all.bytes_read == 40 * 16 && counters.all.bytes_read_again == 0 &&
		counters.all.bytes_written == 40 * 16 && counters.all.bytes_written_again == 0;
}

static bool
test_reverse_shared(void)
{
	const unsigned n = 227 * 1024 / 4;
	std::vector<unsigned> values(n);
	Device<unsigned> out(n);

	for (unsigned i = 0; i < n; i++)
		values[i] = i;

	Device<unsigned> in(values);

	CHECK(cuFuncSetAttribute(get_function("reverse_shared"), 8, (int) (n * 4)));
	if (launch("reverse_shared", 1, 256, n * 4, in.pointer, out.pointer, n) != 0)
		return false;
	std::reverse(values.begin(), values.end());
	return out.home() == values;
}

static bool
test_constants(void)
{
	Device<int> out(8);

	return launch("constants", 1, 8, 0, out.pointer) == 0 &&
		out.home() == std::vector<int>{1, 10, 100, 1000, 1, 10, 100, 1000};
}

static bool
test_spin(void)
{
	Device<unsigned> flags(200);
	Device<unsigned> lock(1);
	Device<unsigned> sum(1);

	flags.zero();
	lock.zero();
	sum.zero();
	return launch("spin", 1, 200, 0, flags.pointer, lock.pointer, sum.pointer) == 0 &&
		sum.home()[0] == 199 * 200 / 2;
}

static bool
test_bits(void)
{
	const unsigned long long x = 0xF00000C0000A5000;
	Device<unsigned long long> out(17);

	if (launch("bits", 1, 1, 0, x, out.pointer) != 0)
		return false;
	return out.home() == std::vector<unsigned long long>{
		0x4, 0xA, 0xD, 0xD, 0xC, 0x0, 0xA5000, 0xA50000300000F, 0xEFFFF57FFF669FF,
		0x0, 0xFFAF0050, 0xB5FFE001, 0x7FF80052, 0xFFFFF3FFFF5AFFF, 0xA5000, 0x3FC00000, 0xC000000000000000};
}

/* ------------------------------------------------------------------------
 * All of them, under every schedule
 * ------------------------------------------------------------------------
 */
void
good_tests(void)
{
	static const struct
	{
		const char *name;
		bool		(*run) (void);
	}			kernels[] = {
		{"sum_above", test_sum_above}, {"compact", test_compact}, {"prefix_sum", test_prefix_sum},
		{"warp_operations", test_warp_operations}, {"divergent", test_divergent}, {"block_votes", test_block_votes},
		{"lanes_leave", test_lanes_leave}, {"three_dimensions", test_three_dimensions},
		{"atomic_operations", test_atomic_operations}, {"hash_insert", test_hash_insert}, {"vectors", test_vectors},
		{"reverse_shared", test_reverse_shared}, {"constants", test_constants}, {"spin", test_spin}, {"bits", test_bits},
	};
	static const char *const schedules[] = {
		"schedule=forward", "schedule=reverse", "schedule=random,seed=1", "schedule=random,seed=2,yield=1",
		"schedule=random,seed=3,yield=7",
	};
	static const char *const streams[] = {"streams=eager", "streams=deferred"};

	open_device();
	for (const auto &kernel : kernels)
		for (const char *schedule : schedules)
			for (const char *stream : streams)
			{
				struct cuda_double_counters counters;
				char		settings[100];
				bool		passed;

				snprintf(settings, sizeof settings, "%s,%s", schedule, stream);
				driver.set(settings);
				driver.counters_reset();
				passed = kernel.run();
				driver.counters(&counters);
				if (counters.errors > 0)
					diag("%s", driver.message());
				ok(passed && counters.errors == 0, "kernel %s, %s", kernel.name, settings);
			}
	CHECK(cuDevicePrimaryCtxRelease_v2(0));
	driver.counters_reset();

	struct cuda_double_counters counters;

	driver.counters(&counters);
	is((long long) counters.bytes_allocated, 0, "releasing the context frees its memory");
}
