/*-------------------------------------------------------------------------
 *
 * users.c
 *	  See users.h.
 *
 *-------------------------------------------------------------------------
 */
#include "model/users.h"

#include <stdlib.h>

#define NO_TOKEN	(-1)

/* A node more, the first child of 'parent'; 0: out of memory.  Room grows at powers of two. */
static uint32_t
add_node(Users *users, char byte, uint32_t parent)
{
	if ((users->n & (users->n - 1)) == 0)
	{
		UserNode   *more = realloc(users->nodes, 2 * (size_t) users->n * sizeof *more);

		if (!more)
			return 0;
		users->nodes = more;
	}
	users->nodes[users->n] = (UserNode) {byte, NO_TOKEN, 0, users->nodes[parent].child};
	users->nodes[parent].child = users->n;
	return users->n++;
}

static uint32_t
child_of(const Users *users, uint32_t parent, char byte)
{
	uint32_t	child = users->nodes[parent].child;

	while (child && users->nodes[child].byte != byte)
		child = users->nodes[child].next;
	return child;
}

bool
users_add(Users *users, const char *p, size_t len, int32_t token)
{
	uint32_t	at = 0;

	if (len == 0)
		return true;
	if (!users->nodes)
	{
		users->nodes = calloc(1, sizeof *users->nodes);
		if (!users->nodes)
			return false;
		users->nodes[0].token = NO_TOKEN;
		users->n = 1;
	}
	for (size_t i = 0; i < len; i++)
	{
		uint32_t	child = child_of(users, at, p[i]);

		if (!child && (child = add_node(users, p[i], at)) == 0)
			return false;
		at = child;
	}
	users->nodes[at].token = token;
	users->begins[(uint8_t) p[0]] = true;
	return true;
}

void
users_free(Users *users)
{
	free(users->nodes);
	*users = (Users) {0};
}

size_t
users_match(const Users *users, const char *p, size_t len, int32_t *token)
{
	uint32_t	at = 0;
	size_t		longest = 0;

	if (len == 0 || !users->begins[(uint8_t) *p])
		return 0;
	for (size_t i = 0; i < len && (at = child_of(users, at, p[i])) != 0; i++)
		if (users->nodes[at].token != NO_TOKEN)
		{
			longest = i + 1;
			*token = users->nodes[at].token;
		}
	return longest;
}
