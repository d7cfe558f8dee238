/*-------------------------------------------------------------------------
 *
 * to_char.c
 *	  to_char of timestamps: its pattern, read as formatting.c parse_format
 *	  reads it and written as program/to_char.h wants it.
 *
 * The pattern has to be constant.  One that has a keyword, a prefix (FM, TM, FX)
 * or a suffix (TH, SP) that is not listed here is PostgreSQL's, and so is any
 * other letter outside of quotes, which spares us to know them all.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "offload/expr.h"
#include "program/datetime.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/regproc.h"

/*
 * DCH_keywords, in its order, where the first one that fits is taken: also those
 * that only keep others from being found, which have no field.
 */
static const struct
{
	const char *name;
	const char *field;
}			keywords[] = {
	{"AM", "p"}, {"DAY", "^A"}, {"DDD", "j"}, {"DD", "d"}, {"DY", "^a"}, {"Day", "A"}, {"Dy", "a"}, {"D", "w"},
	{"HH24", "H"}, {"HH12", "I"}, {"HH", "I"}, {"IDDD", NULL}, {"ID", "u"}, {"IW", "V"}, {"IYYY", "G"},
	{"MI", "M"}, {"MM", "m"}, {"MONTH", "^B"}, {"MON", "^b"}, {"MS", "L"}, {"Month", "B"}, {"Mon", "b"},
	{"PM", "p"}, {"Q", "q"}, {"SSSS", NULL}, {"SS", "S"}, {"US", "f"}, {"WW", "W"}, {"YYYY", "Y"},
	{"am", "P"}, {"day", "!A"}, {"ddd", "j"}, {"dd", "d"}, {"dy", "!a"}, {"d", "w"},
	{"hh24", "H"}, {"hh12", "I"}, {"hh", "I"}, {"iddd", NULL}, {"id", "u"}, {"iw", "V"}, {"iyyy", "G"},
	{"mi", "M"}, {"mm", "m"}, {"month", "!B"}, {"mon", "!b"}, {"ms", "L"},
	{"pm", "P"}, {"q", "q"}, {"ssss", NULL}, {"ss", "S"}, {"us", "f"}, {"ww", "W"}, {"yyyy", "Y"},
};

static void
append_literal(StringInfo pattern, char c)
{
	if (c == '%')
		appendStringInfoChar(pattern, '%');
	appendStringInfoChar(pattern, c);
}

/* What stands between quotes; returns what is behind them. A backslash quotes the next character. */
static const char *
read_quoted(StringInfo pattern, const char *str)
{
	while (*str != '\0' && *str != '"')
	{
		if (*str == '\\' && str[1] != '\0')
			str++;
		append_literal(pattern, *str++);
	}
	return *str == '"' ? str + 1 : str;
}

static const char *
read_keyword(StringInfo pattern, const char *str)
{
	for (int i = 0; i < (int) lengthof(keywords); i++)
	{
		const size_t len = strlen(keywords[i].name);

		if (strncmp(str, keywords[i].name, len) != 0)
			continue;
		if (keywords[i].field == NULL)
			return NULL;
		appendStringInfo(pattern, "%%%s", keywords[i].field);
		return str + len;
	}
	return NULL;
}

/* NULL if we do not know it */
static char *
read_format(const char *str)
{
	StringInfoData pattern;

	initStringInfo(&pattern);
	while (str != NULL && *str != '\0')
	{
		if (*str == '"')
			str = read_quoted(&pattern, str + 1);
		else if ((*str >= 'A' && *str <= 'Z') || (*str >= 'a' && *str <= 'z'))
			str = read_keyword(&pattern, str);
		else
		{
			if (*str == '\\' && str[1] == '"')
				str++;
			append_literal(&pattern, *str++);
		}
	}
	return str != NULL && pattern.len > 0 && pattern.len <= TO_CHAR_PATTERN_MAX ? pattern.data : NULL;
}

uint16
gpuscan_offload_to_char(Builder *b, Oid funcid, Node *arg, Node *format)
{
	const Const *constant = (const Const *) format;
	char	   *pattern = NULL;
	uint16		reg;

	if (!IsA(format, Const) || constant->constisnull)
		return gpuscan_builder_refuse(b, "function %s of a format that is not constant", format_procedure(funcid));
	pattern = read_format(TextDatumGetCString(constant->constvalue));
	if (pattern == NULL)
		return gpuscan_builder_refuse(b, "function %s of %s", format_procedure(funcid),
									  quote_literal_cstr(TextDatumGetCString(constant->constvalue)));
	reg = gpuscan_offload_expr(b, arg);
	if (b->refusal != NULL)
		return PROGRAM_NO_REG;
	if (funcid == F_TO_CHAR_TIMESTAMPTZ_TEXT)
		reg = gpuscan_offload_local_time(b, reg);
	return gpuscan_builder_emit(b, OP_TO_CHAR, reg,
								gpuscan_offload_const(b, makeConst(TEXTOID, -1, DEFAULT_COLLATION_OID, -1,
																   CStringGetTextDatum(pattern), false, false)),
								PROGRAM_NO_REG);
}
