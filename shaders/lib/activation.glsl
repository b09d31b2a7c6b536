// Activation functions and their derivatives.

// Error function, absolute error below 1.5e-7.
// Source: Abramowitz and Stegun 1964, 7.1.26.
float erf_approx(float x) {
    float t = 1.0 / fma(0.3275911, abs(x), 1.0);
    float poly = fma(fma(fma(fma(1.061405429, t, -1.453152027), t, 1.421413741), t, -0.284496736),
                     t, 0.254829592) * t;
    return sign(x) * (1.0 - poly * exp(-x * x));
}

// x * Phi(x). Source: Hendrycks and Gimpel 2016, arXiv:1606.08415, eq. 1.
float gelu(float x) {
    return 0.5 * x * (1.0 + erf_approx(x * 0.70710678));
}

float gelu_derivative(float x) {
    return 0.5 * (1.0 + erf_approx(x * 0.70710678)) + x * 0.39894228 * exp(-0.5 * x * x);
}

// x * sigmoid(x). Source: Elfwing et al. 2017, arXiv:1702.03118, eq. 2.
float silu(float x) {
    return x / (1.0 + exp(-x));
}

float silu_derivative(float x) {
    float s = 1.0 / (1.0 + exp(-x));
    return s * fma(x, 1.0 - s, 1.0);
}
