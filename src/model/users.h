/*-------------------------------------------------------------------------
 *
 * users.h
 *	  Tokens that are cut out of a text before it is taken apart, as a tree of their
 *	  bytes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_MODEL_USERS_H
#define GPUSCAN_MODEL_USERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct UserNode
{
	char		byte;
	int32_t		token;			/* that ends here, or -1 */
	uint32_t	child;			/* the first one; 0: none */
	uint32_t	next;			/* of the same parent; 0: none */
} UserNode;

/* Zeros: there are none */
typedef struct Users
{
	UserNode   *nodes;			/* the first one is the root */
	uint32_t	n;
	bool		begins[256];	/* does one begin with this byte? */
} Users;

/* token: not -1.  false: out of memory */
extern bool users_add(Users *users, const char *p, size_t len, int32_t token);
extern void users_free(Users *users);

/* The longest of them that a text begins with; 0: none */
extern size_t users_match(const Users *users, const char *p, size_t len, int32_t *token);

#endif							/* GPUSCAN_MODEL_USERS_H */
