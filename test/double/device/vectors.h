/*-------------------------------------------------------------------------
 *
 * vectors.h
 *	  CUDA's vector types: dim3, uint2, uint4, ulonglong2 and so on.
 *
 * Sizes and alignments are those of vector_types.h: a load through a pointer
 * to one of these must be aligned to the whole of it, and the CPU's compiler
 * may take it to be.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CUDA_DOUBLE_VECTORS_H
#define CUDA_DOUBLE_VECTORS_H

#define CUDA_DOUBLE_VECTOR(type, scalar, n) \
	CUDA_DOUBLE_VECTOR1(type##1, scalar) \
	CUDA_DOUBLE_VECTOR2(type##2, scalar, 2 * n) \
	CUDA_DOUBLE_VECTOR3(type##3, scalar) \
	CUDA_DOUBLE_VECTOR4(type##4, scalar, (4 * n < 16 ? 4 * n : 16))

#define CUDA_DOUBLE_VECTOR1(type, scalar) \
	struct type { scalar x; }; \
	static inline type make_##type(scalar x) { return type{x}; }
#define CUDA_DOUBLE_VECTOR2(type, scalar, align) \
	struct alignas(align) type { scalar x, y; }; \
	static inline type make_##type(scalar x, scalar y) { return type{x, y}; }
#define CUDA_DOUBLE_VECTOR3(type, scalar) \
	struct type { scalar x, y, z; }; \
	static inline type make_##type(scalar x, scalar y, scalar z) { return type{x, y, z}; }
#define CUDA_DOUBLE_VECTOR4(type, scalar, align) \
	struct alignas(align) type { scalar x, y, z, w; }; \
	static inline type make_##type(scalar x, scalar y, scalar z, scalar w) { return type{x, y, z, w}; }

/* the last is the size of one, where it is the same on all machines with CUDA */
CUDA_DOUBLE_VECTOR(char, signed char, 1)
CUDA_DOUBLE_VECTOR(uchar, unsigned char, 1)
CUDA_DOUBLE_VECTOR(short, short, 2)
CUDA_DOUBLE_VECTOR(ushort, unsigned short, 2)
CUDA_DOUBLE_VECTOR(int, int, 4)
CUDA_DOUBLE_VECTOR(uint, unsigned int, 4)
CUDA_DOUBLE_VECTOR(long, long, 8)
CUDA_DOUBLE_VECTOR(ulong, unsigned long, 8)
CUDA_DOUBLE_VECTOR(longlong, long long, 8)
CUDA_DOUBLE_VECTOR(ulonglong, unsigned long long, 8)
CUDA_DOUBLE_VECTOR(float, float, 4)
CUDA_DOUBLE_VECTOR(double, double, 8)

struct dim3
{
	unsigned	x, y, z;

	constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
	constexpr dim3(uint3 v) : x(v.x), y(v.y), z(v.z) {}
	operator uint3() const { return uint3{x, y, z}; }
};

#endif							/* CUDA_DOUBLE_VECTORS_H */
