/* placeholder until the bodies land: the limits that others build on */
#ifndef GPUSCAN_PROGRAM_NUMERIC_H
#define GPUSCAN_PROGRAM_NUMERIC_H
#define NUMERIC_SCALE_MAX	36		/* largest scale of a value in a register */
#endif
