/*-------------------------------------------------------------------------
 *
 * quant.c
 *	  Values of quantised blocks, one by one: the reference for all kernels.
 *
 * A block has a scale and small integers.  Types of 32 values have one half
 * 'd', some a minimum 'm' besides; nibble j of the low halves is value j, of the
 * high halves value j + 16.  Types of 256 values ("K") have a scale (and
 * minimum) of 6 or 8 bits for each 32 or 16 of them, in units of 'd' (and
 * 'dmin').  In which order the products are taken decides the last bit: it is
 * ggml-quants.c's.
 *
 *-------------------------------------------------------------------------
 */
#include "model/quant.h"

#include <string.h>

static const TensorTypeInfo types[] = {
	{TENSOR_F32, "F32", 1, 4},
	{TENSOR_F16, "F16", 1, 2},
	{TENSOR_BF16, "BF16", 1, 2},
	{TENSOR_Q4_0, "Q4_0", 32, 2 + 16},
	{TENSOR_Q4_1, "Q4_1", 32, 4 + 16},
	{TENSOR_Q5_0, "Q5_0", 32, 2 + 4 + 16},
	{TENSOR_Q5_1, "Q5_1", 32, 4 + 4 + 16},
	{TENSOR_Q8_0, "Q8_0", 32, 2 + 32},
	{TENSOR_Q4_K, "Q4_K", 256, 4 + 12 + 128},
	{TENSOR_Q5_K, "Q5_K", 256, 4 + 12 + 32 + 128},
	{TENSOR_Q6_K, "Q6_K", 256, 128 + 64 + 16 + 2},
};

const TensorTypeInfo *
tensor_type_info(uint32_t type)
{
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		if (types[i].type == type)
			return &types[i];
	return NULL;
}

const char *
tensor_type_name(uint32_t type)
{
	static const char *const names[] = {
		"F32", "F16", "Q4_0", "Q4_1", NULL, NULL, "Q5_0", "Q5_1", "Q8_0", "Q8_1", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "Q8_K",
		"IQ2_XXS", "IQ2_XS", "IQ3_XXS", "IQ1_S", "IQ4_NL", "IQ3_S", "IQ2_S", "IQ4_XS", "I8", "I16", "I32", "I64", "F64", "IQ1_M", "BF16",
		NULL, NULL, NULL, "TQ1_0", "TQ2_0", NULL, NULL, NULL, "MXFP4", "NVFP4"
	};

	return type < sizeof names / sizeof names[0] ? names[type] : NULL;
}

float
float_from_bfloat(uint16_t bfloat)
{
	const uint32_t bits = (uint32_t) bfloat << 16;
	float		value;

	memcpy(&value, &bits, sizeof value);
	return value;
}

float
float_from_half(uint16_t half)
{
	const uint32_t sign = (uint32_t) (half & 0x8000) << 16;
	const uint32_t exponent = half >> 10 & 0x1F;
	uint32_t	fraction = half & 0x3FF;
	uint32_t	bits;
	float		value;

	if (exponent == 0x1F)
		bits = sign | 0x7F800000 | fraction << 13;
	else if (exponent != 0)
		bits = sign | (exponent + 127 - 15) << 23 | fraction << 13;
	else
	{
		/* below the normal ones: fraction * 2^-24, which a float holds exactly */
		value = (float) fraction * 0x1p-24f;
		memcpy(&bits, &value, sizeof bits);
		bits |= sign;
	}
	memcpy(&value, &bits, sizeof value);
	return value;
}

static float
half_at(const uint8_t *p)
{
	return float_from_half((uint16_t) (p[0] | p[1] << 8));
}

/* Bits 5 of Q5_0 and Q5_1 */
static uint32_t
high_bits(const uint8_t *p)
{
	return p[0] | (uint32_t) p[1] << 8 | (uint32_t) p[2] << 16 | (uint32_t) p[3] << 24;
}

static void
block_q4_0(const uint8_t *p, float *to)
{
	const float d = half_at(p);

	for (int j = 0; j < 16; j++)
	{
		to[j] = (float) ((p[2 + j] & 15) - 8) * d;
		to[j + 16] = (float) ((p[2 + j] >> 4) - 8) * d;
	}
}

static void
block_q4_1(const uint8_t *p, float *to)
{
	const float d = half_at(p);
	const float m = half_at(p + 2);

	for (int j = 0; j < 16; j++)
	{
		to[j] = (float) (p[4 + j] & 15) * d + m;
		to[j + 16] = (float) (p[4 + j] >> 4) * d + m;
	}
}

static void
block_q5_0(const uint8_t *p, float *to)
{
	const float d = half_at(p);
	const uint32_t high = high_bits(p + 2);

	for (int j = 0; j < 16; j++)
	{
		to[j] = (float) ((int) ((p[6 + j] & 15) | (high >> j & 1) << 4) - 16) * d;
		to[j + 16] = (float) ((int) (p[6 + j] >> 4 | (high >> (j + 16) & 1) << 4) - 16) * d;
	}
}

static void
block_q5_1(const uint8_t *p, float *to)
{
	const float d = half_at(p);
	const float m = half_at(p + 2);
	const uint32_t high = high_bits(p + 4);

	for (int j = 0; j < 16; j++)
	{
		to[j] = (float) ((p[8 + j] & 15) | (high >> j & 1) << 4) * d + m;
		to[j + 16] = (float) (p[8 + j] >> 4 | (high >> (j + 16) & 1) << 4) * d + m;
	}
}

static void
block_q8_0(const uint8_t *p, float *to)
{
	const float d = half_at(p);

	for (int j = 0; j < 32; j++)
		to[j] = (float) (int8_t) p[2 + j] * d;
}

/* Scale and minimum of sub-block j of Q4_K and Q5_K: 6 bits each, packed in 12 bytes */
static void
scale_and_min(const uint8_t *s, int j, float d, float dmin, float *scale, float *min)
{
	const int	sc = j < 4 ? s[j] & 63 : (s[j + 4] & 15) | (s[j - 4] >> 6) << 4;
	const int	m = j < 4 ? s[j + 4] & 63 : s[j + 4] >> 4 | (s[j] >> 6) << 4;

	*scale = d * (float) sc;
	*min = dmin * (float) m;
}

/* 'high' is NULL, or has bit s of the values of sub-block s */
static void
block_q45_k(const uint8_t *p, const uint8_t *high, const uint8_t *low, float *to)
{
	const float d = half_at(p);
	const float dmin = half_at(p + 2);

	for (int s = 0; s < 8; s++)
	{
		float		scale,
					min;

		scale_and_min(p + 4, s, d, dmin, &scale, &min);
		for (int l = 0; l < 32; l++)
		{
			const uint8_t byte = low[s / 2 * 32 + l];
			const int	q = (s % 2 ? byte >> 4 : byte & 15) + (high && high[l] >> s & 1 ? 16 : 0);

			to[s * 32 + l] = scale * (float) q - min;
		}
	}
}

static void
block_q6_k(const uint8_t *p, float *to)
{
	const uint8_t *low = p;
	const uint8_t *high = p + 128;
	const int8_t *scales = (const int8_t *) (p + 192);
	const float d = half_at(p + 208);

	for (int half = 0; half < 2; half++, low += 64, high += 32, scales += 8, to += 128)
		for (int l = 0; l < 32; l++)
			for (int k = 0; k < 4; k++)
			{
				const uint8_t byte = low[l + (k & 1) * 32];
				const int	q = (k < 2 ? byte & 15 : byte >> 4) | (high[l] >> 2 * k & 3) << 4;

				to[l + 32 * k] = d * (float) scales[l / 16 + 2 * k] * (float) (q - 32);
			}
}

void
tensor_dequantise(TensorType type, const void *from, size_t n, float *to)
{
	const TensorTypeInfo *info = tensor_type_info(type);
	const uint8_t *p = from;

	for (size_t i = 0; i < n; i += info->block, p += info->bytes, to += info->block)
		switch (type)
		{
			case TENSOR_F32:
				memcpy(to, p, sizeof *to);
				break;
			case TENSOR_F16:
				*to = half_at(p);
				break;
			case TENSOR_BF16:
				*to = float_from_bfloat((uint16_t) (p[0] | p[1] << 8));
				break;
			case TENSOR_Q4_0:
				block_q4_0(p, to);
				break;
			case TENSOR_Q4_1:
				block_q4_1(p, to);
				break;
			case TENSOR_Q5_0:
				block_q5_0(p, to);
				break;
			case TENSOR_Q5_1:
				block_q5_1(p, to);
				break;
			case TENSOR_Q8_0:
				block_q8_0(p, to);
				break;
			case TENSOR_Q4_K:
				block_q45_k(p, NULL, p + 16, to);
				break;
			case TENSOR_Q5_K:
				block_q45_k(p, p + 16, p + 48, to);
				break;
			case TENSOR_Q6_K:
				block_q6_k(p, to);
				break;
		}
}

/* The high bits, if there are any, become bit 4 */
static void
unpack_32(const uint8_t *low, uint32_t high, int less, QuantBlock *to)
{
	for (int j = 0; j < 16; j++)
	{
		to->q[j] = (int8_t) ((int) ((low[j] & 15) | (high >> j & 1) << 4) - less);
		to->q[j + 16] = (int8_t) ((int) (low[j] >> 4 | (high >> (j + 16) & 1) << 4) - less);
	}
}

static void
unpack_q45_k(const uint8_t *p, const uint8_t *high, const uint8_t *low, QuantBlock *to)
{
	for (int s = 0; s < 8; s++)
	{
		scale_and_min(p + 4, s, half_at(p), half_at(p + 2), &to->scale[s], &to->min[s]);
		to->min[s] = -to->min[s];
		for (int l = 0; l < 32; l++)
			to->q[s * 32 + l] = (int8_t) ((s % 2 ? low[s / 2 * 32 + l] >> 4 : low[s / 2 * 32 + l] & 15) + (high && high[l] >> s & 1 ? 16 : 0));
	}
}

static void
unpack_q6_k(const uint8_t *p, QuantBlock *to)
{
	const float d = half_at(p + 208);

	for (int s = 0; s < 16; s++)
		to->scale[s] = d * (float) (int8_t) p[192 + s];
	for (int i = 0; i < 256; i++)
	{
		const int	half = i / 128;
		const int	k = i % 128 / 32;
		const int	l = i % 32;
		const uint8_t byte = p[half * 64 + (k & 1) * 32 + l];

		to->q[i] = (int8_t) (((k < 2 ? byte & 15 : byte >> 4) | (p[128 + half * 32 + l] >> 2 * k & 3) << 4) - 32);
	}
}

void
tensor_unpack(TensorType type, const void *block, QuantBlock *to)
{
	const uint8_t *p = block;
	const bool	has_min = type == TENSOR_Q4_1 || type == TENSOR_Q5_1;

	memset(to, 0, sizeof *to);
	to->n = tensor_type_info(type)->block;
	to->nscales = type == TENSOR_Q6_K ? 16 : to->n / 32;
	if (to->n == 32)
	{
		to->half_scale = (uint16_t) (p[0] | p[1] << 8);
		to->half_min = has_min ? (uint16_t) (p[2] | p[3] << 8) : 0;
		to->scale[0] = float_from_half(to->half_scale);
		to->min[0] = float_from_half(to->half_min);
	}
	switch (type)
	{
		case TENSOR_Q4_0:
			unpack_32(p + 2, 0, 8, to);
			break;
		case TENSOR_Q4_1:
			unpack_32(p + 4, 0, 0, to);
			break;
		case TENSOR_Q5_0:
			unpack_32(p + 6, high_bits(p + 2), 16, to);
			break;
		case TENSOR_Q5_1:
			unpack_32(p + 8, high_bits(p + 4), 0, to);
			break;
		case TENSOR_Q8_0:
			memcpy(to->q, p + 2, 32);
			break;
		case TENSOR_Q4_K:
			unpack_q45_k(p, NULL, p + 16, to);
			break;
		case TENSOR_Q5_K:
			unpack_q45_k(p, p + 16, p + 48, to);
			break;
		case TENSOR_Q6_K:
			unpack_q6_k(p, to);
			break;
		case TENSOR_F32:
		case TENSOR_F16:
		case TENSOR_BF16:
			break;
	}
}
