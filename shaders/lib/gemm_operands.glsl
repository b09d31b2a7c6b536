// What the kernels of matrix products bind, and what they do with a sum before it is stored. LAYOUT
// is one of GEMM_NT, GEMM_NN, GEMM_TN.
layout(constant_id = GEMM_SPEC_EPILOGUE) const uint EPILOGUE = GEMM_PLAIN;
layout(constant_id = GEMM_SPEC_ACCUMULATE) const uint ACCUMULATE = ACCUMULATE_NO;
layout(constant_id = GEMM_SPEC_BIAS) const uint BIAS = 0;

BIND_MATRIX(GEMM_A, a);
BIND_MATRIX(GEMM_B, b);
BIND_MATRIX_UPDATE(GEMM_C, c);
#if LAYOUT == GEMM_TN
BIND_MATRIX_UPDATE(GEMM_BIAS, bias);
#else
BIND_MATRIX(GEMM_BIAS, bias);
#endif
BIND_MATRIX(GEMM_AUX_READ, aux);
BIND_MATRIX_WRITE(GEMM_AUX_WRITE, aux_out);

// Four neighbouring sums, bias included.
vec4 finish(vec4 value, uint c_idx, uint aux_idx) {
    if (accumulates(ACCUMULATE))
        value += LOAD4(c, c_idx);
    if (EPILOGUE == GEMM_RELU)
        value = max(value, vec4(0));
    if (EPILOGUE == GEMM_GELU) {
        STORE4(aux_out, aux_idx, value);
        value = vec4(gelu(value.x), gelu(value.y), gelu(value.z), gelu(value.w));
    }
    if (EPILOGUE == GEMM_SILU) {
        STORE4(aux_out, aux_idx, value);
        value = vec4(silu(value.x), silu(value.y), silu(value.z), silu(value.w));
    }
    if (EPILOGUE == GEMM_RELU_BACKWARD)
        value = mix(vec4(0), value, greaterThan(LOAD4(aux, aux_idx), vec4(0)));
    if (EPILOGUE == GEMM_GELU_BACKWARD) {
        vec4 x = LOAD4(aux, aux_idx);
        value *= vec4(gelu_derivative(x.x), gelu_derivative(x.y), gelu_derivative(x.z),
                      gelu_derivative(x.w));
    }
    if (EPILOGUE == GEMM_SILU_BACKWARD) {
        vec4 x = LOAD4(aux, aux_idx);
        value *= vec4(silu_derivative(x.x), silu_derivative(x.y), silu_derivative(x.z),
                      silu_derivative(x.w));
    }
    return value;
}
