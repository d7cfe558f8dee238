"""Queries as trees: rendered to SQL, and made simpler by the reducer.

A tree is a string, or a Node. What a node may lose is known to the node, so
the reducer needs to know nothing of SQL:

    Seq    parts, one after the other
    Expr   an expression of a type: may become an expression of the same type
           that stands in it, or NULL
    List   items with a separator: may lose items, down to 'least'
    Opt    may vanish
"""


class Node:
    __slots__ = ()

    def sql(self):
        return "".join(render(part) for part in self.parts)


class Seq(Node):
    __slots__ = ("parts",)

    def __init__(self, *parts):
        self.parts = list(parts)

    def rebuilt(self, parts):
        return Seq(*parts)


class Expr(Node):
    """type: a word that SQL can cast to."""

    __slots__ = ("type", "parts")

    def __init__(self, type, *parts):
        self.type = type
        self.parts = list(parts)

    def rebuilt(self, parts):
        return Expr(self.type, *parts)


class List(Node):
    __slots__ = ("parts", "sep", "least")

    def __init__(self, items, sep=", ", least=1):
        self.parts = list(items)
        self.sep = sep
        self.least = least

    def rebuilt(self, parts):
        return List(parts, self.sep, self.least)

    def sql(self):
        return self.sep.join(render(part) for part in self.parts)


class Opt(Node):
    __slots__ = ("parts", "name")

    def __init__(self, *parts, name=None):
        self.parts = list(parts)
        self.name = name

    def rebuilt(self, parts):
        return Opt(*parts, name=self.name)


def render(tree):
    return tree if isinstance(tree, str) else tree.sql()


def has(tree, name):
    """Is an Opt of this name still there?"""
    if isinstance(tree, str):
        return False
    if isinstance(tree, Opt) and tree.name == name and tree.parts:
        return True
    return any(has(part, name) for part in tree.parts)


def size(tree):
    return 1 if isinstance(tree, str) else 1 + sum(size(part) for part in tree.parts)


def _same_type(tree, type):
    """Expressions of this type below the tree, the outermost ones."""
    for part in tree.parts:
        if isinstance(part, str):
            continue
        if isinstance(part, Expr) and part.type == type:
            yield part
        else:
            yield from _same_type(part, type)


def simpler(tree):
    """Trees with one thing less, the greatest simplifications first."""
    if isinstance(tree, str):
        return
    if isinstance(tree, Opt):
        if not tree.parts:
            return
        yield Opt(name=tree.name)
    elif isinstance(tree, List):
        n = len(tree.parts)
        chunk = n - tree.least
        while chunk >= 1:
            for start in range(0, n, chunk):
                left = tree.parts[:start] + tree.parts[start + chunk:]
                if tree.least <= len(left) < n:
                    yield tree.rebuilt(left)
            chunk //= 2
    elif isinstance(tree, Expr):
        below = list(_same_type(tree, tree.type))
        yield from below
        if len(tree.parts) > 1 or not isinstance(tree.parts[0], str):
            yield Expr(tree.type, "NULL::" + tree.type)
    for i, part in enumerate(tree.parts):
        for less in simpler(part):
            yield tree.rebuilt(tree.parts[:i] + [less] + tree.parts[i + 1:])
