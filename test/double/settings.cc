/*-------------------------------------------------------------------------
 *
 * settings.cc
 *	  What the double is told to do.
 *
 * Settings come from the environment variable CUDA_DOUBLE, and on top of that
 * from the file that CUDA_DOUBLE_CONTROL names.  When that file changes, all
 * begins anew: defaults, environment, file; so a key that is no longer in it
 * has the value of the environment, and faults count from then on.  Who writes
 * the file while a process runs should write another one and rename it.
 *
 *-------------------------------------------------------------------------
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "counters.h"
#include "settings.h"

DoubleSettings double_settings;

static uint64_t random_state = 1;

/* ------------------------------------------------------------------------
 * Values
 * ------------------------------------------------------------------------
 */
static bool
is(const char *value, size_t length, const char *word)
{
	return strlen(word) == length && memcmp(value, word, length) == 0;
}

/* A number, with k, m or g behind it where 'sizes'. */
static bool
number(const char *value, size_t length, bool sizes, uint64_t *result)
{
	uint64_t	n = 0;
	size_t		i = 0;

	for (; i < length && value[i] >= '0' && value[i] <= '9'; i++)
		n = n * 10 + (uint64_t) (value[i] - '0');
	if (i == 0)
		return false;
	if (sizes && i + 1 == length)
	{
		switch (value[i++] | 0x20)
		{
			case 'k':
				n <<= 10;
				break;
			case 'm':
				n <<= 20;
				break;
			case 'g':
				n <<= 30;
				break;
			default:
				return false;
		}
	}
	*result = n;
	return i == length;
}

static bool
number(const char *value, size_t length, unsigned least, unsigned most, unsigned *result)
{
	uint64_t	n;

	if (!number(value, length, false, &n) || n < least || n > most)
		return false;
	*result = (unsigned) n;
	return true;
}

static bool
flag(const char *value, size_t length, bool *result)
{
	*result = is(value, length, "1");
	return *result || is(value, length, "0");
}

static bool
set(const char *key, size_t key_length, const char *value, size_t length)
{
	DoubleSettings *to = &double_settings;

#define KEY(word) is(key, key_length, word)
	if (KEY("schedule"))
	{
		if (is(value, length, "forward"))
			to->schedule = DOUBLE_FORWARD;
		else if (is(value, length, "reverse"))
			to->schedule = DOUBLE_REVERSE;
		else if (is(value, length, "random"))
			to->schedule = DOUBLE_RANDOM;
		else
			return false;
		return true;
	}
	if (KEY("seed"))
	{
		if (!number(value, length, false, &to->seed))
			return false;
		random_state = to->seed * 2 + 1;
		return true;
	}
	if (KEY("streams"))
	{
		to->deferred = is(value, length, "deferred");
		return to->deferred || is(value, length, "eager");
	}
	if (KEY("counters"))
	{
		if (length >= sizeof to->counters)
			return false;
		memcpy(to->counters, value, length);
		to->counters[length] = '\0';
		return true;
	}
	if (KEY("align"))
		return number(value, length, 1, 4096, &to->align) && (to->align & (to->align - 1)) == 0;
	if (KEY("yield"))
		return number(value, length, 1, 1u << 30, &to->yield);
	if (KEY("memory"))
		return number(value, length, true, &to->memory);
	if (KEY("addresses"))
		return number(value, length, true, &to->addresses) && to->addresses >= UINT64_C(1) << 30;
	if (KEY("devices"))
		return number(value, length, 0, 16, &to->devices);
	if (KEY("sms"))
		return number(value, length, 1, 1024, &to->sms);
	if (KEY("driver"))
		return number(value, length, 0, 1000000, &to->driver);
	if (KEY("slow"))
		return number(value, length, 0, 1000000000, &to->slow);
	if (KEY("timeout"))
		return number(value, length, 1, 1000000, &to->timeout);
	if (KEY("abort"))
		return flag(value, length, &to->abort);
	if (KEY("fail"))
		return double_fault_add(value, length);
#undef KEY
	return false;
}

bool
double_settings_apply(const char *text)
{
	bool		good = true;

	/* between commas, blanks and ends of lines; '#' is a comment */
	while (*text != '\0')
	{
		size_t		length = strcspn(text, ", \t\r\n#");
		const char *equals = (const char *) memchr(text, '=', length);

		if (length > 0 && (equals == nullptr ||
						   !set(text, (size_t) (equals - text), equals + 1, length - (size_t) (equals - text) - 1)))
		{
			double_say("cannot understand the setting \"%.*s\"", (int) length, text);
			good = false;
		}
		text += length;
		if (*text == '#')
			text += strcspn(text, "\n");
		else if (*text != '\0')
			text++;
	}
	return good;
}

/* ------------------------------------------------------------------------
 * Where they come from
 * ------------------------------------------------------------------------
 */
static const char *control;		/* name of the file, or nullptr */
static struct stat control_was;
static bool control_was_there;

static void
defaults(void)
{
	double_settings = DoubleSettings();
	double_settings.schedule = DOUBLE_FORWARD;
	double_settings.yield = 64;
	double_settings.memory = UINT64_C(1) << 30;
	double_settings.addresses = UINT64_C(1) << 40;
	double_settings.align = 256;
	double_settings.devices = 1;
	double_settings.sms = 4;
	double_settings.driver = 13000;
	double_settings.timeout = 60;
	random_state = 1;
	double_faults_clear();
}

static void
from_file(void)
{
	static char text[8192];
	int			file = open(control, O_RDONLY | O_CLOEXEC);
	ssize_t		length;

	if (file < 0)
	{
		double_say("cannot read %s", control);
		return;
	}
	length = read(file, text, sizeof text - 1);
	close(file);
	text[length < 0 ? 0 : length] = '\0';
	double_settings_apply(text);
}

static void
load(void)
{
	const char *environment = getenv("CUDA_DOUBLE");

	defaults();
	if (environment != nullptr)
		double_settings_apply(environment);
	if (control != nullptr && control_was_there)
		from_file();
}

void
double_settings_poll(void)
{
	static bool loaded;
	struct stat is_now;
	bool		there;

	if (!loaded)
	{
		loaded = true;
		control = getenv("CUDA_DOUBLE_CONTROL");
		control_was_there = control != nullptr && stat(control, &control_was) == 0;
		load();
		return;
	}
	if (control == nullptr)
		return;
	there = stat(control, &is_now) == 0;
	if (there == control_was_there &&
		(!there || (is_now.st_ino == control_was.st_ino && is_now.st_size == control_was.st_size &&
					is_now.st_mtim.tv_sec == control_was.st_mtim.tv_sec &&
					is_now.st_mtim.tv_nsec == control_was.st_mtim.tv_nsec)))
		return;
	control_was_there = there;
	control_was = is_now;
	load();
	double_counters_write("control");
}

/* xorshift64* */
unsigned
double_random(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (unsigned) (random_state * UINT64_C(2685821657736338717) >> 32);
}
