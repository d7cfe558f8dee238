/*-------------------------------------------------------------------------
 *
 * pretoken_test.c
 *	  Where texts are cut: as the regular expressions cut them that models were
 *	  published with (fixtures/pretoken.py).
 *
 * link: src/model/pretoken.c src/model/unicode.c
 * libs: -lutf8proc
 *-------------------------------------------------------------------------
 */
#include <stdint.h>
#include <string.h>

#include "fixture_file.h"
#include "model/pretoken.h"
#include "tap.h"

#define MOST_BYTES	1024
#define KINDS		6

/* No text is cut into nothing, whatever its bytes: each is in one piece */
static void
test_any_bytes(void)
{
	uint32_t	state = 7;
	uint32_t	wrong = 0;

	for (int n = 0; n < 20000; n++)
	{
		char		text[24];
		const size_t len = 1 + n % sizeof text;

		for (size_t i = 0; i < len; i++)
		{
			state = state * 1664525 + 1013904223;
			text[i] = (char) (state >> (state & 1 ? 24 : 26));
		}
		for (int kind = 0; kind < PRETOKENS; kind++)
			for (size_t at = 0; at < len;)
			{
				const size_t piece = pretoken_next((PretokenKind) kind, text + at, len - at);

				if (piece == 0 || piece > len - at)
				{
					wrong++;
					break;
				}
				at += piece;
			}
	}
	ok(wrong == 0, "texts of any bytes are cut into pieces of at least one");
}

int
main(int argc, char **argv)
{
	static const char *const kinds[KINDS] = {"gpt-2", "smollm", "llama-bpe", "qwen2", "dbrx", "tekken"};
	FILE	   *file = fopen(argc > 1 ? argv[1] : "test/model/fixtures/pretoken.bin", "rb");
	uint32_t	wrong[KINDS] = {0};
	uint32_t	ntexts = 0;
	uint32_t	len;

	if (!file)
		return ok(false, "fixtures/pretoken.bin can be read"), tap_done();
	while ((len = read_uint(file, 4)) != UINT32_MAX)
	{
		char		text[MOST_BYTES];

		if (len > MOST_BYTES || fread(text, 1, len, file) != len)
			break;
		ntexts++;
		for (int k = 0; k < KINDS; k++)
		{
			const PretokenKind kind = pretoken_kind(kinds[k], strlen(kinds[k]));
			const uint32_t n = read_uint(file, 2);
			size_t		at = 0;
			bool		same = true;

			for (uint32_t i = 0; i < n; i++)
			{
				const uint32_t size = read_uint(file, 2);

				same = same && at < len && pretoken_next(kind, text + at, len - at) == size;
				at += size;
			}
			wrong[k] += !same || at != len;
		}
	}
	fclose(file);
	for (int k = 0; k < KINDS; k++)
		ok(wrong[k] == 0 && ntexts == 2500, "%s: %u of %u texts are cut otherwise", kinds[k], wrong[k], ntexts);
	ok(pretoken_kind("bert", 4) == PRETOKENS && pretoken_kind("gpt-", 4) == PRETOKENS, "other names are not known");
	test_any_bytes();
	return tap_done();
}
