// How many rows of A a slice of a product over `rows` of them has: as many as make no more slices
// than there may be, in whole steps of any kernel. It does not depend on how many rows there could
// be: either all slices have the least that they may, or there are as many as C's size admits.
uint slice_rows(uint rows, uint num_slices) {
    const uint even = (rows + num_slices - 1) / num_slices;
    return max((even + 31) / 32 * 32, GEMM_SLICE_ROWS);
}
