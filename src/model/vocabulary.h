/*-------------------------------------------------------------------------
 *
 * vocabulary.h
 *	  What the tokenizer of a decoder is made of, whatever file says it: the
 *	  metadata of a GGUF file, or the tokenizer.json of Hugging Face.
 *
 * A vocabulary is what tokenizers are opened from; they keep nothing of it.  The
 * number of its tokens and merges, and the lengths of all strings together, are
 * bounded by the size of the file.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_MODEL_VOCABULARY_H
#define GPUSCAN_MODEL_VOCABULARY_H

#include "model/files.h"
#include "model/gguf.h"
#include "model/pretoken.h"

/* Numbers are those of llama.cpp's llama_token_type. */
typedef enum TokenType
{
	TOKEN_NORMAL = 1,
	TOKEN_UNKNOWN,
	TOKEN_CONTROL,
	TOKEN_USER,					/* text that is cut out before all else */
	TOKEN_UNUSED,
	TOKEN_BYTE
} TokenType;

typedef struct VocabularyToken
{
	const char *name;			/* not ended by a zero; of byte-level BPE, stand-ins for bytes */
	uint32_t	len;
	uint8_t		type;			/* TokenType, or a number that is none */
	float		score;			/* of SentencePiece */
} VocabularyToken;

typedef struct VocabularyMerge
{
	const char *left;
	const char *right;
	uint32_t	left_len;
	uint32_t	right_len;
} VocabularyMerge;

/* When a text of SentencePiece has a blank put in front */
typedef enum BlankPrefix
{
	BLANK_NEVER,
	BLANK_ALWAYS,
	BLANK_IF_NONE,				/* if it begins with none */
	BLANK_FIRST_IF_NONE			/* ... and nothing stands before the text */
} BlankPrefix;

#define VOCABULARY_ENDS	32

typedef struct Vocabulary
{
	bool		sentencepiece;	/* tokens are characters, with U+2581 for blanks; byte-level BPE otherwise */
	uint32_t	n;
	VocabularyToken *tokens;
	uint64_t	nmerges;
	VocabularyMerge *merges;	/* the first is done first; NULL: pairs that are a token, by their scores */
	bool		from_json;		/* users' tokens are cut out before texts are normalised, control tokens' names stay in one piece;
								 * merges may be of control tokens, which do not come about */
	/* byte-level BPE */
	PretokenKind pretoken;
	bool		whole_first;	/* a piece that is a token is that token, whatever the merges say */
	bool		nfc;			/* texts are brought to Unicode's form C */
	/* SentencePiece */
	BlankPrefix prefix;
	bool		blanks_cut;		/* no token has a blank behind its first character */
	int32_t		unknown;		/* or -1: unknown characters are left out */
	bool		unknown_fused;	/* those that stand together are one token */

	int32_t		bos;			/* or -1 */
	bool		adds_bos;		/* a text begins with it where no template says so */
	uint32_t	nends;
	int32_t		ends[VOCABULARY_ENDS];	/* tokens that a text ends with */
	char	   *memory;			/* of names, or NULL */
} Vocabulary;

/* Names point into the file, which has to outlive the vocabulary.  False, and an error, if it has none that is sound; free it in any case. */
extern bool vocabulary_of_gguf(const Gguf *gguf, Vocabulary *vocabulary, ModelError *error);
/* tokenizer.json, and what tokenizer_config.json, generation_config.json and config.json say of the tokens of begin and end, if they are there */
extern bool vocabulary_of_files(const ModelFiles *files, Vocabulary *vocabulary, ModelError *error);
extern void vocabulary_free(Vocabulary *vocabulary);

#endif							/* GPUSCAN_MODEL_VOCABULARY_H */
