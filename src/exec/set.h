/*-------------------------------------------------------------------------
 *
 * set.h
 *	  A constant array as a set of values.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_EXEC_SET_H
#define GPUSCAN_EXEC_SET_H

/* The elements that are not NULL, in the form of program/set.h: a text, palloc'd. */
extern Datum gpuscan_set_from_array(Datum array);

#endif							/* GPUSCAN_EXEC_SET_H */
