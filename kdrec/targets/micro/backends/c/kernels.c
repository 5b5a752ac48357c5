/* Value times multiplier * 2^(shift - 31), rounded twice, as TensorFlow Lite Micro rounds. */
static int32_t scaled(int32_t value, int32_t multiplier, int shift)
{
    const int left = shift > 0 ? shift : 0, right = shift > 0 ? 0 : -shift;
    const int32_t raised = (int32_t)((uint32_t)value << left);
    const int32_t high = (int32_t)(((int64_t)raised * multiplier + (1 << 30)) >> 31);
    const int32_t mask = (int32_t)((UINT32_C(1) << right) - 1);
    return (high >> right) + ((high & mask) > (mask >> 1) + (high < 0));
}

static int16_t clamped(int32_t value, int32_t least, int32_t most)
{
    return (int16_t)(value < least ? least : value > most ? most : value);
}

static int32_t minimum(int32_t left, int32_t right)
{
    return left < right ? left : right;
}

static int32_t dot(const int8_t *row, const int16_t *vector, size_t n)
{
    int32_t sum = 0;
    for (; n >= 4; n -= 4, row += 4, vector += 4) {
        sum += row[0] * vector[0] + row[1] * vector[1] + row[2] * vector[2] + row[3] * vector[3];
    }
    for (; n > 0; n--) {
        sum += *row++ * *vector++;
    }
    return sum;
}

/* Four rows at a time: the vector is read once for all of them. */
static void dot_four(const int8_t *rows, const int16_t *vector, size_t n, int32_t sums[4])
{
    int32_t first = 0, second = 0, third = 0, fourth = 0;
    for (size_t i = 0; i < n; i++) {
        const int32_t value = vector[i];
        first += rows[i] * value;
        second += rows[i + n] * value;
        third += rows[i + 2 * n] * value;
        fourth += rows[i + 3 * n] * value;
    }
    sums[0] = first;
    sums[1] = second;
    sums[2] = third;
    sums[3] = fourth;
}

/* The product with a row of a matrix of four bits, two numbers a byte, the first in the lower half. */
static int32_t dot_int4(const uint8_t *matrix, size_t first, const int16_t *vector, size_t n)
{
    int32_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        const int32_t half = matrix[(first + i) / 2] >> (first + i) % 2 * 4 & 15;
        sum += ((half ^ 8) - 8) * vector[i];
    }
    return sum;
}
