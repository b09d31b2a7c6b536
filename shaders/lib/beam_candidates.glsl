// The candidates of a sentence's hypotheses, best first. They lie in lists, one for each hypothesis
// and stretch of the vocabulary; a lane looks after some of the lists. beam_select.comp has what
// is named here and not defined.

struct candidate {
    float sum, logit, log_prob;
    uint hypothesis, token, list;
};

bool is_better(candidate a, candidate b) {
    if (a.sum != b.sum)
        return a.sum > b.sum;
    if (a.hypothesis != b.hypothesis)
        return a.hypothesis < b.hypothesis;
    return a.logit != b.logit ? a.logit > b.logit : a.token < b.token;
}

// The best of a hypothesis's candidates in one stretch that is not used up.
candidate head_of(uint list) {
    const uint hypothesis = list / p.num_stretches, row = first_row + hypothesis;
    const uint used = heads.data[gl_WorkGroupID.x * p.k * p.num_stretches + list];
    candidate c = candidate(LOWEST, LOWEST, 0.0, NONE, NONE, list);
    if (used == p.best_k)
        return c;
    const uint pair = row * p.best_stride + 2 * ((list % p.num_stretches) * p.best_k + used);
    if (best.data[pair + 1] == NONE)
        return c;
    c.logit = uintBitsToFloat(best.data[pair]);
    precise float log_prob = c.logit - log_sums.data[row];
    precise float sum =
        uintBitsToFloat(beams.data[list_word(BEAM_LIST_SUM + (step & 1), hypothesis)]) + log_prob;
    c.sum = sum;
    c.log_prob = log_prob;
    c.hypothesis = hypothesis;
    c.token = best.data[pair + 1];
    return c;
}

// Takes the best candidate of hypotheses first .. end; its token is NONE when there is none.
candidate take(uint first, uint end) {
    candidate c = candidate(LOWEST, LOWEST, 0.0, NONE, NONE, 0);
    for (uint list = first * p.num_stretches + lane; list < end * p.num_stretches; list += WAVE) {
        const candidate other = head_of(list);
        if (other.token != NONE && (c.token == NONE || is_better(other, c)))
            c = other;
    }
    candidate found;
    found.sum = wave_max(c.sum);
    bool is_it = c.token != NONE && c.sum == found.sum;
    found.hypothesis = wave_min(is_it ? c.hypothesis : NONE);
    is_it = is_it && c.hypothesis == found.hypothesis;
    found.logit = wave_max(is_it ? c.logit : LOWEST);
    is_it = is_it && c.logit == found.logit;
    found.token = wave_min(is_it ? c.token : NONE);
    is_it = is_it && c.token == found.token;
    found.log_prob = wave_max(is_it ? c.log_prob : LOWEST);
    if (is_it)
        heads.data[gl_WorkGroupID.x * p.k * p.num_stretches + c.list]++;
    return found;
}
