/*-------------------------------------------------------------------------
 *
 * inet.h
 *	  Addresses: inet and cidr, whose payload (utils/inet.h inet_struct) a
 *	  register has as a text: family, bits of the netmask, 4 or 16 bytes.
 *
 * Equal are those of equal bytes (network.c network_cmp_internal), so equality
 * and grouping are those of bytea.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_INET_H
#define GPUSCAN_INET_H

#include "program/text_view.h"

/* Byte i, or 0: below a NULL, and on a damaged page, there may be none. */
BODY uint8_t
inet_byte(TextView v, uint32_t i)
{
	return i < v.len ? (uint8_t) v.ptr[i] : 0;
}

/* bitncmp, of the first 'bits' bits of both addresses: < 0, 0, > 0 */
BODY int
inet_compare_bits(TextView a, TextView b, uint32_t bits)
{
	const uint32_t whole = bits / 8;
	const int	mask = 0xFF00 >> bits % 8 & 0xFF;

	for (uint32_t i = 0; i < whole; i++)
		if (inet_byte(a, 2 + i) != inet_byte(b, 2 + i))
			return inet_byte(a, 2 + i) < inet_byte(b, 2 + i) ? -1 : 1;
	return (inet_byte(a, 2 + whole) & mask) - (inet_byte(b, 2 + whole) & mask);
}

/* network_cmp_internal: by family, then network, then length of the netmask, then all bits */
SLOW_BODY int
inet_compare(TextView a, TextView b)
{
	const uint32_t a_bits = inet_byte(a, 1);
	const uint32_t b_bits = inet_byte(b, 1);
	int			order = inet_byte(a, 0) - inet_byte(b, 0);

	if (order == 0)
		order = inet_compare_bits(a, b, a_bits < b_bits ? a_bits : b_bits);
	if (order == 0)
		order = (int) a_bits - (int) b_bits;
	/* of one family both have the same length */
	return order != 0 ? order : inet_compare_bits(a, b, a.len > 2 + 4 ? 128 : 32);
}

#define COMPARE_BODY(name, op) \
BODY bool name(TextView a, TextView b, uint8_t *r) \
{ *r = inet_compare(a, b) op 0; return true; }
COMPARE_BODY(inet_lt, <)
COMPARE_BODY(inet_le, <=)
COMPARE_BODY(inet_gt, >)
COMPARE_BODY(inet_ge, >=)
#undef COMPARE_BODY

#endif							/* GPUSCAN_INET_H */
