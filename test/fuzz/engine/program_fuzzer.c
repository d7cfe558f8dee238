/*-------------------------------------------------------------------------
 *
 * program_fuzzer.c
 *	  libFuzzer: changed programs through the verifier, and the engine if it
 *	  lets them pass.  Each change is three bytes: offset (two), value.
 *
 * options: -max_len=512
 *-------------------------------------------------------------------------
 */
#include "subject.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static Subject subject;
	uint32_t	length;
	char	   *block;

	if (size < SUBJECT_SEED)
		return -1;
	subject_init(&subject, data);
	length = subject.program->size;
	block = memcpy(malloc(length), subject.program, length);
	for (size_t at = SUBJECT_SEED; at + 3 <= size; at += 3)
		block[((uint32_t) data[at] << 8 | data[at + 1]) % length] = (char) data[at + 2];
	if (gpuscan_program_verify((const Program *) block, length) == NULL &&
		((const Program *) block)->nparams <= ASSEMBLE_PARAMS)
		subject_run(&subject, (const Program *) block);
	free(block);
	subject_free(&subject);
	return 0;
}
