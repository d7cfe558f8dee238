/*
 * fatbin.S
 *	  The compiled kernels as bytes of the library.
 *
 * FATBIN is the file's name, given by the Makefile.  Without one the image is
 * empty: start and end are the same, and the service says that the library was
 * built without CUDA kernels.
 */
	.section .rodata
	.global gpuscan_fatbin_start
	.global gpuscan_fatbin_end
	.hidden gpuscan_fatbin_start
	.hidden gpuscan_fatbin_end

	.balign 64
gpuscan_fatbin_start:
#ifdef FATBIN
	.incbin FATBIN
#endif
gpuscan_fatbin_end:
	.byte 0

	.section .note.GNU-stack, "", %progbits
