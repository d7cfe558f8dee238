/*-------------------------------------------------------------------------
 *
 * without.c
 *	  In place of models, where the libraries that they need were not there when
 *	  gpuscan was built (Makefile).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "fmgr.h"
#include "funcapi.h"
#include "model/sql/loaded.h"

int			gpuscan_model_memory = 4 * 1024 * 1024;
int			gpuscan_generation_memory = 1024 * 1024;

#define WITHOUT(name) \
PG_FUNCTION_INFO_V1(name); \
Datum \
name(PG_FUNCTION_ARGS) \
{ \
	ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("this build of gpuscan has no models"), \
					errhint("Build it where jansson and utf8proc are installed (Debian: libjansson-dev, libutf8proc-dev)."))); \
	PG_RETURN_NULL(); \
}

WITHOUT(gpuscan_embed)
WITHOUT(gpuscan_embed_array)
WITHOUT(gpuscan_tokenize)
WITHOUT(gpuscan_count_tokens)
WITHOUT(gpuscan_generate)
WITHOUT(gpuscan_generate_array)
WITHOUT(gpuscan_generate_stream)
WITHOUT(gpuscan_generate_start)
WITHOUT(gpuscan_generate_next)
WITHOUT(gpuscan_generate_stop)
WITHOUT(gpuscan_generate_json)
WITHOUT(gpuscan_classify)
WITHOUT(gpuscan_ask)
WITHOUT(gpuscan_chat)
WITHOUT(gpuscan_apply_template)
WITHOUT(gpuscan_detokenize)
WITHOUT(gpuscan_truncate_tokens)
WITHOUT(gpuscan_chunk)
WITHOUT(gpuscan_rerank)
WITHOUT(gpuscan_backfill)
WITHOUT(gpuscan_load_model_sql)
WITHOUT(gpuscan_unload_model_sql)

PG_FUNCTION_INFO_V1(gpuscan_model_listing);

/* None is loaded */
Datum
gpuscan_model_listing(PG_FUNCTION_ARGS)
{
	InitMaterializedSRF(fcinfo, 0);
	return (Datum) 0;
}
