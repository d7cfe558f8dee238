/*-------------------------------------------------------------------------
 *
 * page_fuzzer.c
 *	  libFuzzer: damaged pages through decoder and engine.  Each change is four
 *	  bytes: page, offset (two), value.
 *
 * options: -max_len=512
 *-------------------------------------------------------------------------
 */
#include "subject.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static Subject subject;

	if (size < SUBJECT_SEED)
		return -1;
	subject_init(&subject, data);
	for (size_t at = SUBJECT_SEED; subject.rows->batch.npages > 0 && at + 4 <= size; at += 4)
	{
		Page	   *page = &subject.rows->pages[data[at] % subject.rows->batch.npages];
		uint32_t	offset = (uint32_t) data[at + 1] << 8 | data[at + 2];

		/* the page's own header is PostgreSQL's to check */
		page->data[PAGE_HEADER + offset % (page->blcksz - PAGE_HEADER)] = (char) data[at + 3];
	}
	subject_run(&subject, subject.program);
	subject_free(&subject);
	return 0;
}
